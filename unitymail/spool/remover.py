"""The node's side of the process that removes the files of finished items (`removing`).

Knows when that process is worth it, and what it had when it died; refuses to know what is done about that (`leaving`).

Note *Why a process*. Each unlink in a thread gives up the interpreter and has to win it back from the reactor thread:
three times a message, which cost more than all else that threads did, while the kernel's own work is the same.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.threads import IThreads
from unitymail.spool import removing

WORTH = 8
"""With so many items that go at once it is begun."""
AGAIN_AFTER_S = 60.0
LATE_S = 30.0
"""A process that does not answer, or does not end, for so long is killed."""


@implementer(IReadDescriptor)
class Remover:
    """Reactor thread only; `reactor` is the real one. `folder` is where the files are."""

    def __init__(self, folder: str, *, reactor: Any, threads: IThreads, journal: IJournal) -> None:
        self._folder = os.path.abspath(folder)
        self._reactor = reactor
        self._threads = threads
        self._journal = journal
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._beginning: Deferred[None] | None = None
        self._reaping: Any = succeed(None)
        self._not_before = 0.0
        self._told = self._stopping = False
        self._answer: Deferred[str] | None = None
        self._late: Any = None

    async def remove(self, locked: Mapping[str, int]) -> set[str]:
        """Remove the files of these items, each with the descriptor that holds its lock; those that are still there.

        All of them are when there is no process: one is begun for the next time. One call at a time.
        """
        if self._line is None:
            if len(locked) >= WORTH and self._reactor.seconds() >= self._not_before:
                self._begin()
            return set(locked)
        answer = self._answer = Deferred()
        self._late = self._reactor.callLater(LATE_S, self._is_late)
        try:
            socket.send_fds(self._line, ["\n".join(locked).encode()], list(locked.values()))
        except OSError as error:
            self._lose(error)
        word, *left = (await answer).split("\n")
        return set(left) if word == removing.DONE else set(locked)

    def stop(self) -> Deferred[None]:
        """End the process; fires when it has ended."""
        self._stopping = True
        waiting: Any = self._beginning
        self._end()
        return waiting if waiting is not None else self._reap()

    # the process

    def _begin(self) -> None:
        if self._beginning is None and not self._stopping:
            beginning: Any = self._threads.run(_begin_process, self._folder)
            self._beginning = beginning.addCallbacks(self._begun, self._not_begun)

    def _begun(self, begun: tuple[subprocess.Popen[bytes], socket.socket]) -> Deferred[None] | None:
        self._beginning = None
        self._process, self._line = begun
        if self._stopping:
            self._end()
            return self._reap()
        self._reactor.addReader(self)
        return None

    def _not_begun(self, failure: Any) -> None:
        self._beginning = None
        self._lose(failure.value)

    def _lose(self, error: Exception) -> None:
        """It is told once: whatever ends it may end it again and again."""
        if not self._told:
            self._journal.trouble("removing finished items in a process of its own: a thread does it meanwhile", error)
        self._told = True
        self._not_before = self._reactor.seconds() + AGAIN_AFTER_S
        if self._process is not None:
            self._process.kill()  # it may be stopped, or in the middle of names that are a thread's now
        self._end()
        self._reap()

    def _is_late(self) -> None:
        self._late = None
        self._lose(TimeoutError(f"the process did not answer for {LATE_S:.0f} s"))

    def _end(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            self._reactor.removeReader(self)
            line.close()
        self._give(removing.OVER)

    def _give(self, words: str) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.callback(words)

    def _reap(self) -> Deferred[None]:
        """Fires when it has ended, also if somebody waits for that already."""
        process, self._process = self._process, None
        if process is not None:
            self._reaping = self._threads.run(_wait_for, process)
        done: Deferred[None] = Deferred()
        self._reaping.addBoth(lambda _: done.callback(None))
        return done

    # its answers

    def fileno(self) -> int:
        return self._line.fileno() if self._line is not None else -1

    def logPrefix(self) -> str:
        return "removing finished items"

    def doRead(self) -> None:
        assert self._line is not None
        try:
            words = self._line.recv(removing.ROOM).decode()
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(error)
            return
        if words == removing.OVER:
            self._end()
            self._reap()
        elif words:
            self._give(words)
        else:
            self._lose(EOFError("the process has ended"))

    def connectionLost(self, reason: Any) -> None:
        """The reactor ends."""
        self._end()


def _begin_process(folder: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """In a thread. It has nothing of ours but its end of the socket.

    Only until it runs its own program, about a millisecond, it has copies of our descriptors: should we be killed just
    then, our locks end with that moment, too.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        ours.setblocking(False)
        try:
            program = [sys.executable, "-I", "-S", removing.__file__, folder]
            process = subprocess.Popen(
                program, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                start_new_session=True,
            )  # fmt: skip
        except BaseException:
            ours.close()
            raise
    return process, ours


def _wait_for(process: subprocess.Popen[bytes]) -> None:
    """In a thread."""
    try:
        process.wait(LATE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
