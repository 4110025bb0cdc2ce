"""A text that takes a while to make: made for all who ask at once, shown again for a moment. Knows not what it says."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.python.failure import Failure


class Kept:
    """What `make` gives, no older than `seconds`. Whoever asks while one is being made gets that one."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, bytes]], *, seconds: float, clock: Any) -> None:
        self._make = make
        self._seconds = seconds
        self._clock = clock
        self._text: tuple[float, bytes] | None = None
        self._waiting: list[Deferred[bytes]] = []

    def get(self) -> Deferred[bytes]:
        if self._text is not None and 0 <= self._clock.seconds() - self._text[0] < self._seconds:
            return succeed(self._text[1])
        waiting: Deferred[bytes] = Deferred()
        self._waiting.append(waiting)
        if len(self._waiting) == 1:
            ensureDeferred(self._make()).addCallbacks(self._made, self._failed)
        return waiting

    def _made(self, text: bytes) -> None:
        self._text = self._clock.seconds(), text
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(text)

    def _failed(self, failure: Failure) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.errback(failure)
