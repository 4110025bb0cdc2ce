"""The ways out: the courier with all that it sends, converts and reports by, put together.

Knows the constructors of what a step needs; refuses to know when a step is performed, or why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from unitymail.closing import Closing
from unitymail.codec import Codec
from unitymail.courier.courier import Courier
from unitymail.courier.deciding import Decider
from unitymail.courier.destinations import Destinations
from unitymail.courier.dispatch import Dispatch
from unitymail.courier.perform import find_performers
from unitymail.directory.book import Book
from unitymail.directory.directory import Directory
from unitymail.disk import Disk
from unitymail.doorbell.unix import Doorbell
from unitymail.journal.journal import Journal
from unitymail.login.saslprep import prepared
from unitymail.relay.relay import Relay
from unitymail.settings.node import NodeSettings
from unitymail.spool.badmail import BadMailFolder
from unitymail.spool.spool import Spool
from unitymail.steady import WallClock
from unitymail.store.quota import Usage
from unitymail.store.store import Store
from unitymail.threads import Threads


class WaysOut:
    """`threads(name, size)` makes a pool that ends with the node. Begin with `open`; `relay` is there then."""

    def __init__(
        self, settings: NodeSettings, *, reactor: Any, journal: Journal, closing: Closing, disk: Disk,
        threads: Callable[[str, int], Threads],
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._wall = WallClock(reactor)
        self._journal = journal
        self._closing = closing
        self._disk = disk
        self._threads = threads

    def open(
        self, *, book: Book, directory: Directory, node_id: str, store: Store, spool: Spool, usage: Usage,
        doorbell: Doorbell, threads: Threads, on_change: Callable[[Callable[[int], None]], None],
    ) -> Relay:
        """Start the courier. The relay, so that it takes a renewed certificate. `on_change` is the directory's."""
        relay = self._open_relay(book)
        destinations = Destinations()
        dispatch = Dispatch(
            relay=relay, destinations=destinations, book=book, journal=self._journal, clock=self._wall
        )
        decider = Decider(book, usage, self._settings.node.host_name)
        badmail = BadMailFolder(
            self._settings.path(self._settings.paths.spool), disk=self._disk, now=time.time
        )
        performers = find_performers(
            store=store, spool=spool, badmail=badmail, book=book, usage=usage, doorbell=doorbell,
            journal=self._journal, clock=self._wall, threads=threads, decider=decider, dispatch=dispatch,
            node_id=node_id, directory=directory, codec=Codec(),
            audio_threads=self._threads("audio", self._settings.threads.audio),
        )  # fmt: skip
        courier = Courier(
            queue=spool.queue, performers=performers, destinations=destinations, threads=threads, book=book,
            journal=self._journal, clock=self._wall, decide=decider.decide_item,
        )  # fmt: skip
        courier.start()
        on_change(partial(look_again, courier, dispatch))
        self._closing.add("the courier and the relay", partial(end_together, courier, dispatch))
        return relay

    def _open_relay(self, book: Book) -> Relay:
        tls = self._settings.tls
        relay = Relay(
            host=self._settings.node.host_name, reactor=self._reactor,
            threads=self._threads("relay", self._settings.threads.relay),
            connections=lambda: book.site.relay_connections, certificate=self._settings.path(tls.certificate),
            key=self._settings.path(tls.key), prepared=prepared,
        )  # fmt: skip
        return relay


async def end_together(courier: Courier, dispatch: Dispatch) -> None:
    """The courier first, which begins nothing more; it waits for what is under way, and that for the relay to end."""
    stopped = courier.stop()
    await dispatch.close()
    await stopped


def look_again(courier: Courier, dispatch: Dispatch, usn: int) -> None:
    """The directory has changed, and with it perhaps the way out."""
    dispatch.renew()
    courier.wake()
