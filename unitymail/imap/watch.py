"""Folders that somebody watches (IDLE): each is looked at once per ring, when another program has changed it (`eyes`),
and every few seconds, however many watch it.

Knows rings and folders; refuses to know sessions. Watchers are called in slices, so that a thousand of them do not hold
the reactor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unitymail.imap.notify.surroundings import Surroundings
from unitymail.interfaces.doorbell import IDoorbell
from unitymail.interfaces.eyes import IEyes
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.store import IFolder, NoSuchFolder
from unitymail.interfaces.threads import IThreads

CHECK_S = 5.0
SLICE_S = 0.002
"""What is sent to those who are told is written out in the same turn of the reactor, which takes as long again."""


class Watches:
    """All watched folders of the process; hand the same one to every door. `surroundings`: whole accounts (NOTIFY)."""

    def __init__(
        self, *, clock: Any, threads: IThreads, doorbell: IDoorbell, journal: IJournal, eyes: IEyes | None = None
    ) -> None:
        self.eyes = eyes
        self.clock = clock
        self.threads = threads
        self.doorbell = doorbell
        self.journal = journal
        self.surroundings = Surroundings(clock=clock, threads=threads, doorbell=doorbell, journal=journal)
        self._watched: dict[tuple[str, str], _Watched] = {}

    def watch(self, account: str, folder: IFolder, changed: Callable[[bool], None]) -> Callable[[], None]:
        """Call `changed(gone)` after each look at `folder` that found something new; returns what stops that.

        `gone`: the folder was deleted. What is new is `folder.snapshot`; nobody needs to look again.
        """
        key = (account, folder.id)
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = _Watched(self, account, folder)
        token = object()
        watched.watchers[token] = changed

        def stop() -> None:
            if watched.watchers.pop(token, None) is not None and not watched.watchers:
                watched.end()
                self._watched.pop(key, None)

        return stop

    def __len__(self) -> int:
        return len(self._watched)


class _Watched:
    """One folder: a ring or the passing of time makes a look; a ring during a look makes another.

    What is seen is the snapshot and the name, nothing when it is gone.
    """

    def __init__(self, watches: Watches, account: str, folder: IFolder) -> None:
        self.watchers: dict[object, Callable[[bool], None]] = {}
        self._watches = watches
        self._folder = folder
        self._seen: tuple[int, str] | None = (folder.snapshot.serial, folder.name)
        self._looking = False
        self._again = False
        self._ended = False
        self._deaf = watches.doorbell.listen(account, self._heard)
        self._blind = watches.eyes.watch(folder.places, self._look) if watches.eyes is not None else None
        self._timer = watches.clock.callLater(CHECK_S, self._look)

    def end(self) -> None:
        self._ended = True
        self._deaf()
        if self._blind is not None:
            self._blind()
        if self._timer.active():
            self._timer.cancel()

    def _heard(self, folder: str) -> None:
        if folder == self._folder.name:
            self._look()

    def _look(self) -> None:
        if self._looking:
            self._again = True
            return
        self._looking = True
        self._watches.journal.guard(self._look_now(), "watching a folder")

    async def _look_now(self) -> None:
        try:
            serial = (await self._watches.threads.run(self._folder.refresh)).serial
            seen = serial, self._folder.name
        except NoSuchFolder:
            seen = None
        finally:
            self._looking = False
            self._wind()
        if seen != self._seen:
            self._seen = seen
            self._tell(list(self.watchers), seen is None)
        if self._again and not self._ended:
            self._again = False
            self._look()

    def _wind(self) -> None:
        if self._timer.active():
            self._timer.cancel()
        if not self._ended:
            self._timer = self._watches.clock.callLater(CHECK_S, self._look)

    def _tell(self, tokens: list[object], gone: bool) -> None:
        clock = self._watches.clock
        began = clock.seconds()
        while tokens:
            changed = self.watchers.get(tokens.pop())
            if changed is not None:
                changed(gone)
            if clock.seconds() - began > SLICE_S:
                clock.callLater(0, self._tell, tokens, gone)
                return
