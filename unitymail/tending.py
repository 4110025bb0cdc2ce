"""The care of mailboxes that a node takes once, however many processes it has: old mail goes, users hear when a mailbox
fills up, what is gone for good is overwritten.

Knows who does each of these and who is to hear of it; refuses to know when any is due. All of it is done by one thread
behind everything else, a little each time.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Sequence
from typing import Any

from twisted.internet.task import deferLater

from unitymail.courier.deciding import Decider
from unitymail.courier.notices import Notices
from unitymail.interfaces.journal import IJournal
from unitymail.people.user import Quota
from unitymail.policy.aging import Happened, Warned
from unitymail.policy.fullness import Crossed, limit_of
from unitymail.rooms import Rooms
from unitymail.settings.node import NodeSettings
from unitymail.store.crossings import FILE, Crossings
from unitymail.threads import Threads

TOLD_AT_ONCE = 100
"""Messages that the history hears of in one turn of the reactor."""


class Tending:
    """`once` does a little of everything; call it again and again, and not while it is at it."""

    def __init__(
        self, settings: NodeSettings, rooms: Rooms, *, threads: Threads, journal: IJournal, clock: Any
    ) -> None:
        self._rooms = rooms
        self._threads = threads
        self._journal = journal
        self._clock = clock
        self._notices = Notices(
            spool=rooms.spool, decider=Decider(rooms.book, rooms.usage, settings.node.host_name), book=rooms.book,
            journal=journal, threads=rooms.threads,
        )  # fmt: skip
        self._crossings = Crossings(
            os.path.join(settings.path(settings.paths.accounts), FILE), disk=rooms.disk, usage=rooms.usage,
            quota=self._quota, now=clock.seconds,
        )  # fmt: skip

    async def once(self) -> None:
        """What fails is noted, and does not keep the rest waiting."""
        for work, what in (
            (self._age(), "letting old mail go"),
            (self._look_who_is_full(), "looking how full the mailboxes are"),
            (self._shred(), "overwriting what is gone for good"),
        ):
            await self._tried(work, what)

    async def _tried(self, work: Awaitable[None], what: str) -> None:
        try:
            await work
        except Exception as error:
            self._journal.trouble(what, error)

    async def _age(self) -> None:
        news: Sequence[Happened | Warned] = await self._threads.run(self._rooms.store.age)
        for one in news:
            if isinstance(one, Warned):
                await self._tried(self._warn(one), f"telling {one.account} that mail is about to age")
            else:
                await self._tell(one)

    async def _tell(self, happened: Happened) -> None:
        """Whoever is connected hears at once."""
        account, rule = happened.account, happened.rule.value
        self._journal.aged(account, happened.folder, rule, messages=happened.messages, into=happened.into)
        for folder in filter(None, (happened.folder, happened.into)):
            self._rooms.doorbell.ring(account, folder)
        for begin in range(0, len(happened.traces), TOLD_AT_ONCE):
            if begin:
                await deferLater(self._clock, 0)
            for trace in happened.traces[begin : begin + TOLD_AT_ONCE]:
                self._journal.aged_out(trace, account, rule)

    async def _warn(self, warned: Warned) -> None:
        await self._notices.tell_of_age(warned)
        await self._threads.run(self._rooms.store.alerted, warned.account, warned.at)

    async def _look_who_is_full(self) -> None:
        crossed: Sequence[Crossed] = await self._threads.run(self._crossings.review)
        for one in crossed:
            await self._tried(self._tell_who_is_full(one), f"telling {one.account} that the mailbox fills up")

    async def _tell_who_is_full(self, crossed: Crossed) -> None:
        sent = False
        try:
            self._journal.quota_reached(
                crossed.account, crossed.level.name.lower(), octets=crossed.octets,
                limit=limit_of(crossed.level, crossed.quota),
            )  # fmt: skip
            await self._notices.tell_of_fullness(crossed)
            sent = True
        finally:
            await self._threads.run(self._crossings.done, crossed, sent=sent)

    def _quota(self, account: str) -> Quota | None:
        user = self._rooms.book.user(account)
        return None if user is None or user.home else user.quota

    async def _shred(self) -> None:
        await self._threads.run(self._rooms.store.shred)
