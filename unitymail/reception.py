"""What a process needs that serves the doors, besides the rooms: sign-in, and the addresses of those who are trusted.

Knows their constructors; refuses to know the doors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from unitymail.closing import Closing
from unitymail.directory.credentials import Credentials
from unitymail.interfaces.metrics import IMetrics
from unitymail.journal.journal import Journal
from unitymail.login.login import Login
from unitymail.rooms import Rooms, open_threads
from unitymail.settings.node import NodeSettings
from unitymail.smart_host import HostAddresses, PeerAddresses, SmartHostAddresses


@dataclass(frozen=True, slots=True)
class Reception:
    login: Login
    smart_host: HostAddresses
    peers: HostAddresses


async def open_reception(
    settings: NodeSettings, rooms: Rooms, *, reactor: Any, journal: Journal, closing: Closing, metrics: IMetrics
) -> Reception:
    """Do it before the directory is watched; `closing` learns how each part is ended."""
    known = {"book": rooms.book, "threads": rooms.directory_threads, "journal": journal, "clock": reactor}
    smart_host, peers = SmartHostAddresses(**known), PeerAddresses(**known)
    for addresses in (smart_host, peers):
        addresses.start()
        closing.add("the look-up of hosts", addresses.stop)
        rooms.watcher.listen(partial(_look_again, addresses))
    password_threads = open_threads(reactor, closing, "password", settings.threads.passwords)
    login = Login(
        credentials=Credentials(rooms.database), book=rooms.book, threads=rooms.directory_threads,
        password_threads=password_threads, journal=journal, clock=reactor, metrics=metrics,
    )  # fmt: skip
    await password_threads.run(login.prepare)
    return Reception(login, smart_host, peers)


def _look_again(addresses: HostAddresses, usn: int) -> None:
    addresses.look()
