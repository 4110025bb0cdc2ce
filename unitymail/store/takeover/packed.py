"""Files that Dovecot compressed (its zlib plugin): how they begin, and their mail.

Knows the formats; refuses to know folders. A message begins with the name of a field, never as these do. What cannot be
unpacked here (zstd, lz4, encrypted mail) is told apart from mail, too.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable
from typing import Any

from unitymail.interfaces.disk import IDisk
from unitymail.store.keeping import copy_to, read_plain
from unitymail.store.maildir import sizes_in

Open = Callable[..., Any]
_BEGINNINGS: tuple[tuple[bytes, Open | None], ...] = (
    (b"\x1f\x8b\x08", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
    (b"\x28\xb5\x2f\xfd", None),
    (b"Dovecot-LZ4\x0d\x2a\x9b\xc5", None),
    (b"\x04\x22\x4d\x18", None),
    (b"CRYPTED\x03\x07", None),
)
_LONGEST = max(len(beginning) for beginning, _ in _BEGINNINGS)
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What reading a damaged one raises."""


def is_packed(path: bytes, base: bytes, octets: int) -> bool:
    """Whether the file is no mail as it is. A name that tells its very length is believed."""
    return sizes_in(base)[0] != octets and _format(path) is not None


def can_be_unpacked(path: bytes) -> bool:
    """Whether all of it can be read, here and now."""
    if (opened := _opener(path)) is None:
        return False
    try:
        with opened(path, "rb") as file:
            while file.read(1 << 20):
                pass
    except BROKEN:
        return False
    return True


def unpack(disk: IDisk, path: bytes, target: str) -> int:
    """A new file with its mail and its date, flushed; how many octets it has."""
    opened = _opener(path)
    assert opened is not None
    with opened(path, "rb") as file:
        copy_to(disk, file.read, target)
    disk.set_times(target, os.stat(path).st_mtime)
    return os.stat(target).st_size


def _format(path: bytes) -> tuple[bytes, Open | None] | None:
    try:
        begin = read_plain(path, _LONGEST)
    except OSError:
        return None
    return next((one for one in _BEGINNINGS if begin.startswith(one[0])), None)


def _opener(path: bytes) -> Open | None:
    found = _format(path)
    return found[1] if found is not None else None
