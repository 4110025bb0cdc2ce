"""A process gets what it asked for, gives back what it has, and leaves nothing behind when it dies."""

from unitymail.interfaces.ledger import Count
from unitymail.ledger.lending import Lending
from unitymail.ledger.local import LocalLedger
from unitymail.ledger.words import Back, Filled, Take, Taken

TWO = (Count("imap", "", 2),)


def test_two_processes_share_one_limit():
    """What one has the other cannot have; the refusal says which count is full, and who holds it."""
    ledger = LocalLedger()
    one, two = Lending(ledger), Lending(ledger)
    first = one.hear(Take(7, TWO, "192.0.2.1"))
    assert isinstance(first, Taken) and first.number == 7
    assert isinstance(two.hear(Take(1, TWO, "192.0.2.2")), Taken)
    assert two.hear(Take(2, (Count("x", "", 9), *TWO))) == Filled(2, 1, {"192.0.2.1": 1, "192.0.2.2": 1})
    assert one.hear(Back(first.ticket)) is None
    assert isinstance(two.hear(Take(3, TWO)), Taken)


def test_the_places_of_the_dead_return():
    """All of them, and only theirs."""
    ledger = LocalLedger()
    one, two = Lending(ledger), Lending(ledger)
    for number in range(3):
        one.hear(Take(number, (Count("imap", "", 9),)))
    two.hear(Take(1, (Count("imap", "", 9),)))
    assert one.give_all_back() == 3
    assert ledger.held("imap") == 1
    assert one.give_all_back() == 0


def test_nobody_gives_back_what_another_has():
    """A ticket of another process, or one given back before, changes nothing."""
    ledger = LocalLedger()
    one, two = Lending(ledger), Lending(ledger)
    ticket = one.hear(Take(1, TWO)).ticket
    two.hear(Back(ticket))
    assert ledger.held("imap") == 1
    one.hear(Back(ticket))
    one.hear(Back(ticket))
    assert ledger.held("imap") == 0
