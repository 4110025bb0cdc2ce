"""What a node has once, however many processes serve it: recovery, the courier with its ways out.

Knows what must be over before anybody may come in; refuses to know who serves the doors.
"""

from __future__ import annotations

from typing import Any

from unitymail.closing import Closing
from unitymail.directory.directory import Directory
from unitymail.journal.journal import Journal
from unitymail.relay.relay import Relay
from unitymail.rooms import Rooms, every, open_threads
from unitymail.settings.node import NodeSettings
from unitymail.steady import WallClock
from unitymail.tending import Tending
from unitymail.ways_out import WaysOut

TEND_EVERY_S = 2.0


class Upkeep:
    """In the process that is alone, or the parent of all others."""

    def __init__(
        self, settings: NodeSettings, rooms: Rooms, *, reactor: Any, journal: Journal, closing: Closing
    ) -> None:
        self._settings = settings
        self._rooms = rooms
        self._reactor = reactor
        self._journal = journal
        self._closing = closing

    async def recover(self) -> None:
        """Finish what crashed processes left. Nobody else works in these rooms yet."""
        await self._sweep()
        await self._rooms.spool.recover()
        self._rooms.doorbell.on_items(self._rooms.spool.queue.handed)

    async def open_ways_out(self) -> Relay:
        """Begin to send what waits."""
        rooms = self._rooms
        node_id = await rooms.directory_threads.run(_node_id, rooms.directory)
        return WaysOut(
            self._settings, reactor=self._reactor, journal=self._journal, closing=self._closing, disk=rooms.disk,
            threads=lambda name, size: open_threads(self._reactor, self._closing, name, size),
        ).open(
            book=rooms.book, directory=rooms.directory, node_id=node_id, store=rooms.store, spool=rooms.spool,
            usage=rooms.usage, doorbell=rooms.doorbell, threads=rooms.threads, on_change=rooms.watcher.listen,
        )  # fmt: skip

    def tend(self) -> None:
        """From now on mailboxes are taken care of, opened or not."""
        threads = open_threads(self._reactor, self._closing, "upkeep", 1)
        tending = Tending(
            self._settings, self._rooms, threads=threads, journal=self._journal, clock=WallClock(self._reactor)
        )
        what = "taking care of mailboxes"
        loop = every(self._reactor, self._journal, TEND_EVERY_S, tending.once, what)
        self._closing.add(what, lambda: loop.stop() if loop.running else None)

    async def after(self, pid: int) -> None:
        """Another process of the node has ended, in any way: finish what it left, while others work on."""
        await self._rooms.spool.recover_from(pid)
        await self._sweep()

    async def _sweep(self) -> None:
        if swept := await self._rooms.threads.run(self._rooms.store.sweep):
            self._journal.recovered("temporary files in mailboxes", swept)


def _node_id(directory: Directory) -> str:
    with directory.read() as view:
        node_id: str = view.identity.node_id
        return node_id
