"""The ledger's counter for one other process: takes places in its name, and gets all of them back when it dies.

Refuses to know what the places are for, and how the process speaks.
"""

from __future__ import annotations

from unitymail.interfaces.ledger import Ticket
from unitymail.ledger.local import LocalLedger
from unitymail.ledger.words import Back, Filled, Take, Taken, Word


class Lending:
    """One a process. Reactor thread only."""

    def __init__(self, ledger: LocalLedger) -> None:
        self._ledger = ledger
        self._lent: set[int] = set()

    def hear(self, word: Word) -> Word | None:
        """The answer; None where there is none. A ticket that this process does not have stays with whoever has it."""
        match word:
            case Take(number, counts, note):
                answer = self._ledger.take_now(counts, note)
                if not isinstance(answer, Ticket):
                    return Filled(number, counts.index(answer.count), answer.notes)
                self._lent.add(answer.number)
                return Taken(number, answer.number)
            case Back(ticket) if ticket in self._lent:
                self._lent.remove(ticket)
                self._ledger.give_back(Ticket(ticket))
        return None

    def give_all_back(self) -> int:
        """The process is no more; how many places it had."""
        lent, self._lent = self._lent, set()
        for ticket in lent:
            self._ledger.give_back(Ticket(ticket))
        return len(lent)
