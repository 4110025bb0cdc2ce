"""What a user's programs are offered otherwise than others."""

from unitymail.people.capabilities import given, hidden, rules_of


def test_hidden_and_given():
    """A word hides a capability, a plus and a word gives one."""
    rules = rules_of(("IDLE", "QRESYNC"), ("UIDONLY",))
    assert rules == ("IDLE", "QRESYNC", "+UIDONLY")
    assert (hidden(rules), given(rules)) == (("IDLE", "QRESYNC"), ("UIDONLY",))
    assert (hidden(()), given(())) == ((), ())
