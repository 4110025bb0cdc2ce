"""Where the doorbells of the processes are: one UNIX socket each in the node's run directory, named by process id, and
beside it a file that shows for whom anybody listens there (`ears`).

Knows names and which of them are dead; refuses to know what is said. Note *Long paths*: a socket address holds about
100 octets, so a long directory is reached through a descriptor of it under /proc/self/fd.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LONGEST_PATH = 100
_NAME = re.compile(r"bell-([0-9]+)\.(sock|ears)\Z")


def name_of(pid: int) -> str:
    return f"bell-{pid}.sock"


def ears_of(pid: int) -> str:
    return f"bell-{pid}.ears"


def bells(run: str) -> dict[int, str]:
    """Process id → socket path of every bell in the directory, dead ones too."""
    return {pid: os.path.join(run, name) for pid, name, ending in _named(run) if ending == "sock"}


def _named(run: str) -> list[tuple[int, str, str]]:
    """(process id, name, ending) of all that is of a bell."""
    try:
        names = os.listdir(run)
    except FileNotFoundError:
        return []
    return [(int(found[1]), name, found[2]) for name in names if (found := _NAME.match(name))]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def remove_dead(run: str) -> list[int]:
    """Unlink the bells of processes that are no more; their ids."""
    dead = set()
    for pid, name, _ in _named(run):
        if not alive(pid):
            dead.add(pid)
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(run, name))
    return sorted(dead)


@contextmanager
def reachable(path: str) -> Iterator[str]:
    """A spelling of the path that fits a socket address; good within the block only."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield path
        return
    folder = Path(path)
    fd = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{folder.name}"
    finally:
        os.close(fd)
