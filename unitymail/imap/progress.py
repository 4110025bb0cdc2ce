"""How far a long command has got (RFC 9585): when it is time to say so, and the words.

Refuses to know what is counted, and the connection. The first word comes after ten seconds, then every ten: what
takes less is not talked about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EVERY_S = 10.0


class Progress:
    """Of one command after the other: `begin` with each."""

    __slots__ = ("_due", "tag")

    def __init__(self) -> None:
        self.tag = b""
        self._due = 0.0

    def begin(self, tag: bytes, now: float) -> None:
        """A command with this tag begins."""
        self.tag = tag
        self._due = now + EVERY_S

    def due(self, now: float) -> bool:
        """Whether the client should hear something; then not again for a while."""
        if now < self._due:
            return False
        self._due = now + EVERY_S
        return True


class Still:
    """Calls `say` every ten seconds until it is stopped, while something goes on that cannot be counted."""

    __slots__ = ("_clock", "_say", "_timer")

    def __init__(self, clock: Any, say: Callable[[], None]) -> None:
        self._clock = clock
        self._say = say
        self._timer = clock.callLater(EVERY_S, self._tick)

    def _tick(self) -> None:
        self._timer = self._clock.callLater(EVERY_S, self._tick)
        self._say()

    def stop(self) -> None:
        self._timer.cancel()


def octets_of(tag: bytes, done: int | None, goal: int | None) -> bytes:
    """The untagged OK. None: not known. What has reached its goal would be over: the last step is never shown as done.

    A tag that holds `]` would end the response code too early; then it is NIL, as the RFC wants.
    """
    if goal is not None and goal < 1:
        goal = None
    if done is not None and goal is not None:
        done = min(done, goal - 1)
    named = b"NIL" if b"]" in tag or not tag else b'"%b"' % tag
    code = b"INPROGRESS (%b %b %b)" % (named, _number(done), _number(goal if done is not None else None))
    return b"* OK [%b] %b\r\n" % (code, _words(done, goal))


def _number(number: int | None) -> bytes:
    return b"NIL" if number is None else b"%d" % number


def _words(done: int | None, goal: int | None) -> bytes:
    if done is None:
        return b"Still working on it"
    return b"%d done so far" % done if goal is None else b"%d of %d done" % (done, goal)
