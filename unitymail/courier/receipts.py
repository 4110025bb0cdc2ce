"""What clients have read, told on: the journal hears of it, and senders get the receipts that they asked for.

Knows that the store owes and how a receipt gets on its way; refuses to know how one looks (`mail.disposition`) and when
one is owed (`store`).

Note *At most once*. A receipt's trace is made of the message's and the account's, and is its XID in the spool as well:
made twice, after a crash between the commit and the store's bookkeeping, it goes out once. What is owed and could not
be sent is tried again, and found again when the account is opened after a crash. Clients of two processes may read a
message at the same time: one process sends, the other looks a while later whether it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater

from unitymail.courier.deciding import Decider
from unitymail.courier.vpim_people import address_at
from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import BeingReceived, ISpool
from unitymail.interfaces.store import IAccount, IStore, Noticed, Owed
from unitymail.interfaces.threads import IThreads
from unitymail.mail.address import split
from unitymail.mail.disposition import Reader, asked_of, build_disposition
from unitymail.mail.envelope import NULL_SENDER, Envelope, Recipient
from unitymail.mail.trace import head_block
from unitymail.people.user import User
from unitymail.routing.decision import Decision
from unitymail.routing.steps import BadMail, Report

TOLD_AT_ONCE = 100
"""Readings that the journal hears of in one turn of the reactor."""
MOST_AT_ONCE = 100
AGAIN_AFTER_S = 60.0
GIVE_UP_AFTER_S = 7 * 86_400.0
"""A receipt that could not be sent for so long tells nobody anything any more."""
NEVER = frozenset({"NEVER"})


class _Written(NamedTuple):
    envelope: Envelope
    octets: bytes
    decision: Decision


class Receipts:
    """Give `noticed` to `IStore.listen`. `in_reactor` is `reactor.callFromThread`. One account's news at a time."""

    def __init__(
        self, *, store: IStore, spool: ISpool, decider: Decider, book: IBook, journal: IJournal, threads: IThreads,
        clock: Any, in_reactor: Callable[..., Any],
    ) -> None:
        self._store = store
        self._spool = spool
        self._decider = decider
        self._book = book
        self._journal = journal
        self._threads = threads
        self._clock = clock
        self._in_reactor = in_reactor
        self._waiting: dict[str, list[Noticed]] = {}
        self._alarms: dict[str, Any] = {}
        self._idle: list[Deferred[None]] = []
        self._going = True

    def noticed(self, news: Noticed) -> None:
        """In any thread; returns at once."""
        self._in_reactor(self._take, news)

    def stop(self) -> Deferred[None]:
        """Begin nothing more; fires when what is in hand is done. What is owed waits for the next start."""
        self._going = False
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()
        if not self._waiting:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._idle.append(waiter)
        return waiter

    def _take(self, news: Noticed) -> None:
        if not self._going:
            return
        if (waiting := self._waiting.get(news.account)) is not None:
            waiting.append(news)
            return
        self._waiting[news.account] = [news]
        self._journal.guard(self._work(news.account), f"what clients of {news.account} have read")

    async def _work(self, account: str) -> None:
        try:
            while self._going and (news := self._waiting[account]):
                self._waiting[account] = []
                seen = [number for one in news for number in one.seen]
                if seen:
                    await self._tell(account, seen)
                if any(one.owed for one in news):
                    await self._pay(account)
        finally:
            del self._waiting[account]
            self._tell_idle()

    def _tell_idle(self) -> None:
        if not self._waiting:
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                waiter.callback(None)

    async def _tell(self, account: str, seen: list[int]) -> None:
        traces: list[str] = await self._threads.run(self._traces_of, account, seen)
        for start in range(0, len(traces), TOLD_AT_ONCE):
            if start:
                await deferLater(self._clock, 0)
            for trace in traces[start : start + TOLD_AT_ONCE]:
                self._journal.read(trace, account)

    def _traces_of(self, account: str, seen: list[int]) -> list[str]:
        return list(self._account(account).traces_of(seen))

    def _account(self, account: str) -> Any:
        found: IAccount = self._store.account(account)
        return found

    async def _pay(self, account: str) -> None:
        """Send all that is owed; what fails waits a minute and does not keep the others waiting."""
        more = True
        while more and self._going:
            debts: list[Owed] = await self._threads.run(self._owed, account)
            paid = [await self._is_paid(account, debt) for debt in debts]
            more = all(paid) and len(debts) == MOST_AT_ONCE
            if not all(paid):
                self._try_again(account)

    async def _is_paid(self, account: str, debt: Owed) -> bool:
        try:
            sent = await self._send(account, debt)
            if await self._threads.run(self._pay_off, account, debt.number) and sent is not None:
                self._journal.receipt_sent(debt.trace, *sent)
        except Exception as error:
            if not isinstance(error, BeingReceived):
                self._journal.trouble(f"sending the receipt for {debt.trace} of {account}", error)
            return self._clock.seconds() - debt.at > GIVE_UP_AFTER_S and await self._is_forgiven(account, debt)
        return True

    async def _is_forgiven(self, account: str, debt: Owed) -> bool:
        try:
            await self._threads.run(self._pay_off, account, debt.number)
        except Exception as error:
            self._journal.trouble(f"forgetting the receipt for {debt.trace} of {account}", error)
            return False
        return True

    def _owed(self, account: str) -> list[Owed]:
        return list(self._account(account).owed(MOST_AT_ONCE))

    def _pay_off(self, account: str, number: int) -> bool:
        """Whether it was owed still: of several processes that sent it, one is told so."""
        owed: bool = self._account(account).paid(number)
        return owed

    def _try_again(self, account: str) -> None:
        if self._going and account not in self._alarms:
            self._alarms[account] = self._clock.callLater(AGAIN_AFTER_S, self._retry, account)

    def _retry(self, account: str) -> None:
        del self._alarms[account]
        self._take(Noticed(account, (), True))

    async def _send(self, account: str, debt: Owed) -> tuple[str, str] | None:
        """The receipt's trace and who gets it; None when nobody does."""
        user, trace = self._book.user(account), trace_of(debt.trace, account)
        written: _Written | None = None if user is None else await self._threads.run(self._write, debt, user, trace)
        if written is None:
            return None
        envelope, octets, decision = written
        self._journal.decided(trace, decision)
        if not decision.steps:
            return None
        head = head_block(
            trace=trace, envelope=envelope, origin=self._decider.origin, decision=decision, host=self._decider.host,
            when=debt.at, subject=None,
        )
        incoming = self._spool.receive(trace, debt.at)
        incoming.write(octets)
        await self._spool.commit(incoming, envelope, decision, head, xid=f"receipt.{trace}")
        return trace, envelope.recipients[0].address

    def _write(self, debt: Owed, user: User, trace: str) -> _Written | None:
        """In a thread: a header is as long as its sender likes."""
        asked = asked_of(debt.header)
        if asked is None:
            return None
        reader = Reader(user.display_name, self._known_as(user, asked.to))
        envelope = Envelope(
            NULL_SENDER, (Recipient(asked.to, NEVER),), body="8bitmime",
            smtputf8=not (asked.to.isascii() and reader.address.isascii()),
        )
        octets = build_disposition(asked, debt.kind, reader, host=self._decider.host, trace=trace, when=debt.at)
        return _Written(envelope, octets, only_onwards(self._decider.decide(octets, envelope)))

    def _known_as(self, user: User, to: str) -> str:
        """A VPIM peer knows the user by our prefix and the extension (RFC 3801 4.1), everybody else by the address."""
        local, domain = split(to)
        location = self._book.vpim_location_of(domain, local)
        return user.address if location is None else address_at(location, user, self._book)


def trace_of(message: str, account: str) -> str:
    """The receipt's own trace, derived from the message's."""
    return f"{message}-m{sha256(account.encode('utf-8')).hexdigest()[:10]}"


def only_onwards(decision: Decision) -> Decision:
    """A receipt that cannot get to who asked for it is dropped: nobody reports on it or keeps it."""
    steps = tuple(step for step in decision.steps if not isinstance(step, Report | BadMail))
    return replace(decision, steps=() if decision.refusal is not None else steps, refusal=None)
