"""A message's octets as one connection wants them: a small one read once, a large one in blocks, both in threads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from unitymail.interfaces.relay import Outgoing
from unitymail.interfaces.threads import IThreads
from unitymail.mail.recoding import Plan
from unitymail.relay.content import SMALL, Blocks, Form, whole, whole_if_cached


class Cargo:
    """`here` are those of a small message that has been read. `form` makes what turns octets into those of the wire,
    anew for each time that they are sent. With a `plan` the message is written by it.
    """

    __slots__ = ("_form", "_outgoing", "_plan", "_reading", "_waiting", "here", "small", "threads")

    def __init__(
        self, outgoing: Outgoing, form: Callable[[], Form], threads: IThreads, plan: Plan | None = None
    ) -> None:
        self.small = outgoing.size <= SMALL
        self._plan = plan
        self._outgoing = outgoing
        self._form = form
        self.threads = threads
        self.here: bytes | None = None
        self._reading = False
        self._waiting: list[Deferred[bytes]] = []

    def fetch(self) -> None:
        """Begin to read a small message, which will be wanted soon; at once where that is waiting for no disk."""
        if not self.small or self.here is not None or self._reading:
            return
        with suppress(Exception):
            # What fails here fails in the thread too, and whoever wants the octets hears of it.
            if self._plan is None:
                self.here = whole_if_cached(self._outgoing, self._form())
        if self.here is None:
            self._reading = True
            reading: Any = self.threads.run(whole, self._outgoing, self._form(), self._plan)
            reading.addBoth(self._fetched)
        elif self._waiting:
            self._fetched(self.here)

    def _fetched(self, found: bytes | Failure) -> None:
        self._reading = False
        if isinstance(found, bytes):
            self.here = found
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(found)  # type: ignore[arg-type]

    def whole(self) -> Deferred[bytes]:
        """A small message; fails with OSError when it cannot be read."""
        if self.here is not None:
            return succeed(self.here)
        wanted: Deferred[bytes] = Deferred()
        self._waiting.append(wanted)
        self.fetch()
        return wanted

    def blocks(self) -> Deferred[Blocks]:
        """A large message, its file open; fails with OSError when it cannot be."""
        opening: Any = self.threads.run(Blocks, self._outgoing, self._form(), self._plan)
        return opening  # type: ignore[no-any-return]
