"""A message that came with binary octets (RFC 3516), rewritten as those who do not know BINARY can read it.

Parts that cannot stay as they are become base64, from which FETCH BINARY makes the same octets again. Knows files;
refuses to know what may be changed in a message (`mail.recoding`).
"""

from __future__ import annotations

import mmap
from collections.abc import Callable

from unitymail.imap.registry import No
from unitymail.interfaces.disk import IDisk
from unitymail.mail.part import Octets, walk
from unitymail.mail.recoding import Hindrance, plan, written
from unitymail.mail.structure import Structure, scan
from unitymail.mail.windows import holds


def without_binary(disk: IDisk, path: str, new_file: Callable[[], tuple[int, str]]) -> str:
    """The path of the message in the form to keep: its own where that will do, else a new file's; the old one is gone.

    The new file is flushed. Raises No when there is no such form.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        structure = scan(buffer)
        if not _is_binary(buffer, structure):
            return path
        made = plan(buffer, structure, eight_bit=True)
        if isinstance(made, Hindrance):
            raise No(f"The message cannot be kept: it has {made.value}", b"UNKNOWN-CTE")
        descriptor, target = new_file()
        try:
            for block in written(made, lambda start, stop: buffer[start:stop]):
                disk.write(descriptor, block)
            disk.flush(descriptor)
        except BaseException:
            disk.unlink(target)
            raise
        finally:
            disk.close(descriptor)
    disk.unlink(path)
    return target


def _is_binary(buffer: Octets, structure: Structure) -> bool:
    return any(part.encoding == "binary" for part in walk(structure.root)) or holds(buffer, b"\0")
