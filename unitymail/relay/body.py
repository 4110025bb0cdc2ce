"""Sends a large message block by block, as fast as the hop takes it and no faster: memory stays flat.

Knows back-pressure and threads; refuses to know what the blocks hold, and SMTP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from unitymail.interfaces.threads import IThreads
from unitymail.relay.content import Blocks


@implementer(IPushProducer)
class BodySender:
    """`send` is given each block, and whether it is the last. `done` fires when all were, or fails with an OSError.

    One block is read at a time, in a thread, and only while the transport wants more and nobody holds us back.
    """

    def __init__(
        self, blocks: Blocks, *, transport: Any, threads: IThreads, send: Callable[[bytes, bool], None]
    ) -> None:
        self.done: Deferred[None] = Deferred()
        self._blocks = blocks
        self._transport = transport
        self._threads = threads
        self._send = send
        self._full = False
        self._held = False
        self._reading = False
        self._over = False

    def start(self) -> None:
        self._transport.registerProducer(self, True)
        self._go_on()

    def pauseProducing(self) -> None:
        self._full = True

    def resumeProducing(self) -> None:
        self._full = False
        self._go_on()

    def stopProducing(self) -> None:
        self.stop()

    def hold(self) -> None:
        """Send no further block for now, whatever the transport wants."""
        self._held = True

    def let_go(self) -> None:
        self._held = False
        self._go_on()

    def stop(self) -> None:
        """Send nothing more; `done` never fires then."""
        if self._over:
            return
        self._over = True
        if not self._reading:
            self._blocks.close()

    def _go_on(self) -> None:
        if self._full or self._held or self._reading or self._over:
            return
        self._reading = True
        reading: Any = self._threads.run(self._blocks.next)
        reading.addCallbacks(self._read, self._failed)

    def _read(self, octets: bytes) -> None:
        self._reading = False
        if self._over:
            return self._blocks.close()
        last = self._blocks.at_end
        self._send(octets, last)
        if not last:
            return self._go_on()
        self._end()
        self.done.callback(None)

    def _failed(self, failure: Failure) -> None:
        self._reading = False
        if self._over:
            return self._blocks.close()
        self._end()
        self.done.errback(failure)

    def _end(self) -> None:
        self._over = True
        self._blocks.close()
        self._transport.unregisterProducer()
