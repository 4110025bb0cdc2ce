"""Notices to users about their own mailboxes: it fills up, or old mail is about to go. Told once, through the spool.

Knows to whom a notice goes and how it gets on its way; refuses to know when one is due (`policy.fullness`,
`policy.aging`), what it says (`notice_words`) and how it looks (`mail.notice`).

Note *Where to*. To the user's corporate address, through the smart host; into the mailbox itself where there is neither
or the address is one of ours. A full mailbox takes it: it is about that.

Note *At most once*. Its trace, which is its XID in the spool as well, is made of what it is about and the moment when
that was found: sent twice, after a crash, it is stored once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from unitymail.courier.deciding import Decider
from unitymail.courier.notice_words import about_age, about_fullness
from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import ISpool
from unitymail.interfaces.threads import IThreads
from unitymail.mail.envelope import NULL_SENDER, Envelope, Recipient
from unitymail.mail.notice import Notice, build_notice
from unitymail.mail.trace import head_block, new_trace
from unitymail.people.user import User
from unitymail.policy.aging import Warned
from unitymail.policy.fullness import Crossed
from unitymail.routing.decision import Decision, RecipientDecision
from unitymail.routing.steps import Deliver, RelayToSmartHost, Step

NEVER = frozenset({"NEVER"})
REASON = "a notice of this node to its user"


@dataclass(frozen=True, slots=True)
class _Way:
    address: str
    step: Step


class Notices:
    def __init__(
        self, *, spool: ISpool, decider: Decider, book: IBook, journal: IJournal, threads: IThreads
    ) -> None:
        self._spool = spool
        self._decider = decider
        self._book = book
        self._journal = journal
        self._threads = threads

    async def tell_of_fullness(self, crossed: Crossed) -> None:
        """Returns once the notice is durable. Whose mailbox is not here any more is not told."""
        user = self._book.user(crossed.account)
        if user is not None and not user.home:
            said = about_fullness(crossed)
            await self._send(user, "quota", f"quota {crossed.level.name.lower()}", crossed.at, *said)

    async def tell_of_age(self, warned: Warned) -> None:
        user = self._book.user(warned.account)
        if user is not None and not user.home:
            await self._send(user, "aging", "aging", warned.at, *about_age(warned))

    async def _send(self, user: User, kind: str, about: str, at: int, subject: str, said: Sequence[str]) -> None:
        trace = new_trace(at, sha256(f"{kind} {user.id} {at}".encode()).digest())
        way = _way_to(user, self._book)
        envelope = Envelope(
            NULL_SENDER, (Recipient(way.address, NEVER),), body="8bitmime", smtputf8=not way.address.isascii()
        )
        notice = Notice(user.display_name, way.address, subject, said)
        octets = build_notice(notice, domain=self._book.domain, host=self._decider.host, trace=trace, when=at)
        decision = _on_its_way(await self._threads.run(self._decider.decide, octets, envelope), way, user)
        head = head_block(
            trace=trace, envelope=envelope, origin=self._decider.origin, decision=decision, host=self._decider.host,
            when=at, subject=None,
        )
        incoming = self._spool.receive(trace, at)
        incoming.write(octets)
        self._journal.decided(trace, decision)
        await self._spool.commit(incoming, envelope, decision, head, xid=f"notice.{trace}")
        self._journal.notified(trace, user.id, way.address, about)


def _way_to(user: User, book: IBook) -> _Way:
    corporate = user.corporate_address
    if corporate and book.site.smart_host_host and book.find(corporate) is None:
        return _Way(corporate, RelayToSmartHost(corporate))
    return _Way(user.address, Deliver(user.id, user.address))


def _on_its_way(decision: Decision, way: _Way, user: User) -> Decision:
    """There is nothing to decide: neither the quota nor the user's message actions are asked."""
    recipient = RecipientDecision(way.address, "user", user.id, (way.step,), REASON)
    return replace(decision, recipients=(recipient,), steps=(way.step,), refusal=None)
