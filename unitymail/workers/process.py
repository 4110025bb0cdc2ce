"""A worker's process as its parent has it: how it is begun, what it says, and that it ended.

Knows descriptors, the environment and Python's path; refuses to know why a worker begins or is ended.

Note *What it inherits*. User, umask, limits and the folder come with the fork; of descriptors exactly those that are
listed, so no lock and no database of the parent. Python finds the same modules, whether they are installed or in a
checkout, and looks in no folder besides (-P): the parent's folder may be anybody's. The service manager's variables
stay behind: what they name is the parent's to talk to.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

import unitymail
from unitymail.workers.brief import FIRST_SOCKET, MARK
from unitymail.workers.channel import Channel
from unitymail.workers.words import Word

MODULE = "unitymail.workers.worker"
TO_WORKER, FROM_WORKER = 3, 4
PARENTS_ALONE = ("NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC")
LONGEST_TOLD = 8_192


def command() -> list[str]:
    return [sys.executable, "-P", "-m", MODULE]


def environment(of: Mapping[str, str], path: list[str]) -> dict[str, str]:
    """That of the parent, with the folders in which it finds modules."""
    home = os.path.dirname(os.path.dirname(os.path.abspath(unitymail.__file__)))
    folders = dict.fromkeys([home, *(entry for entry in path if os.path.isabs(entry))])
    kept = {name: value for name, value in of.items() if name not in PARENTS_ALONE}
    return {**kept, "PYTHONPATH": os.pathsep.join(folders)}


class WorkerProcess(ProcessProtocol):
    """`heard(word)`, `told(text)` for lines on its standard error, and at last `ended(how)`; all in the reactor thread.

    Only the process that was begun is ever sent a signal, by its id, and only until it is known to have ended.
    """

    def __init__(
        self, *, heard: Callable[[Word], None], told: Callable[[str], None], ended: Callable[[str], None], clock: Any
    ) -> None:
        self._told = told
        self._ended = ended
        self._channel = Channel(write=self._write, heard=heard, confused=self._confused, clock=clock)
        self._clock = clock
        self._errors = b""
        self.pid = 0

    def connectionMade(self) -> None:
        self.pid = self.transport.pid  # type: ignore[union-attr,assignment]

    def say(self, word: Word) -> None:
        self._channel.say(word)

    def kill(self) -> None:
        """End it at once."""
        try:
            self.transport.signalProcess("KILL")  # type: ignore[union-attr]
        except ProcessExitedAlready:
            pass

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        if childFD == FROM_WORKER:
            self._channel.receive(data)
            return
        *lines, self._errors = (self._errors + data)[-LONGEST_TOLD:].split(b"\n")
        for line in lines:
            self._told(line.decode("utf-8", "replace"))

    def processExited(self, reason: Failure) -> None:
        """The process has ended. One that it began (it removes files of the spool) may hold its outputs for longer."""
        self._channel.close()
        signal, code = getattr(reason.value, "signal", None), getattr(reason.value, "exitCode", None)
        how = f"killed by signal {signal}" if signal is not None else f"exit code {code or 0}"
        self._clock.callLater(0, self._ended, how)  # it may have ended before `spawnProcess` returned

    def processEnded(self, reason: Failure) -> None:
        if self._errors:
            self._told(self._errors.decode("utf-8", "replace"))

    def _write(self, octets: bytes) -> None:
        self.transport.writeToChild(TO_WORKER, octets)  # type: ignore[union-attr]

    def _confused(self, why: str) -> None:
        self._told(f"said something that is not understood ({why}), so it is ended")
        self.kill()


def begin(reactor: Any, process: WorkerProcess, listening: list[int], mark: int) -> None:
    """Start it with its mark and these listening sockets, in the order of `brief.numbered`. Raises OSError."""
    descriptors: dict[int, Any] = {0: "w", 1: 1, 2: "r", TO_WORKER: "w", FROM_WORKER: "r", MARK: mark}
    descriptors.update({FIRST_SOCKET + at: fd for at, fd in enumerate(listening)})
    words = command()
    reactor.spawnProcess(process, words[0], words, env=environment(os.environ, sys.path), childFDs=descriptors)
