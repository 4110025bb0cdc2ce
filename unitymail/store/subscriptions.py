"""The subscriptions of an account: a file of names, one a line, kept outside the index so that they outlive it.

Knows the file; refuses to know which folders exist. Names are written as on disk: modified UTF-7, `/` between levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from unitymail.interfaces.disk import IDisk
from unitymail.store.keeping import read_plain, replace_file
from unitymail.store.names import canonical, decoded_level, encoded_level

FILE = "unitymail.subscriptions"
_LARGEST = 64 << 20


def read(path: str) -> list[str] | None:
    """The subscribed names, sorted; None when there is no file yet."""
    try:
        lines = read_plain(path, _LARGEST).decode("ascii", "surrogateescape").split("\n")
    except FileNotFoundError:
        return None
    return sorted({canonical("/".join(map(decoded_level, line.split("/")))) for line in lines if line})


def write(disk: IDisk, path: str, names: Iterable[str], temporary: Callable[[], str]) -> None:
    lines = ["/".join(map(encoded_level, name.split("/"))) for name in sorted(names)]
    replace_file(disk, path, "".join(f"{line}\n" for line in lines).encode("ascii"), temporary())
