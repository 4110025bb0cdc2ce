"""Threads that wait for the disk side by side: flushes that are made together share the disk's work.

Knows how to make calls at the same time; refuses to know what they flush.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread

Call = Callable[[], None]


class Flushers:
    """`size` threads besides the caller's; without any, the calls are made one after the other."""

    def __init__(self, size: int) -> None:
        self._calls: SimpleQueue[tuple[Call, SimpleQueue[None]] | None] = SimpleQueue()
        self._threads = [Thread(target=self._serve, name=f"flush-{n}", daemon=True) for n in range(size)]
        for thread in self._threads:
            thread.start()

    def make(self, calls: Sequence[Call]) -> None:
        """Return when all these calls, which raise nothing, are made. The caller makes one of them itself."""
        if not self._threads:
            for call in calls:
                call()
            return
        *others, own = calls
        made: SimpleQueue[None] = SimpleQueue()
        for call in others:
            self._calls.put((call, made))
        own()
        for _ in others:
            made.get()

    def _serve(self) -> None:
        while (work := self._calls.get()) is not None:
            call, made = work
            try:
                call()
            finally:
                made.put(None)

    def stop(self) -> None:
        """End the threads; nothing may be asked of them any more."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()
