"""Where the lines of the journal go, and how they get there whole. Refuses to know what stands in them."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from select import PIPE_BUF
from typing import Any

from twisted.logger import Logger
from twisted.python import log as twisted_log


class Lines:
    """Where lines go: a file or standard output, written once per reactor turn. `-` under a daemon is twistd's log.

    Several processes may write to the same place: a file takes whole what is written at once, a pipe only so much.
    """

    def __init__(
        self, path: str, later: Callable[..., Any], otherwise: Callable[[str], object] = twisted_log.msg
    ) -> None:
        self._path = path
        self._later = later
        self._otherwise = otherwise
        self._waiting: list[str] = []
        self._fd = self._open()

    def _open(self) -> int | None:
        if self._path != "-":
            return os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o640)
        out = sys.__stdout__.fileno() if sys.__stdout__ else 1
        null = os.stat(os.devnull)
        here = os.fstat(out)
        return None if stat.S_ISCHR(here.st_mode) and here.st_rdev == null.st_rdev else out

    def add(self, line: str) -> None:
        if not self._waiting:
            self._later(0, self.flush)
        self._waiting.append(line)

    def flush(self) -> None:
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        if self._fd is None:
            for line in lines:
                self._otherwise(line.rstrip("\n"))
            return
        try:
            for part in self._parts(lines):
                os.write(self._fd, part)
        except OSError as error:
            Logger().warn("the journal cannot be written: {error}", error=error)

    def _parts(self, lines: list[str]) -> Iterator[bytes]:
        """What is written at once: whole lines, for a pipe no more of them than it takes without mixing them up."""
        octets = [line.encode("utf-8", "backslashreplace") for line in lines]
        most = PIPE_BUF if self._path == "-" else sys.maxsize
        part: list[bytes] = []
        length = 0
        for line in octets:
            if part and length + len(line) > most:
                yield b"".join(part)
                part, length = [], 0
            part.append(line)
            length += len(line)
        yield b"".join(part)

    def reopen(self) -> None:
        """After the file was moved away by a log rotation."""
        self.flush()
        if self._path != "-" and self._fd is not None:
            before, self._fd = self._fd, self._open()
            if before is not None:
                os.close(before)

    def close(self) -> None:
        self.flush()
        if self._path != "-" and self._fd is not None:
            os.close(self._fd)
            self._fd = None
