"""What every verb says of options that were forgotten, and of questions that nobody answers."""

import pytest

NOTHING = "Nothing was given that is to be changed. --help lists what can be."


@pytest.mark.parametrize("words", [("user", "robin"), ("cos", "Default"), ("scope", "Default"), ("peer", "vm2")])
def test_a_change_that_changes_nothing(unitymail, robin, vm2, words):
    """Wrong usage: who typed it forgot something."""
    group, name = words
    before = unitymail.json(group, "show", name)
    announced = list(unitymail.desk.announced)
    result = unitymail.run(group, "set", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert NOTHING in result.stderr
    assert (unitymail.json(group, "show", name), unitymail.desk.announced) == (before, announced)


@pytest.mark.parametrize(
    "words",
    [
        ("user", "robin", "--first-name", ""), ("user", "robin", "--proxy", ""), ("user", "robin", "--no-route-ndr"),
        ("user", "robin", "--alias", "rob"), ("user", "robin", "--password-stdin"), ("cos", "Default", "--no-imap"),
        ("scope", "Default", "--partition", "Default"),
    ],
)  # fmt: skip
def test_what_is_something(unitymail, robin, vm2, words):
    """Empty text clears, and a switch can be off."""
    group, *rest = words
    assert unitymail.do(group, "set", *rest, input="another password\n").startswith("Changed ")
