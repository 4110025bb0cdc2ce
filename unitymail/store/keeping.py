"""Small files that must be whole or absent, new directories that must last, links that fall back to copies, and files
that others may have put there.

Knows the order of flushes; refuses to know what the files are for.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from unitymail.interfaces.disk import IDisk

COPY_BLOCK = 1 << 20
_NO_LINK = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOTSUP, errno.ENOSYS}


def replace_file(disk: IDisk, path: str, content: bytes, temporary: str) -> None:
    """Put `content` at `path`, durable on return; `temporary` is a free name on the same file system."""
    descriptor = disk.create(temporary)
    try:
        disk.write(descriptor, content)
        disk.flush(descriptor)
    finally:
        disk.close(descriptor)
    disk.rename(temporary, path)
    disk.flush_directory(os.path.dirname(path))


def ensure_directory(disk: IDisk, path: str) -> bool:
    """Whether it had to be made (not yet durable)."""
    if os.path.isdir(path):
        return False
    try:
        disk.make_directory(path)
    except FileExistsError:
        return False
    return True


def link_or_copy(disk: IDisk, source: str, target: str, temporary: Callable[[], str]) -> None:
    """`target` becomes a name of `source`'s inode, or where that is impossible of a flushed copy with its time.

    Raises FileExistsError when `target` exists.
    """
    try:
        disk.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        _copy(disk, source, target, temporary())


def _copy(disk: IDisk, source: str, target: str, temporary: str) -> None:
    try:
        with open(source, "rb") as original:
            copy_to(disk, original.read, temporary)
        disk.set_times(temporary, os.stat(source).st_mtime)
        disk.link(temporary, target)
    finally:
        if os.path.lexists(temporary):
            disk.unlink(temporary)


def open_plain(path: bytes | str) -> int:
    """The descriptor of a file, to read it. Raises FileNotFoundError, also for what is no file: a link would lead
    elsewhere, and a pipe keep us waiting."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise FileNotFoundError(errno.ENOENT, "no file", path) from error
        raise
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise FileNotFoundError(errno.ENOENT, "no file", path)


def read_plain(path: bytes | str, most: int) -> bytes:
    """So many octets of a file at most, as `open_plain` finds it."""
    with os.fdopen(open_plain(path), "rb") as file:
        return file.read(most)


def copy_to(disk: IDisk, read: Callable[[int], bytes], path: str) -> None:
    """Write what `read(n)` gives until it is empty to a new file, flushed."""
    descriptor = disk.create(path)
    try:
        while block := read(COPY_BLOCK):
            disk.write(descriptor, block)
        disk.flush(descriptor)
    finally:
        disk.close(descriptor)
