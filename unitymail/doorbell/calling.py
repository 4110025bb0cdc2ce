"""Ringing from a program without a reactor, such as the command line: blocking sockets with one deadline for all.

Knows how to reach every running process of a node; refuses to know what they do about it.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Iterable

from unitymail.doorbell import sockets
from unitymail.doorbell.words import Ask, Count, DirectoryChanged, Ring, Taken, Told, spoken, understood
from unitymail.interfaces.doorbell import Announced

WITHIN_S = 2.0


def announce(run: str, usn: int, within: float = WITHIN_S) -> Announced:
    """Tell every running process of the change; returns when all have it, or after `within` seconds."""
    deadline = time.monotonic() + within
    waiting = _reached(run, spoken(DirectoryChanged(usn)))
    late = set(waiting)
    with selectors.DefaultSelector() as selector:
        try:
            for pid, line in waiting.items():
                selector.register(line, selectors.EVENT_READ, (pid, bytearray()))
            while late & {key.data[0] for key in selector.get_map().values()}:
                left = deadline - time.monotonic()
                ready = selector.select(max(left, 0))
                if not ready:
                    break
                for key, _ in ready:
                    if _answered(key, usn, late):
                        selector.unregister(key.fileobj)
        finally:
            for line in waiting.values():
                line.close()
    return Announced(tuple(sorted(set(waiting) - late)), tuple(sorted(late)))


def _answered(key: selectors.SelectorKey, usn: int, late: set[int]) -> bool:
    """Read what is there; whether this process has no more to say."""
    pid, buffer = key.data
    try:
        data = key.fileobj.recv(4096)  # type: ignore[union-attr]
    except OSError:
        data = b""
    if not data:
        if not sockets.alive(pid):
            late.discard(pid)  # it ended meanwhile, and its successor reads the directory anyway
        return True
    buffer += data
    for line in bytes(buffer).split(b"\n"):
        if isinstance(word := understood(line), Taken) and word.usn >= usn:
            late.discard(pid)
            return True
    return False


def ask(run: str, pid: int, within: float = WITHIN_S) -> bool:
    """Have a process write down how it stands now; whether it did so within this time."""
    deadline = time.monotonic() + within
    said = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(within)
            with sockets.reachable(os.path.join(run, sockets.name_of(pid))) as short:
                line.connect(short)
            line.sendall(spoken(Ask()))
            while not said.endswith(b"\n"):
                line.settimeout(max(deadline - time.monotonic(), 0.001))
                if not (octets := line.recv(4096)):
                    return False
                said += octets
    except OSError:
        return False
    return isinstance(understood(said), Told)


def ring(run: str, places: Iterable[tuple[str, str]]) -> int:
    """Ring (account, folder) places in every running process; how many were reached."""
    return _say(run, b"".join(spoken(Ring(account, folder)) for account, folder in dict.fromkeys(places)))


def count(run: str, account: str) -> int:
    """Have the node count what is in a mailbox; how many processes were reached, of which one does it."""
    return _say(run, spoken(Count(account)))


def _say(run: str, said: bytes) -> int:
    reached = _reached(run, said)
    for line in reached.values():
        line.close()
    return len(reached)


def _reached(run: str, said: bytes) -> dict[int, socket.socket]:
    """A connection to each process that is there, with `said` sent. Dead bells are removed."""
    sockets.remove_dead(run)
    reached: dict[int, socket.socket] = {}
    for pid, path in sockets.bells(run).items():
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(WITHIN_S)
        try:
            with sockets.reachable(path) as short:
                line.connect(short)
            line.sendall(said)
        except OSError:
            line.close()
            continue
        reached[pid] = line
    return reached


def running(run: str) -> list[int]:
    """The processes that have a bell and live."""
    return sorted(pid for pid in sockets.bells(run) if sockets.alive(pid))
