"""Keywords as letters in file names: what Dovecot means by `a` to `z` in a folder, as the folder's own file says.

Knows `dovecot-keywords`, a line `0 Work` for each letter; refuses to write it, and to know messages. A folder without
the file has none, and costs one look at the disk.
"""

from __future__ import annotations

import os

from unitymail.store.keeping import read_plain
from unitymail.store.maildir import Letters

FILE = b"dovecot-keywords"
MOST = 26
"""Keywords beyond these have no letter: only Dovecot's own index knows who has them."""
_LARGEST = 64 * 1024


class LettersOf:
    """Those of one folder, read again when its file has changed."""

    __slots__ = ("_letters", "_stamp")

    def __init__(self) -> None:
        self._stamp: tuple[int, int, int] | None = None
        self._letters: Letters = ()

    def read(self, directory: bytes) -> Letters:
        path = os.path.join(directory, FILE)
        try:
            status = os.stat(path)
        except OSError:
            self._stamp, self._letters = None, ()
            return ()
        stamp = status.st_mtime_ns, status.st_size, status.st_ino
        if stamp != self._stamp:
            self._letters, self._stamp = letters_in(path), stamp
        return self._letters


def letters_in(path: bytes) -> Letters:
    """What the file says; () when there is none."""
    try:
        text = read_plain(path, _LARGEST)
    except OSError:
        return ()
    return tuple(name if number < MOST else "" for number, name in enumerate(keywords_in(text)))[:MOST]


def keywords_in(text: bytes) -> list[str]:
    """The keyword of each number, those beyond the letters too; "" for numbers that are not used."""
    found: dict[int, str] = {}
    for line in text.split(b"\n"):
        number, _, name = line.partition(b" ")
        if number.isdigit() and len(number) < 5 and is_keyword(name):
            found[int(number)] = name.decode("ascii")
    return [found.get(number, "") for number in range(max(found, default=-1) + 1)]


def is_keyword(name: bytes) -> bool:
    """Whether a client could be shown it: an atom, and no system flag."""
    return bool(name) and all(33 <= octet < 127 and octet not in b'(){%*"\\]' for octet in name)
