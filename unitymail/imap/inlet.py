"""The way in of one connection: commands one at a time, and what a running command asks the client for.

Keeps the client's octets bounded by reading no further while a command runs, and by opening compressed ones in pieces,
no sooner than they are needed; refuses to know what commands do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail

from unitymail.imap.deflate import Garbled, Inflating
from unitymail.imap.registry import Farewell, Gone
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
        self._wanted: tuple[Callable[[], Any], Deferred[Any] | Callable[[Any], None]] | None = None
        self._paused = False
        self._gone = False
        self._inflating: Inflating | None = None

    def receive(self, octets: bytes) -> None:
        (self._inflating or self.assembler).feed(octets)

    def inflate(self) -> None:
        """What the client says from now on is compressed (RFC 4978), and what was not looked at yet is as well."""
        self._inflating = Inflating()
        self._inflating.feed(self.assembler.rest())

    def draw(self) -> bool:
        """Open some more of what is compressed, when somebody needs it; whether there was any."""
        if self._inflating is None or not self.waits_for_client():
            return False
        try:
            octets = self._inflating.more()
        except Garbled:
            raise Farewell("What was sent cannot be decompressed") from None
        self.assembler.feed(octets)
        return bool(octets)

    def want(self, take: Callable[[], Any]) -> Deferred[Any]:
        """What `take` gives, once it gives something (None: not yet). Fails with Gone when the client leaves."""
        if self._gone:
            return fail(Gone())
        waiting: Deferred[Any] = Deferred()
        self._wanted = (take, waiting)
        try:
            while not self.satisfy() and self.draw():
                pass
        except Farewell:
            self._wanted = None
            return fail()
        if self._wanted is not None:
            self.regulate()
        return waiting

    def listen(self, take: Callable[[], Any], heard: Callable[[Any], None]) -> None:
        """Call `heard` with what `take` gives, once it gives something; of a client that leaves it hears nothing."""
        self._wanted = (take, heard)
        while not self.satisfy() and self.draw():
            pass
        self.regulate()

    def listen_no_more(self) -> None:
        self._wanted = None

    def satisfy(self) -> bool:
        """Give the running command what it wants, if it can be had; whether it went on."""
        if self._wanted is None:
            return False
        take, waiting = self._wanted
        value = take()
        if value is None:
            return False
        self._wanted = None
        if isinstance(waiting, Deferred):
            waiting.callback(value)
        else:
            waiting(value)
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
        pause = (self.postponed or not self.waits_for_client()) and self._held() >= HIGH_WATER
        if pause != self._paused:
            self._paused = pause
            if pause:
                self._transport.pauseProducing()
            elif not self._gone:
                self._transport.resumeProducing()

    def _held(self) -> int:
        return self.assembler.waiting + (0 if self._inflating is None else self._inflating.waiting)

    def leave(self) -> None:
        """The client is gone, or will not be listened to any more."""
        self._gone = True
        self.assembler.clear()
        if self._paused:
            self._paused = False
            self._transport.resumeProducing()
        if self._wanted is not None:
            waiting, self._wanted = self._wanted[1], None
            if isinstance(waiting, Deferred):
                waiting.errback(Gone())
