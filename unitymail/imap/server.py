"""An IMAP connection: a `twisted.mail.imap4.IMAP4Server` whose framing, order and commands are ours.

Knows connections: greeting, octets, time limits, BYE. Refuses to know any command: the `conductor` runs them. Stock
Twisted keeps the class identity, the time-out machinery and its transport.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.mail.imap4 import IMAP4Server
from twisted.python.failure import Failure

from unitymail.imap.conductor import Conductor
from unitymail.imap.inlet import Inlet
from unitymail.imap.meter import Meter
from unitymail.imap.outlet import Outlet
from unitymail.imap.registry import Bad, Farewell, No
from unitymail.imap.run import message
from unitymail.imap.session import Session
from unitymail.imap.wire import response
from unitymail.imap.wire.assembly import Ask, Assembled, Continued, Overlong, Refused
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.ledger import Ticket
from unitymail.mail.reply import Reply
from unitymail.settings.site import SiteSettings

if TYPE_CHECKING:
    from unitymail.imap.door import IMAPDoor

BEFORE_SIGN_IN_S = 60
SIGN_IN_WITHIN_S = 180
"""Whatever a client says meanwhile."""
AUTOLOGOUT_S = 30 * 60
PACE = 500
"""Octets a second of a command that streams a message, beyond what `AUTOLOGOUT_S` allows it."""
LINGER_S = 5
DRAIN_S = 60
FAREWELL_S = 5
"""A stop waits for no client that has taken all it was told and does not close: under TLS many never do."""
MAX_WRONG_COMMANDS = 10
TOO_MANY = Reply(421, "4.3.2", "Too many connections")


class IMAPSession(IMAP4Server):
    """One connection. `session` is what commands see of it; `inlet` and `outlet` are its two ways."""

    timeOut = BEFORE_SIGN_IN_S
    POSTAUTH_TIMEOUT = AUTOLOGOUT_S
    transport: Any
    inlet: Inlet
    outlet: Outlet

    def __init__(self, door: IMAPDoor) -> None:
        super().__init__(contextFactory=door.tls)
        self.door = door
        self.label = door.next_label()
        self.session = Session(door, self)
        self.host = ""
        self._place: Ticket | None = None
        self.ended = False
        self._advancing = False
        self._wrong = 0
        self._begun = door.clock.seconds()
        self._sign_in_by = self._begun + SIGN_IN_WITHIN_S
        self._octets_before = 0
        self._why = "the client left"
        self.meter = Meter(door.name, door.metrics, door.clock.seconds())
        self._last: Any = None
        self.conductor = Conductor(self)

    # The state that Twisted's class knows

    @property
    def state(self) -> str:  # type: ignore[override]
        return self.session.state

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.startedTLS or ISSLTransport.providedBy(self.transport)

    def listCapabilities(self) -> list[bytes]:
        return [word.encode("ascii") for word in self.door.registry.offered(self.session)]

    def callLater(self, period: float, func: Callable[[], None]) -> Any:
        return self.door.clock.callLater(period, func)

    # Beginning and end

    def connectionMade(self) -> None:
        self.host = getattr(self.transport.getPeer(), "host", "")
        if hasattr(self.transport, "setTcpNoDelay"):
            self.transport.setTcpNoDelay(True)
        if self.door.implicit_tls and not self.tls:
            self.transport.startTLS(self.door.tls)
        site = self.session.site
        self.inlet = Inlet(self.transport, self.door.registry.uploads, site.smtp_max_message_kib * 1024)
        self.outlet = Outlet(self.transport, self.door.clock, self._stalled)
        self.door.sessions.add(self)
        self.inlet.postponed = True
        self.door.journal.guard(self._enter(site), "letting an IMAP client in")

    async def _enter(self, site: SiteSettings) -> None:
        """Greet it once there is a place for it; what it says before is kept until then."""
        place = await self.door.slots.enter(site)
        if self.ended:
            if place is not None:
                self.door.slots.give_back(place)
        elif place is None:
            self.door.journal.turned_away(self.door.name, self.host, TOO_MANY)
            self.door.metrics.turned_away(self.door.name, "BYE")
            self.farewell("Too many connections; please try again later", b"UNAVAILABLE")
        else:
            self._place = place
            self.door.journal.connected(self.door.name, self.host, self.label)
            self.door.metrics.connected(self.door.name)
            super().connectionMade()
            self._go_on()

    def sendServerGreeting(self) -> None:
        words = response.text(f"{self.door.host} IMAP ready")
        self.sendPositiveResponse(message=b"[%b] %b" % (self.session.capabilities(), words))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self.ended = True
        self.inlet.leave()
        self.outlet.stopProducing()
        self.session.silence()
        if self._last is not None and self._last.active():
            self._last.cancel()
        self.session.give_back()
        if not self.inlet.busy or self.conductor.parked:
            # Else the running command still looks at its folder.
            self.session.sign_out()
        self.conductor.leave()
        self.door.left(self)
        if self._place is not None:
            self.door.slots.give_back(self._place)
            self.meter.closed(self.outlet.octets)
            self.door.journal.disconnected(
                self.door.name, self.host, self.label, self._why, octets_in=self.meter.octets_in,
                octets_out=self.outlet.octets, seconds=self.door.clock.seconds() - self.meter.since,
            )  # fmt: skip

    def farewell(self, text: str, code: bytes = b"", *, linger: bool = False) -> None:
        """BYE with a reason, then close. linger: the client is still sending; let it read before the door shuts."""
        if self.ended:
            return
        self._why = text
        if self._place is not None:
            self.meter.replied(b"BYE")
        self._respond(b"BYE", None, message(text, code))
        self.close(linger=linger)

    def take_leave(self) -> None:
        """The node shuts down: now, or once the command that runs has its answer."""
        if not self.inlet.busy or self.inlet.waits_for_client():
            self.farewell("The node is shutting down", b"UNAVAILABLE")

    def close(self, *, linger: bool = False) -> None:
        """Close once everything is written; a client that does not even read that is cut off."""
        if self.ended:
            return
        self.ended = True
        self.conductor.leave()
        patience = FAREWELL_S if self.door.draining and not self.outlet.full else DRAIN_S
        self.setTimeout(None)
        self.inlet.leave()
        self.outlet.close()
        if linger:
            self._last = self.door.clock.callLater(LINGER_S, self._shut, patience)
        else:
            self._shut(patience)

    def _shut(self, patience: float) -> None:
        self._last = self.door.clock.callLater(patience, self.transport.abortConnection)
        self.outlet.end()

    def timeoutConnection(self) -> None:
        if not self.inlet.waits_for_client():
            self.setTimeout(self.timeOut)
            return
        self.farewell("Autologout; idle for too long")

    def _stalled(self) -> None:
        self.cut_off("the client stopped reading")

    def cut_off(self, why: str) -> None:
        """End without a word, where no word would be understood."""
        self._why = why
        self.ended = True
        self.transport.abortConnection()

    # Octets in

    def dataReceived(self, data: bytes) -> None:
        if self.ended:
            return
        self.meter.octets_in += len(data)
        self.inlet.receive(data)
        self.advance()

    def advance(self) -> None:
        """Go on with the running command, or with the next ones, until more octets are needed or the turn is over."""
        if self._advancing:
            return
        self._advancing = True
        turns = self.door.turns
        turns.begin()
        try:
            while not self.ended and not self.inlet.postponed:
                if self.inlet.satisfy():
                    self._got_on()
                    continue
                if not turns.lasts():
                    self.inlet.postponed = True
                    turns.queue(self._go_on)
                    break
                event = self.inlet.next_command()
                if event is not None:
                    self._take(event)
                elif not self.inlet.draw():
                    break
        except Farewell as error:
            self.farewell(error.text, error.code)
        finally:
            self._advancing = False
            turns.end()
        if not self.ended:
            self.inlet.regulate()

    def _got_on(self) -> None:
        """A command is whole, or has what it asked for: octets alone put nothing off (see smtp/patience)."""
        now = self.door.clock.seconds()
        if self.session.account is None:
            self.setTimeout(min(BEFORE_SIGN_IN_S, max(self._sign_in_by - now, 0)))
        elif now - self._begun <= AUTOLOGOUT_S + (self.meter.octets_in - self._octets_before) / PACE:
            self.resetTimeout()

    def _go_on(self) -> None:
        self.inlet.postponed = False
        self.advance()

    def _take(self, event: Assembled | Ask | Refused) -> None:
        if isinstance(event, Ask):
            self.ask(b"Ready for %d octets" % event.octets)
        elif isinstance(event, Refused):
            self._refuse(event)
        else:
            self._begun, self._octets_before = self.door.clock.seconds(), self.meter.octets_in
            self._got_on()
            self.conductor.begin(event)

    def _refuse(self, event: Refused) -> None:
        self.meter.replied(event.status)
        self._respond(event.status, event.tag, message(event.text, event.code))
        if event.fatal:
            self.farewell("Too much would have to be skipped", b"TOOBIG", linger=True)
        else:
            self.count(event.status)

    def count(self, status: bytes) -> None:
        """Ten wrong commands in a row, and whoever is there does not speak IMAP."""
        self._wrong = self._wrong + 1 if status == b"BAD" else 0
        if self._wrong >= MAX_WRONG_COMMANDS:
            self.farewell("Too many wrong commands", linger=True)

    def sendLine(self, line: bytes) -> None:
        """Twisted's way out is ours."""
        self.outlet.write(line + b"\r\n")

    # What a running command asks of the client

    def ask(self, prompt: bytes = b"") -> None:
        """`+ prompt`: the space is there even when nothing follows."""
        self.outlet.write(b"+ %b\r\n" % prompt)

    def line(self) -> Deferred[bytes]:
        """The client's next line, outside any command (AUTHENTICATE)."""
        return self.inlet.want(self.conductor.next_line).addCallback(_short)

    def octets(self) -> Deferred[bytes]:
        """The next block of an announced literal, b"" after the last; the first call lets the client send it."""
        assembler = self.inlet.assembler
        if assembler.grant():
            self.ask(b"Ready for the message")
        return self.inlet.want(assembler.next_octets)

    def continuation(self) -> Deferred[Reader]:
        """What the command says after a streamed literal."""
        return self.inlet.want(self.inlet.assembler.next_continuation).addCallback(self._continued)

    def _continued(self, event: Continued | Refused) -> Reader:
        if isinstance(event, Continued):
            return Reader(event.parts, utf8=self.session.utf8)
        if event.fatal:
            raise Farewell(event.text, event.code)
        raise (No if event.status == b"NO" else Bad)(event.text, event.code)

    def start_tls(self) -> None:
        """Nothing that came before the handshake counts after it (RFC 9051, 6.2.1)."""
        self.inlet.assembler.clear()
        self.transport.startTLS(self.door.tls)
        self.startedTLS = True

    def compress(self) -> None:
        """From the octet behind the tagged response on, both ways (RFC 4978)."""
        self.inlet.inflate()
        self.outlet.squeeze(self.door.turns)

    def signed_in(self) -> None:
        """From now on the client may be silent for longer."""
        self.setTimeout(self.POSTAUTH_TIMEOUT)


def _short(line: bytes | Overlong) -> bytes:
    if isinstance(line, Overlong):
        raise Bad("The line is too long", b"TOOBIG")
    return line
