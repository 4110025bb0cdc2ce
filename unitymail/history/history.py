"""The history of messages: takes events as they happen, writes them a moment later, forgets them after some days.

Knows when to write and what to do when that fails; refuses to know SQL (`history.file`) and what events mean.

Note *Never in the way*. `note` costs a list entry. Everything else happens in one thread of its own. When the disk is
full or slow, what is noted waits in memory up to a bound, and beyond it is counted and dropped; the journal says so
once a minute. No message waits for its history, and none fails because of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from unitymail.history.file import HistoryFile
from unitymail.history.pending import MOST, Batch, Pending
from unitymail.history.schema import DAY_S
from unitymail.history.stories import Stories
from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.history import IHistory, Story
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.threads import IThreads

WRITE_EVERY_S = 0.5
AGAIN_S = 5.0
COMPLAIN_EVERY_S = 60.0
PRUNE_EVERY_S = 600.0


@implementer(IHistory)
class History:
    """`days` says for how long stories are kept. `threads` is a pool of one thread, for the history alone.

    Call `start` once, `stop` at the end, after everything that notes. Of several processes one `prunes`.
    """

    def __init__(
        self, path: str, *, disk: IDisk, clock: Any, threads: IThreads, days: Callable[[], int], journal: IJournal,
        most: int = MOST, prunes: bool = True,
    ) -> None:
        self._file = HistoryFile(path, disk)
        self._stories = Stories(path)
        self._clock = clock
        self._threads = threads
        self._days = days
        self._journal = journal
        self._pending = Pending(most)
        self._prunes = prunes
        self._next: Any = None
        self._pruning: Any = None
        self._busy = False
        self._last_write: Deferred[None] = succeed(None)
        self._stopping = False
        self._complained_at = float("-inf")

    def start(self) -> None:
        """Begin to forget what is old; writing begins with the first event."""
        if self._prunes:
            self._pruning = self._clock.callLater(WRITE_EVERY_S, self._prune)

    # noting

    def note(self, trace: str, event: str, facts: dict[str, Any]) -> None:
        self._pending.add(trace, self._clock.seconds(), event, facts)
        if self._next is None and not self._busy and not self._stopping:
            self._next = self._clock.callLater(WRITE_EVERY_S, self._write)

    def _write(self) -> None:
        self._next = None
        batch = self._pending.take()
        if batch:
            self._last_write = self._try_to_write(batch)

    def _try_to_write(self, batch: Batch) -> Deferred[None]:
        self._busy = True
        written: Any = self._threads.run(self._unless_damaged, self._file.write, batch)
        return written.addCallbacks(self._written, self._not_written, callbackArgs=(batch,), errbackArgs=(batch,))

    def _unless_damaged(self, work: Callable[[Any], Any], about: Any) -> tuple[Any, str]:
        """In the thread: (what the work gave, where a damaged file went); "" when nothing was wrong with it."""
        try:
            return work(about), ""
        except sqlite3.Error as error:
            aside = self._file.set_aside(error)
            if not aside:
                raise
            return work(about), aside

    def _begun_anew(self, aside: str) -> None:
        """Said each time: it is rare, and tells the operator where the old stories are."""
        if aside:
            self._journal.trouble(f"the history was damaged; it is now {aside}, and a new one begins")

    def _written(self, done: tuple[Any, str], batch: Batch) -> None:
        self._pending.written(batch)
        self._begun_anew(done[1])
        if dropped := self._pending.take_dropped():
            self._journal.trouble(f"{dropped} events of messages are missing in the history: they came too fast for it")
        self._go_on(WRITE_EVERY_S)

    def _not_written(self, failure: Any, batch: Batch) -> None:
        if isinstance(failure.value, OSError | sqlite3.OperationalError):
            self._pending.put_back(batch)
        else:
            # What cannot be told once never can: better a gap than a history that stands still.
            self._pending.written(batch)
        self._complain("writing the history of messages; mail goes on without", failure.value)
        self._go_on(AGAIN_S)

    def _go_on(self, seconds: float) -> None:
        self._busy = False
        if len(self._pending) and not self._stopping:
            self._next = self._clock.callLater(seconds, self._write)

    def _complain(self, what: str, error: BaseException | None) -> None:
        now = self._clock.seconds()
        if now - self._complained_at >= COMPLAIN_EVERY_S:
            self._complained_at = now
            self._journal.trouble(what, error)

    # forgetting

    def _prune(self) -> None:
        self._pruning = None
        before = self._clock.seconds() - self._days() * DAY_S
        pruned: Any = self._threads.run(self._unless_damaged, self._file.prune, before)
        pruned.addCallbacks(self._pruned, self._not_pruned)

    def _pruned(self, done: tuple[bool, str]) -> None:
        more, aside = done
        self._begun_anew(aside)
        if not self._stopping:
            self._pruning = self._clock.callLater(WRITE_EVERY_S if more else PRUNE_EVERY_S, self._prune)

    def _not_pruned(self, failure: Any) -> None:
        self._complain("forgetting old history of messages", failure.value)
        self._pruned((False, ""))

    # telling

    def story(self, trace: str) -> Story | None:
        return self._stories.story(trace)

    def find(
        self, *, message_id: str = "", sender: str | Sequence[str] = "", recipient: str | Sequence[str] = "",
        since: float = 0.0, most: int = 100,
    ) -> list[Story]:
        return self._stories.find(
            message_id=message_id, sender=sender, recipient=recipient, since=since, most=most
        )

    # ending

    def stop(self) -> Deferred[None]:
        """Write what waits, once; fires when the file is closed. What cannot be written is lost, and said."""
        self._stopping = True
        for call in (self._next, self._pruning):
            if call is not None and call.active():
                call.cancel()
        self._next = self._pruning = None
        return self._last_write.addCallback(self._write_the_rest).addCallback(self._close)

    def _write_the_rest(self, _: Any) -> Deferred[None] | None:
        batch = self._pending.take()
        return self._try_to_write(batch) if batch else None

    def _close(self, _: Any) -> Deferred[None]:
        closed: Deferred[None] = self._threads.run(self._file.close)  # type: ignore[assignment]
        return closed
