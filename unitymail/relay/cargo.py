"""A message's octets as one connection wants them: a small one read once, a large one in blocks, both in threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed

from unitymail.interfaces.relay import Outgoing
from unitymail.interfaces.threads import IThreads
from unitymail.relay.content import SMALL, Blocks, Form, whole, whole_if_cached


class Cargo:
    """`form` makes what turns octets into those of the wire, anew for each time that they are sent."""

    def __init__(self, outgoing: Outgoing, form: Callable[[], Form], threads: IThreads) -> None:
        self.small = outgoing.size <= SMALL
        self._outgoing = outgoing
        self._form = form
        self._threads = threads
        self._octets: bytes | None = None
        self._reading: Any = None
        self._waiting: list[Deferred[bytes]] = []

    def fetch(self) -> None:
        """Begin to read a small message, which will be wanted soon; at once where that is waiting for no disk."""
        if not self.small or self._octets is not None or self._reading is not None:
            return
        try:
            self._octets = whole_if_cached(self._outgoing, self._form())
        except OSError:
            # The thread finds out too, and whoever wants the octets hears of it.
            pass
        if self._octets is None:
            self._reading = self._threads.run(whole, self._outgoing, self._form())
            self._reading.addBoth(self._fetched)

    def _fetched(self, found: Any) -> None:
        self._reading = None
        if isinstance(found, bytes):
            self._octets = found
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(found)

    def whole(self) -> Deferred[bytes]:
        """A small message; fails with OSError when it cannot be read."""
        if self._octets is not None:
            return succeed(self._octets)
        self.fetch()
        if self._octets is not None:
            return succeed(self._octets)
        wanted: Deferred[bytes] = Deferred()
        self._waiting.append(wanted)
        return wanted

    def blocks(self) -> Deferred[Blocks]:
        """A large message, its file open; fails with OSError when it cannot be."""
        opening: Any = self._threads.run(Blocks, self._outgoing, self._form())
        return opening  # type: ignore[no-any-return]
