"""What a running node tells others about itself: a small file for `unitymail status`, a word to systemd, and, for a
demo, how to use it.

Refuses to know how any of it is measured.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from unitymail import __version__

Facts = dict[str, Any]


class Notice:
    """The file is `run`/node.json; it is there while the node is ready. `figures()` gives what the node did so far."""

    def __init__(self, run: str, *, doors: dict[str, str], figures: Callable[[], Facts]) -> None:
        self._path = os.path.join(run, "node.json")
        self._doors = doors
        self._figures = figures
        self._since = time.time()
        self._over = False

    def write(self) -> None:
        if self._over:
            return
        known: Facts = {
            "pid": os.getpid(),
            "version": __version__,
            "since": round(self._since),
            "doors": self._doors,
            **self._figures(),
        }
        temporary = self._path + ".new"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(known, file)
        os.replace(temporary, self._path)

    def ready(self, demo_users: str) -> None:
        """All ports are open."""
        self.write()
        tell_systemd("READY=1")
        try:
            with open(demo_users, encoding="utf-8") as file:
                print(file.read(), file=sys.__stdout__, flush=True)
        except OSError:
            pass

    def remove(self) -> None:
        self._over = True
        tell_systemd("STOPPING=1")
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass


def read_notice(run: str) -> dict[str, Any]:
    """What the running node last wrote; {} when there is none."""
    try:
        with open(os.path.join(run, "node.json"), encoding="utf-8") as file:
            known: dict[str, Any] = json.load(file)
            return known
    except (OSError, ValueError):
        return {}


def told_at(run: str) -> float | None:
    """When it was written, Unix seconds."""
    try:
        return os.stat(os.path.join(run, "node.json")).st_mtime
    except OSError:
        return None


def tell_systemd(word: str) -> None:
    """One datagram to the service manager (sd_notify(3)); nothing where there is none."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if not where:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        try:
            line.sendto(word.encode(), "\0" + where[1:] if where.startswith("@") else where)
        except OSError:
            pass
