"""Two ways to read a file: from wherever it is, which may take time, or only as far as the system has it in memory.

Knows which one never waits for a disk, so that the reactor thread may use it; refuses to know what the files mean.

Note *At hand*. Linux opens a file by names that it has in memory only (RESOLVE_CACHED of openat2(2)), and reads pages
that it has in memory only (RWF_NOWAIT of preadv2(2)). What was written or read a while ago usually is. A thread for it
would cost ten times as much: with each system call it gives up the interpreter, and waits to have it back.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Protocol

_OPENAT2 = 437
_AT_FDCWD = -100
_RESOLVE_CACHED = 0x20
_HOW = struct.pack("=QQQ", os.O_RDONLY | os.O_CLOEXEC, 0, _RESOLVE_CACHED)
_LIBC = ctypes.PyDLL(None, use_errno=True)  # keeps the interpreter: what never waits need not give it up
_ROOM = 64 * 1024
_syscall = _LIBC.syscall
_syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
_syscall.restype = ctypes.c_long


class Reading(Protocol):
    """`patient`: whether who reads has time for long files, too."""

    patient: bool

    def open(self, path: str) -> int:
        """A descriptor for reading. Raises OSError."""

    def read(self, fd: int, count: int, offset: int) -> bytes:
        """So many octets, or all up to the end of the file. Raises OSError."""


class FromDisk:
    """In a thread."""

    patient = True

    def open(self, path: str) -> int:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, fd: int, count: int, offset: int) -> bytes:
        return os.pread(fd, count, offset)


class FromMemory:
    """For one thread. Raises BlockingIOError for what is not at hand (or not to be had in this way)."""

    patient = False

    def __init__(self) -> None:
        self._room = bytearray(_ROOM)

    def open(self, path: str) -> int:
        fd: int = _syscall(_OPENAT2, _AT_FDCWD, os.fsencode(path), _HOW, len(_HOW))
        if fd < 0:
            raise BlockingIOError(ctypes.get_errno(), "not at hand", path)
        return fd

    def read(self, fd: int, count: int, offset: int) -> bytes:
        if count > _ROOM:
            raise BlockingIOError("too long to be read at once")
        room = memoryview(self._room)[:count]
        try:
            done = os.preadv(fd, [room], offset, os.RWF_NOWAIT)
            if done < count and offset + done < os.lseek(fd, 0, os.SEEK_END):
                raise BlockingIOError("only the beginning is at hand")
        except OSError as error:
            raise BlockingIOError(*error.args) from error
        return bytes(room[:done])


FROM_DISK = FromDisk()
