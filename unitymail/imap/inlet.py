"""The way in of one connection: commands one at a time, and what a running command asks the client for.

Keeps the client's octets bounded by reading no further while a command runs; refuses to know what commands do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail

from unitymail.imap.registry import Gone
from unitymail.imap.wire.assembly import Ask, Assembled, Assembler, Refused

HIGH_WATER = 65_536


class Inlet:
    """`busy` while a command runs: then `next_command` waits, and only what the command wants is taken.

    `postponed`: what has arrived is not looked at before a later turn of the reactor.
    """

    def __init__(self, transport: Any, uploads: Mapping[str, int], upload_limit: int) -> None:
        self.assembler = Assembler(uploads, upload_limit=upload_limit)
        self.busy = False
        self.postponed = False
        self._transport = transport
        self._wanted: tuple[Callable[[], Any], Deferred[Any]] | None = None
        self._paused = False
        self._gone = False

    def receive(self, octets: bytes) -> None:
        self.assembler.feed(octets)

    def want(self, take: Callable[[], Any]) -> Deferred[Any]:
        """What `take` gives, once it gives something (None: not yet). Fails with Gone when the client leaves."""
        if self._gone:
            return fail(Gone())
        waiting: Deferred[Any] = Deferred()
        value = take()
        if value is None:
            self._wanted = (take, waiting)
            self.regulate()
        else:
            waiting.callback(value)
        return waiting

    def satisfy(self) -> bool:
        """Give the running command what it wants, if it can be had; whether it went on."""
        if self._wanted is None:
            return False
        take, waiting = self._wanted
        value = take()
        if value is None:
            return False
        self._wanted = None
        waiting.callback(value)
        return True

    def over(self) -> None:
        """The running command is over, whatever it wanted."""
        self.busy = False
        self._wanted = None

    def next_command(self) -> Assembled | Ask | Refused | None:
        return None if self.busy else self.assembler.next_command()

    def waits_for_client(self) -> bool:
        """Nothing happens until the client says something."""
        return not self.busy or self._wanted is not None

    def regulate(self) -> None:
        """Read on, or wait until there is room again."""
        pause = (self.postponed or not self.waits_for_client()) and self.assembler.waiting >= HIGH_WATER
        if pause != self._paused:
            self._paused = pause
            if pause:
                self._transport.pauseProducing()
            elif not self._gone:
                self._transport.resumeProducing()

    def leave(self) -> None:
        """The client is gone, or will not be listened to any more."""
        self._gone = True
        self.assembler.clear()
        if self._paused:
            self._paused = False
            self._transport.resumeProducing()
        if self._wanted is not None:
            waiting, self._wanted = self._wanted[1], None
            waiting.errback(Gone())
