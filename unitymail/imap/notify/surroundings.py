"""The mailboxes of an account, looked at for all its sessions in this process: at a ring, and every few seconds.

Knows rings and sights; refuses to know what each session makes of the news. Without a ring, `PORTION` folders are
looked at each time, one portion after the other, so that an account with very many costs no more than others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from unitymail.imap.notify.state import MOST_FOLDERS, NOTHING, News, Sight, look
from unitymail.imap.notify.wish import Wish
from unitymail.interfaces.doorbell import IDoorbell
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.store import FolderInfo, FolderStatus, IAccount
from unitymail.interfaces.threads import IThreads

CHECK_S = 5.0
SLICE_S = 0.002
"""What is sent to those who are told is written out in the same turn of the reactor, which takes as long again."""
PORTION = 100


class Listener(Protocol):
    """A session that wants to hear: `wish` says of what."""

    wish: Wish

    def heard(self, told: News) -> None:
        """Something happened; called in the reactor, briefly."""


class Surroundings:
    """Of all accounts; the process has one."""

    def __init__(self, *, clock: Any, threads: IThreads, doorbell: IDoorbell, journal: IJournal) -> None:
        self.clock = clock
        self.threads = threads
        self.doorbell = doorbell
        self.journal = journal
        self._accounts: dict[str, _Account] = {}

    async def join(self, account: IAccount, listener: Listener) -> Mapping[FolderInfo, FolderStatus] | None:
        """Tell the listener from now on; how what it watches is right now, or None when that is too much."""
        around = self._accounts.get(account.id)
        if around is None:
            around = self._accounts[account.id] = _Account(self, account)
        try:
            return await around.join(listener)
        except BaseException:
            self.leave(account, listener)
            raise

    def leave(self, account: IAccount, listener: Listener) -> None:
        around = self._accounts.get(account.id)
        if around is not None and around.leave(listener):
            del self._accounts[account.id]

    def __len__(self) -> int:
        return len(self._accounts)


class _Account:
    """One account: `_sight` is the newest, `_known` the newest numbers of each watched folder."""

    def __init__(self, all_of_them: Surroundings, account: IAccount) -> None:
        self._all = all_of_them
        self._account = account
        self._listeners: dict[Listener, bool] = {}
        self._joining: list[Deferred[None]] = []
        self._sight: Sight = NOTHING
        self._known: dict[str, FolderStatus] = {}
        self._rung: set[str] = set()
        self._next = 0
        self._looking = False
        self._ended = False
        self._deaf = all_of_them.doorbell.listen(account.id, self._heard)
        self._timer = all_of_them.clock.callLater(CHECK_S, self._check)

    async def join(self, listener: Listener) -> Mapping[FolderInfo, FolderStatus] | None:
        self._listeners[listener] = False
        seen: Deferred[None] = Deferred()
        self._joining.append(seen)
        self._look()
        await seen
        watched = await self._all.threads.run(_watched_by, listener.wish, self._sight)
        if len(watched) > MOST_FOLDERS:
            return None
        if listener in self._listeners:
            self._listeners[listener] = True
        return {info: self._known[info.mailboxid] for info in watched if info.mailboxid in self._known}

    def leave(self, listener: Listener) -> bool:
        """Whether nobody is left."""
        self._listeners.pop(listener, None)
        if self._listeners or self._joining or self._ended:
            return False
        self._ended = True
        self._deaf()
        if self._timer.active():
            self._timer.cancel()
        return True

    # Looking

    def _heard(self, folder: str) -> None:
        self._rung.add(folder)
        self._look()

    def _check(self) -> None:
        """Nobody has rung for a while."""
        ids = list(self._known)
        begin = self._next if self._next < len(ids) else 0
        self._next = begin + PORTION
        portion = set(ids[begin : self._next])
        self._rung.update(info.name for info in self._sight.infos.values() if info.mailboxid in portion)
        # Names and annotations are looked at even if there is no folder to look at.
        self._rung.add("")
        self._look()

    def _look(self) -> None:
        if not self._looking and not self._ended:
            self._looking = True
            self._all.journal.guard(self._look_while_rung(), "watching an account")

    async def _look_while_rung(self) -> None:
        try:
            while (self._rung or self._joining) and not self._ended:
                await self._look_once()
        finally:
            self._looking = False
            if self._timer.active():
                self._timer.cancel()
            if not self._ended:
                self._timer = self._all.clock.callLater(CHECK_S, self._check)

    async def _look_once(self) -> None:
        rung, self._rung = self._rung, set()
        joining, self._joining = self._joining, []
        wanted = self._wanted(None if joining else rung)
        try:
            seen, told = await self._all.threads.run(look, self._account, wanted, self._sight, self._known)
        except Exception:
            for one in joining:
                one.errback()
            if joining:
                return
            raise
        self._sight = seen
        self._known.update(seen.statuses)
        if told.named:
            there = {info.mailboxid for info in seen.infos.values()}
            self._known = {id: status for id, status in self._known.items() if id in there}
        if told:
            self._tell([listener for listener, listens in self._listeners.items() if listens], told)
        for one in joining:
            one.callback(None)

    def _wanted(self, names: set[str] | None) -> Callable[[FolderInfo], bool]:
        """Whose messages to look at; asked in a thread, while nobody here changes what it reads."""
        known, wishes = self._known, [listener.wish for listener in self._listeners]

        def wanted(info: FolderInfo) -> bool:
            asked = names is None or info.name in names or info.mailboxid not in known
            return asked and any(wish.watches(info) for wish in wishes)

        return wanted

    def _tell(self, listeners: list[Listener], told: News) -> None:
        clock = self._all.clock
        began = clock.seconds()
        while listeners:
            listener = listeners.pop()
            if self._listeners.get(listener):
                listener.heard(told)
            if clock.seconds() - began > SLICE_S:
                clock.callLater(0, self._tell, listeners, told)
                return


def _watched_by(wish: Wish, seen: Sight) -> list[FolderInfo]:
    return [info for info in seen.infos.values() if wish.watches(info)]
