"""The other processes of this node, as connections to their doorbells, opened when there is something to tell.

Knows who came and went; refuses to know what is told. What a neighbour does not take in time is dropped for it.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import ClientFactory, Protocol

from unitymail.doorbell import sockets
from unitymail.doorbell.ears import Ears

MOST_UNSENT = 1_048_576
"""Octets held for one neighbour that does not read."""
COARSE_S = 2.0
"""Directory time stamps are coarse: one younger than this when we looked does not prove that nothing came since."""


class Neighbours:
    def __init__(self, run: str, reactor: Any) -> None:
        self._run = run
        self._reactor = reactor
        self._known: dict[int, _Line] = {}
        self._seen_at: tuple[int, bool] | None = None

    def tell(self, words: Callable[[Ears], bytes], but: int = 0) -> None:
        """Give every other process that has a bell, but one, what `words` makes of who listens there."""
        self._look()
        for pid, line in self._known.items():
            if pid != but and (data := words(line.ears)):
                line.say(data)

    def tell_one(self, pid: int, data: bytes) -> None:
        """Give the octets to this process, if it has a bell."""
        self._look()
        if (line := self._known.get(pid)) is not None:
            line.say(data)

    def close(self) -> None:
        for line in list(self._known.values()):
            line.close()
        self._known.clear()

    def gone(self, pid: int, line: _Line) -> None:
        line.ears.close()
        if self._known.get(pid) is line:
            del self._known[pid]
        self._seen_at = None
        if not sockets.alive(pid):
            sockets.remove_dead(self._run)

    def _look(self) -> None:
        """List the directory again if it changed, or may have."""
        try:
            found = os.stat(self._run)
        except FileNotFoundError:
            return
        settled = time.time() - found.st_mtime > COARSE_S
        if not stat.S_ISDIR(found.st_mode) or self._seen_at == (found.st_mtime_ns, True):
            return
        self._seen_at = (found.st_mtime_ns, settled)
        for pid, path in sockets.bells(self._run).items():
            if pid != os.getpid() and pid not in self._known:
                self._connect(pid, path)

    def _connect(self, pid: int, path: str) -> None:
        line = _Line(self, pid, Ears(os.path.join(self._run, sockets.ears_of(pid))))
        self._known[pid] = line
        with sockets.reachable(path) as short:
            self._reactor.connectUNIX(short, line, timeout=2)


class _Line(ClientFactory):
    """The connection to one neighbour, with what it has yet to be told."""

    noisy = False

    def __init__(self, neighbours: Neighbours, pid: int, ears: Ears) -> None:
        self.ears = ears
        self._neighbours = neighbours
        self._pid = pid
        self._waiting = b""
        self._speaker: _Speaker | None = None

    def say(self, data: bytes) -> None:
        if self._speaker is not None:
            self._speaker.say(data)
        elif len(self._waiting) < MOST_UNSENT:
            self._waiting += data

    def close(self) -> None:
        if self._speaker is not None and self._speaker.transport is not None:
            self._speaker.transport.abortConnection()  # type: ignore[attr-defined]

    def buildProtocol(self, addr: Any) -> Protocol:
        return _Speaker(self)

    def opened(self, speaker: _Speaker) -> None:
        self._speaker = speaker
        speaker.say(self._waiting)
        self._waiting = b""

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self._neighbours.gone(self._pid, self)

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        self._neighbours.gone(self._pid, self)


class _Speaker(Protocol):
    """Stops writing to a neighbour whose buffer is full, until it reads again."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self._full = False

    def connectionMade(self) -> None:
        self.transport.registerProducer(self, True)  # type: ignore[union-attr]
        self._line.opened(self)

    def say(self, data: bytes) -> None:
        if not self._full and data:
            self.transport.write(data)  # type: ignore[union-attr]

    def pauseProducing(self) -> None:
        self._full = True

    def resumeProducing(self) -> None:
        self._full = False

    def stopProducing(self) -> None:
        self._full = True
