"""Places are counted together: all or none, never more than there are, given back once."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from unitymail.interfaces.ledger import Count, Full, Ticket
from unitymail.ledger.local import LocalLedger


def test_all_or_none():
    """When one count is full nothing is taken of the others, and the answer says who holds it."""
    ledger = LocalLedger()
    one = ledger.take_now([Count("smtp", "", 5), Count("smtp", "192.0.2.1", 1)], "first")
    assert isinstance(one, Ticket)
    full = ledger.take_now([Count("smtp", "", 5), Count("smtp", "192.0.2.1", 1)])
    assert full == Full(Count("smtp", "192.0.2.1", 1), {"first": 1})
    assert ledger.held("smtp") == 1
    ledger.give_back(one)
    ledger.give_back(one)
    assert ledger.held("smtp") == ledger.held("smtp", "192.0.2.1") == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_never_more_than_there_may_be(moves):
    """Whatever is taken and given back, a count never passes its limit, and at the end nothing is held."""
    ledger, tickets, held = LocalLedger(), [], Counter()
    for who, takes in moves:
        if takes:
            found = ledger.take_now([Count("all", "", 4), Count("one", who, 2)], who)
            full = sum(held.values()) == 4 or held[who] == 2
            assert isinstance(found, Full) is full
            if not full:
                tickets.append((who, found))
                held[who] += 1
        elif tickets:
            who, ticket = tickets.pop(0)
            ledger.give_back(ticket)
            held[who] -= 1
        assert ledger.held("all") == sum(held.values())
    for _, ticket in tickets:
        ledger.give_back(ticket)
    assert ledger.held("all") == 0
    assert not ledger._totals and not ledger._holders and not ledger._holdings
