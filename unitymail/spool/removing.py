"""A process of its own that removes the files of finished items: the program that `remover` runs.

Knows names and descriptors that it is given; refuses to know what was in the files. It uses the standard library only,
so that it is small, and ends with the node: when the other end of its socket, which is its standard input, is closed.

Note *Under lock*. With each name comes a descriptor that holds the lock on the item's envelope file. The message file
goes first: as long as the envelope has its name nobody else touches either, even when the node is gone meanwhile. The
descriptors are kept until the next names come: then the node has closed its own, and the file is freed here.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

ROOM = 64 * 1024
MOST = 200
"""Descriptors at once; Linux takes 253."""
IDLE_S = 60.0
DONE, OVER = "done", "over"
"""First lines of answers. After `done` come the names of items that are still there; `over`: idle for too long."""


def serve(line: socket.socket, folder: str) -> None:
    """Remove what is named, a line each, until there is nothing more to expect."""
    kept: list[int] = []
    while True:
        try:
            names, descriptors, _, _ = socket.recv_fds(line, ROOM, MOST)
        except TimeoutError:
            line.send(OVER.encode())
            return
        if not names:
            return
        for descriptor in kept:
            os.close(descriptor)
        kept = descriptors
        traces = names.decode("ascii").split("\n")
        left = traces
        if len(descriptors) == len(traces):
            left = [t for t, lock in zip(traces, descriptors, strict=True) if not is_removed(folder, t, lock)]
        line.send("\n".join([DONE, *left]).encode())


def is_removed(folder: str, trace: str, lock: int) -> bool:
    """Whether both files are gone now. `lock` is the envelope file that is meant."""
    if not is_still(lock, f"{folder}/{trace}.json"):
        return True
    for ending in (".eml", ".json"):
        try:
            os.unlink(f"{folder}/{trace}{ending}")
        except FileNotFoundError:
            pass
        except OSError:
            return False
    return True


def is_still(descriptor: int, path: str) -> bool:
    """Whether the file still has its name: a start that found the lock taken for too long has given it to another."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def main() -> None:
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)  # what is sent to the whole group is the node's to heed
    with socket.socket(fileno=0) as line:
        line.settimeout(IDLE_S)
        try:
            serve(line, sys.argv[1])
        except OSError:
            pass  # the node is gone


if __name__ == "__main__":
    main()
