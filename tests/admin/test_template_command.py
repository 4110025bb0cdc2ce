"""`unitymail template`: what new users get."""

import pytest

PASSWORD = "tulips at noon\n"


def test_every_option(unitymail, robin, vm2):
    """All at once at first, shown by the names of the options, listed, changed, deleted."""
    unitymail.do("site", "set", "smart_host.host=smart.example.net")
    unitymail.do("cos", "add", "Staff")
    made = unitymail.json(
        "template", "add", "Office", "--first-name", "Desk", "--last-name", "%Extension%",
        "--display-name", "%FirstName% %LastName% (%Alias%)", "--proxy", "%Alias%@a.example",
        "--proxy", "%Extension%@b.example", "--cos", "Staff", "--partition", "Default", "--scope", "Default",
        "--home", "vm2", "--corporate-address", "%Alias%@corp.example", "--no-route-ndr", "--delegate", "robin",
        "--hide-capability", "idle", "--action", "voice=relay", "--relay-address", "%Alias%@fax.example",
        "--quota", "receive=1M", "--no-age-messages",
    )  # fmt: skip
    assert made.pop("id")
    assert made == {
        "name": "Office", "display_name": "%FirstName% %LastName% (%Alias%)", "first_name": "Desk",
        "last_name": "%Extension%", "proxy": ["%Alias%@a.example", "%Extension%@b.example"],
        "corporate_address": "%Alias%@corp.example", "cos": "Staff", "partition": "Default", "scope": "Default",
        "home": "vm2", "action": {"voice": "relay", "email": "accept", "fax": "accept", "receipt": "accept"},
        "relay_address": "%Alias%@fax.example", "quota": {"warning": 12 << 20, "send": 13 << 20, "receive": 1 << 20},
        "route_ndr": False, "delegate": ["robin"], "hide_capability": ["IDLE"], "offer_capability": [],
        "age_messages": False,
    }  # fmt: skip
    changed = unitymail.json("template", "set", "office", "--name", "Desk", "--home", "", "--delegate", "")
    assert changed.items() >= {"name": "Desk", "home": "", "delegate": [], "cos": "Staff"}.items()
    assert [one["name"] for one in unitymail.json("template", "list")] == ["Desk"]
    assert "in use by 1 template (Desk)" in unitymail.refused("cos", "delete", "Staff")
    assert unitymail.json("template", "delete", "Desk") == {"name": "Desk", "deleted": True}


def test_users_are_made_from_it(unitymail, robin):
    """Tokens are filled with what is given, then with the template's own names; what is given wins."""
    unitymail.do("site", "set", "smart_host.host=smart.example.net")
    unitymail.do(
        "template", "add", "Desk", "--first-name", "Desk", "--last-name", "%Extension%", "--proxy", "%Alias%@a.example",
        "--action", "fax=relay", "--relay-address", "%FirstName%.%LastName%@fax.example", "--delegate", "robin",
    )  # fmt: skip
    words = ("user", "add", "d7", "--template", "desk", "--extension", "7007", "--password-stdin")
    made = unitymail.json(*words, input=PASSWORD)
    assert made.items() >= {
        "first_name": "Desk", "last_name": "7007", "display_name": "Desk 7007", "proxy": ["d7@a.example"],
        "relay_address": "Desk.7007@fax.example", "delegate": ["robin"],
    }.items()  # fmt: skip
    refused = unitymail.refused("user", "add", "d8", "--template", "desk", "--password-stdin", input=PASSWORD)
    assert "the relay address of d8 as %FirstName%.%LastName%@fax.example, which needs --last-name" in refused
    given = ("--relay-address", "d8@elsewhere.example", "--proxy", "")
    made = unitymail.json("user", "add", "d8", "--template", "desk", *given, "--password-stdin", input=PASSWORD)
    assert (made["relay_address"], made["proxy"]) == ("d8@elsewhere.example", [])


def test_a_template_for_users_of_a_peer(unitymail, vm2):
    """They need no password, and their addresses are at the peer's domain."""
    unitymail.do("template", "add", "There", "--home", "vm2")
    assert unitymail.json("user", "add", "chris", "--template", "There")["address"] == "chris@vm2.example.com"
    assert unitymail.run("user", "add", "kim", "--template", "There", "--home", "").exit_code == 2


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--display-name", "%Name%"), "%Name%, which nothing fills; use %Alias%"),
        (("--display-name", "%DisplayName%"), "which nothing fills"),
        (("--first-name", "%LastName%"), "which nothing fills"),
        (("--proxy", "%alias%@x.example"), "%alias%, which nothing fills"),
        (("--proxy", "nonsense"), "no mail address"),
        (("--proxy", "%Alias%@"), "no mail address"),
        (("--corporate-address", "%Alias% @x.example"), "no mail address"),
        (("--relay-address", "<%Alias%@x.example>"), "before the @"),
        (("--action", "voice=relay"), "such as %Alias%@elsewhere.example"),
        (("--action", "voice=relay", "--relay-address", "%Alias%@vm1.example.com"), "address of the same user"),
        (("--action", "voice=relay", "--relay-address", "robin@vm1.example.com"), "belongs to the user robin"),
        (("--relay-address", "%Alias%@x.example", "--proxy", "%Alias%@x.example"), "address of the same user"),
        (("--delegate", "nobody"), "no user named nobody"),
        (("--quota", "receive=99999999999999999999"), "out of range"),
        (("--home", "vm9"), "no peer named vm9"),
    ],
    ids=" ".join,
)
def test_what_no_user_could_have_is_refused(unitymail, robin, options, why):
    """When the template is saved, not when the first user is made."""
    unitymail.do("site", "set", "smart_host.host=smart.example.net")
    assert why in unitymail.refused("template", "add", "Office", *options)
    assert unitymail.json("template", "list") == []


def test_relaying_needs_a_smart_host(unitymail):
    """As for a user."""
    words = ("template", "add", "Fax", "--action", "fax=relay", "--relay-address", "%Alias%@fax.example")
    assert "set one first with `unitymail site set smart_host.host=" in unitymail.refused(*words)


def test_a_delegate_who_goes_leaves_the_template(unitymail, robin):
    """And the trail says so."""
    unitymail.do("template", "add", "Office", "--delegate", "robin")
    unitymail.do("user", "delete", "robin")
    assert unitymail.json("template", "show", "Office")["delegate"] == []
    with unitymail.desk.directory.read() as view:
        assert "delegates: robin was deleted" in [change.detail for change in view.changes(0)]
