"""The queue as the courier sees it: the index in memory, the files of items, and what this process has in hand.

Knows that other processes put items into the same directory, and that administrators change them; refuses to know what
performing a step means.

Note *Handed over*. A process that receives tells of each item that it has made (`handed`); what is not told in time is
found in the folder.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from unitymail.interfaces.doorbell import NewItem
from unitymail.interfaces.errors import Never
from unitymail.interfaces.spool import IQueue, Item
from unitymail.interfaces.threads import IThreads
from unitymail.routing.hops import waits_for
from unitymail.spool.answers import Answers
from unitymail.spool.claims import Claims
from unitymail.spool.form import Unreadable
from unitymail.spool.in_hand import InHand
from unitymail.spool.index import LOW, URGENT, Index, level_of
from unitymail.spool.intake import owner_of
from unitymail.spool.items import NEVER, Items, level_of_mode, wakes_at
from unitymail.spool.journal_file import has_remains
from unitymail.spool.nudges import Nudge, Nudges
from unitymail.spool.places import Places, is_trace
from unitymail.spool.reading import FROM_DISK, FromMemory, Reading

STAYS_S = 1.0
UNKNOWN_S = 60.0
"""How long nobody may know when an item must be looked at whatever its hop does."""
SCAN_SHARE = 0.02
"""The share of the time that may be spent on looking through the folder."""
ASKED_AT_ONCE = 5_000
"""Items that administrators want tried of which the courier hears in one call."""
_COARSE_S = 2.0
_DISTRUST_S = 3_600.0

class Noter(Protocol):
    """Makes a new state of a claimed item durable."""

    def __call__(self, item: Item, *, finished: bool) -> Deferred[None]: ...


@implementer(IQueue)
class Queue:
    """`note` as `Committer.note`; `nudged` hears in the reactor thread what administrators did; `owner` is us."""

    def __init__(
        self, *, places: Places, items: Items, in_hand: InHand, threads: IThreads, now: Callable[[], float],
        note: Noter, answers: Answers, nudges: Nudges, nudged: Callable[[Nudge], None], owner: str,
    ) -> None:
        self._places = places
        self._items = items
        self._in_hand = in_hand
        self._threads = threads
        self._now = now
        self._note = note
        self._nudges = nudges
        self._nudged = nudged
        self._owner = owner
        self._index = Index()
        self._claims = Claims(threads, self._claim, answers)
        self._at_hand = FromMemory()
        self._fresh: set[str] = set()
        self._others: set[str] = set()
        self._found: set[str] = set()
        self._gone: set[str] = set()
        self._untold: deque[Nudge] = deque()
        self._wake: Callable[[], None] = lambda: None
        self._asked: Callable[[Iterable[str]], None] = lambda traces: None
        self._looked = threading.Lock()
        self._seen = 0.0
        self._scan_after = 0.0

    # in memory

    def due(self, now: float, closed: Container[str] = ()) -> str | None:
        asked = 0
        while self._untold:
            if asked >= ASKED_AT_ONCE:
                return None
            nudge = self._untold.popleft()
            asked += len(nudge.traces)
            self._nudged(nudge)
            if nudge.asks_for_a_try():
                self._asked(nudge.traces)
        return self._index.due(now, closed)

    def next_time(self, closed: Container[str] = ()) -> float | None:
        return self._now() if self._untold else self._index.next_time(closed)

    def hop_of(self, trace: str) -> str:
        return self._index.hop_of(trace)

    def listen(self, wake: Callable[[], None], asked: Callable[[Iterable[str]], None] = lambda traces: None) -> None:
        self._wake, self._asked = wake, asked
        self._in_hand.keeps_young = True

    def added(self, item: Item) -> None:
        """An item that this process has just made. It is looked at soon even if its likely hop is closed."""
        self._fresh.add(item.trace)
        hop = waits_for(state.step for state in item.steps)
        self._index.put(item.trace, wakes_at(item), level_of(item.priority), hop, self._now() + UNKNOWN_S)
        self._wake()

    def handed(self, items: Sequence[NewItem]) -> None:
        """Items that another process has just made; those that were found in the folder before it said so as well."""
        for trace, when, level, hop in items:
            known = trace in self._index
            if is_trace(trace) and (not known or trace in self._found):
                self._fresh.add(trace)
            if is_trace(trace) and not known:
                self._index.put(trace, when, min(max(level, URGENT), LOW), hop, self._now() + UNKNOWN_S)
        self._wake()

    def wake(self) -> None:
        """There may be something new to do."""
        self._wake()

    def __contains__(self, trace: str) -> bool:
        return trace in self._index

    # claims

    def claim(self, trace: str) -> Deferred[Item | None]:
        self._index.claim(trace)
        self._found.discard(trace)
        if (item := self._in_hand.take(trace)) is not None:
            return succeed(self._as_claimed(item))
        try:
            return succeed(self._claim(trace, self._at_hand))
        except BlockingIOError:
            return self._claims.ask(trace)
        except (Never, OSError) as error:
            return fail(error)

    def _claim(self, trace: str, reading: Reading = FROM_DISK) -> Item | None:
        """The item from its file; BlockingIOError when that takes a thread."""
        try:
            item = self._in_hand.claim(trace, reading)
        except BlockingIOError:
            raise
        except FileNotFoundError:
            self._drop(trace)
            return None
        except Unreadable as error:
            raise Never(why=f"the envelope of {trace} cannot be read") from error
        except OSError:
            self._index.again(trace, self._now() + STAYS_S)
            raise
        if item is None:
            self._index.again(trace, self._now() + STAYS_S)
            return None
        if item.held:
            self._in_hand.let_go(trace)
            self._index.again(trace, NEVER)
            return None
        if self._is_of_others(item, reading):
            self._others.add(trace)
        return self._as_claimed(item)

    def _is_of_others(self, item: Item, reading: Reading) -> bool:
        """Whether another process may still bring it back. What was handed over just now may: the end will show."""
        owner = owner_of(item.intake)[1]
        if not owner or owner == self._owner or owner in self._gone:
            return False
        if item.trace in self._fresh:
            return True
        if not reading.patient:
            self._in_hand.let_go(item.trace)
            raise BlockingIOError("an item of another process")
        if not has_remains(self._places.journal, owner):
            self._gone.add(owner)
            return False
        return self._items.may_come_back(item)

    def _as_claimed(self, item: Item) -> Item:
        fresh = item.trace in self._fresh
        self._fresh.discard(item.trace)
        return item if item.fresh is fresh else replace(item, fresh=fresh)

    def record(self, item: Item) -> Deferred[None]:
        return self._noted(item, finished=False)

    def finish(self, item: Item) -> Deferred[None]:
        if item.trace in self._others:
            return Deferred.fromCoroutine(self._finish_others(item))
        return self._noted(item, finished=True).addCallback(self._left, item.trace)

    async def _finish_others(self, item: Item) -> None:
        """An item whose record another process can still bring back stays, done, until that is over."""
        stays: Any = self._threads.run(self._items.may_come_back, item)
        if not await stays:
            self._others.discard(item.trace)
            await self.finish(item)
            return
        if not self._in_hand.is_noted(item):
            await self.record(item)
        await self.release(item.trace, self._now() + STAYS_S)

    def _noted(self, item: Item, *, finished: bool) -> Deferred[None]:
        if item.trace not in self._in_hand:
            return fail(Never(why=f"{item.trace} is not claimed"))
        return self._note(item, finished=finished)

    def release(self, trace: str, next_at: float, hop: str = "", at_latest: float = 0.0) -> Deferred[None]:
        self._in_hand.let_go(trace)
        self._index.again(trace, next_at, hop, at_latest)
        return succeed(None)

    def shunt(self, trace: str, why: str) -> Deferred[None]:
        shunting: Any = self._threads.run(self._in_hand.shunt, trace, why)
        return shunting.addCallback(self._left, trace)

    def _left(self, _: None, trace: str) -> None:
        self._drop(trace)

    def _drop(self, trace: str) -> None:
        self._index.drop(trace)
        self._fresh.discard(trace)
        self._found.discard(trace)
        self._others.discard(trace)

    # on disk (any thread)

    def look(self) -> int:
        with self._looked:
            for nudge in self._nudges.take():
                self._untold.append(nudge)  # the courier hears of it before it may take up any of them
                for trace in nudge.traces:
                    self._renew(trace)
            changed, began = os.stat(self._places.items).st_mtime, self._now()
            if changed != self._seen and began >= self._scan_after:
                self._scan()
                ended = self._now()
                self._scan_after = ended + (ended - began) / SCAN_SHARE
                # A directory that changed a moment ago may change again within the same time stamp.
                self._seen = changed if changed < began - _COARSE_S else changed - _COARSE_S
        return len(self._index)

    def _renew(self, trace: str) -> None:
        """Somebody changed the item, made it, or took it away. Who has it now got it afterwards."""
        if self._index.is_claimed(trace) or trace in self._in_hand:
            return
        try:
            stat = os.stat(self._items.envelope_path(trace))
        except FileNotFoundError:
            self._drop(trace)
        else:
            self._index.put(trace, self._hint(stat), level_of_mode(stat.st_mode))

    def renew(self, traces: Iterable[str]) -> None:
        """These were looked after when their process had died."""
        with self._looked:
            for trace in traces:
                self._renew(trace)

    def _hint(self, stat: os.stat_result) -> float:
        """When to look: held items never, others within the hour, however wrong the clock was that set the hint."""
        return NEVER if stat.st_mtime == NEVER else min(stat.st_mtime, self._now() + _DISTRUST_S)

    def _scan(self) -> None:
        known, found = self._index.traces(), set[str]()
        self._index.load(self._strangers(known, found))
        for trace in known - found:
            if not self._is_ours(trace) and not os.path.exists(self._items.envelope_path(trace)):
                self._drop(trace)

    def _strangers(self, known: set[str], found: set[str]) -> Iterator[tuple[str, float, int]]:
        """The items that the index does not know; `found` gets every item that has an envelope file."""
        with os.scandir(self._places.items) as entries:
            for entry in entries:
                trace = entry.name.removesuffix(".json")
                if trace == entry.name or not is_trace(trace):
                    continue
                found.add(trace)
                if trace not in known and not self._is_ours(trace):
                    with suppress(FileNotFoundError):
                        stat = entry.stat()
                        if self._seen:  # not what a start finds
                            self._found.add(trace)
                        yield trace, self._hint(stat), level_of_mode(stat.st_mode)

    def _is_ours(self, trace: str) -> bool:
        return self._index.is_claimed(trace) or trace in self._in_hand
