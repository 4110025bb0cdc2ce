"""One message on its way to one hop: which recipients go in which transaction, and what became of each. Pure.

Knows limits on recipients and what a transaction's replies mean; refuses to know how a transaction is carried out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from unitymail.interfaces.relay import Outgoing
from unitymail.interfaces.spool import Outcome
from unitymail.mail.envelope import NULL_SENDER
from unitymail.mail.reply import Reply
from unitymail.mail.value import value
from unitymail.relay.fitting import misfit_address
from unitymail.relay.offers import Offers
from unitymail.relay.transaction import Transaction
from unitymail.relay.trouble import Trouble, of_reply
from unitymail.routing.next_hop import NextHop

FEWEST = 100
"""Recipients that every server must take (RFC 5321 4.5.3.1.8)."""
MOST = 1_000
"""Recipients of a transaction, whatever the server takes: their lines are made in one turn."""


def most_recipients(offers: Offers) -> int:
    """Of one transaction."""
    return min(offers.most_recipients or FEWEST, MOST)


@value
class Group:
    """Recipients, by their number, for one transaction; `sender` is the reverse-path there."""

    numbers: tuple[int, ...]
    sender: str


class Delivery:
    """What is left to do for a message, and the outcomes so far."""

    def __init__(self, outgoing: Outgoing, hop: NextHop, offers: Offers, remote_mta: str) -> None:
        self._outgoing = outgoing
        self._hop = hop
        self._remote = remote_mta
        self._offers = offers
        self._most = most_recipients(offers)
        # Whether the server makes every report that is due (RFC 3461 5.2.2, RFC 2852 4.1.4.2); a trace is ours to make.
        knows_by = outgoing.deliver_by is None or offers.deliver_by is not None
        tells = offers.dsn and knows_by and not outgoing.deliver_by_trace
        self._success: Literal["", "relayed"] = "" if tells else "relayed"
        self._outcomes: list[Outcome | None] = [None] * len(outgoing.recipients)
        self._groups: deque[Group] = deque()
        self._planned = 0

    @property
    def has_more(self) -> bool:
        """Whether somebody may have no outcome yet."""
        return bool(self._groups) or self._planned < len(self._outcomes)

    def next(self) -> Group | None:
        """The recipients of the next transaction; None when everybody has an outcome."""
        while not self._groups and self._planned < len(self._outcomes):
            self._plan()
        return self._groups.popleft() if self._groups else None

    def _plan(self) -> None:
        """Groups of the next recipients: not of all, who may be 15,000."""
        usual: list[int] = []
        silent: list[int] = []
        start, self._planned = self._planned, min(self._planned + self._most, len(self._outcomes))
        for number in range(start, self._planned):
            recipient = self._outgoing.recipients[number]
            misfit = misfit_address(recipient.address, self._offers, self._hop.name)
            if misfit is not None:
                self._outcomes[number] = misfit
            elif recipient.notify and not self._offers.dsn and "NEVER" in recipient.notify:
                silent.append(number)
            else:
                usual.append(number)
        # RFC 3461 5.2.2: a server without DSN is kept from reporting by the null reverse-path.
        for numbers, sender in ((usual, self._outgoing.sender), (silent, NULL_SENDER)):
            if numbers:
                self._groups.append(Group(tuple(numbers), sender))

    def again(self, group: Group) -> None:
        """Nothing was learnt of these: they are the next once more."""
        self._groups.appendleft(group)

    def note(self, group: Group, transaction: Transaction, trouble: Trouble | None) -> None:
        """What came of a transaction. `trouble` ended it before its last reply, and ends everything after it."""
        again = self._note_all(group, transaction, trouble)
        if trouble is not None:
            self.give_up(trouble.outcome(self._remote))
        elif again is not None:
            self._groups.appendleft(again)

    def give_up(self, outcome: Outcome) -> None:
        """The same outcome for everybody who has none yet."""
        self._groups.clear()
        self._planned = len(self._outcomes)
        self._outcomes = [outcome if each is None else each for each in self._outcomes]

    def _note_all(self, group: Group, transaction: Transaction, trouble: Trouble | None) -> Group | None:
        """Who is to be tried once more."""
        mail = transaction.mail
        if mail is not None and mail.code >= 400:
            if group.sender != self._outgoing.sender and not mail.temporary:
                # It takes no null reverse-path from us: better reported than lost.
                return replace(group, sender=self._outgoing.sender)
            self._set(group.numbers, self._meaning(mail, "the message", names_recipient=False))
            return None
        later = self._note_refused(group.numbers, transaction)
        last = transaction.end or transaction.data
        if last is not None and trouble is None:
            taken = [number for number in group.numbers if self._outcomes[number] is None and number not in later]
            self._set(taken, self._meaning(last, "the message", names_recipient=len(taken) == 1))
        return replace(group, numbers=tuple(sorted(later))) if later else None

    def _note_refused(self, numbers: Sequence[int], transaction: Transaction) -> set[int]:
        """Who was too many for one transaction."""
        later: set[int] = set()
        for number, reply in zip(numbers, transaction.recipients, strict=False):
            if reply.code < 400:
                continue
            if transaction.accepted and _too_many(reply):
                later.add(number)
            else:
                self._outcomes[number] = self._meaning(reply, "this recipient", names_recipient=True)
        return later

    def _meaning(self, reply: Reply, what: str, *, names_recipient: bool) -> Outcome:
        return of_reply(reply, self._hop, what, self._remote, self._success, names_recipient=names_recipient)

    def _set(self, numbers: Sequence[int], outcome: Outcome) -> None:
        for number in numbers:
            self._outcomes[number] = outcome

    def outcomes(self) -> tuple[Outcome, ...]:
        """In the order of the recipients, once everybody has one."""
        return tuple([each for each in self._outcomes if each is not None])


def _too_many(reply: Reply) -> bool:
    """RFC 5321 4.5.3.1.10, and the 552 of older servers that it mentions.

    A full mailbox may be said so too: alone in a transaction, which is next, that recipient has the reply as an answer.
    """
    return (reply.code in (452, 552) and not reply.enhanced) or reply.enhanced in ("4.5.3", "5.5.3")
