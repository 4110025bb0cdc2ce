"""An IMAP connection: a `twisted.mail.imap4.IMAP4Server` whose framing, order and commands are ours.

Knows connections: greeting, time limits, one command at a time, the tagged response, BYE. Refuses to know any command:
those are found in `imap.commands`. Stock Twisted keeps the class identity, the time-out machinery and its transport.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.mail.imap4 import IMAP4Server
from twisted.python.failure import Failure

from unitymail.imap.inlet import Inlet
from unitymail.imap.meter import Meter
from unitymail.imap.outlet import Outlet
from unitymail.imap.parking import Parking
from unitymail.imap.registry import Bad, Farewell, Gone, No
from unitymail.imap.run import Ending, go_on, message, run
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
LINE_LIMIT = 12_288
UNKNOWN = "?"
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
        self._ended = False
        self._advancing = False
        self._wrong = 0
        self._begun = door.clock.seconds()
        self._sign_in_by = self._begun + SIGN_IN_WITHIN_S
        self._octets_before = 0
        self._why = "the client left"
        self._meter = Meter(door.name, door.metrics, door.clock.seconds())
        self._last: Any = None
        self._parking: Parking | None = None

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
        if self._ended:
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
        self._ended = True
        self.inlet.leave()
        self.outlet.stopProducing()
        self.session.silence()
        if self._last is not None and self._last.active():
            self._last.cancel()
        self.session.give_back()
        if not self.inlet.busy or self._parking is not None:
            # Else the running command still looks at its folder.
            self.session.sign_out()
        self._leave_parking()
        self.door.left(self)
        if self._place is not None:
            self.door.slots.give_back(self._place)
            self._meter.closed(self.outlet.octets)
            self.door.journal.disconnected(
                self.door.name, self.host, self.label, self._why, octets_in=self._meter.octets_in,
                octets_out=self.outlet.octets, seconds=self.door.clock.seconds() - self._meter.since,
            )  # fmt: skip

    def farewell(self, text: str, code: bytes = b"", *, linger: bool = False) -> None:
        """BYE with a reason, then close. linger: the client is still sending; let it read before the door shuts."""
        if self._ended:
            return
        self._why = text
        if self._place is not None:
            self._meter.replied(b"BYE")
        self._respond(b"BYE", None, message(text, code))
        self.close(linger=linger)

    def take_leave(self) -> None:
        """The node shuts down: now, or once the command that runs has its answer."""
        if not self.inlet.busy or self.inlet.waits_for_client():
            self.farewell("The node is shutting down", b"UNAVAILABLE")

    def close(self, *, linger: bool = False) -> None:
        """Close once everything is written; a client that does not even read that is cut off."""
        if self._ended:
            return
        self._ended = True
        self._leave_parking()
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
        self._ended = True
        self.transport.abortConnection()

    # Octets in

    def dataReceived(self, data: bytes) -> None:
        if self._ended:
            return
        self._meter.octets_in += len(data)
        self.inlet.receive(data)
        self._advance()

    def _advance(self) -> None:
        """Go on with the running command, or with the next ones, until more octets are needed or the turn is over."""
        if self._advancing:
            return
        self._advancing = True
        turns = self.door.turns
        turns.begin()
        try:
            while not self._ended and not self.inlet.postponed:
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
        if not self._ended:
            self.inlet.regulate()

    def _got_on(self) -> None:
        """A command is whole, or has what it asked for: octets alone put nothing off (see smtp/patience)."""
        now = self.door.clock.seconds()
        if self.session.account is None:
            self.setTimeout(min(BEFORE_SIGN_IN_S, max(self._sign_in_by - now, 0)))
        elif now - self._begun <= AUTOLOGOUT_S + (self._meter.octets_in - self._octets_before) / PACE:
            self.resetTimeout()

    def _go_on(self) -> None:
        self.inlet.postponed = False
        self._advance()

    def _take(self, event: Assembled | Ask | Refused) -> None:
        if isinstance(event, Ask):
            self.ask(b"Ready for %d octets" % event.octets)
        elif isinstance(event, Refused):
            self._refuse(event)
        else:
            self._begun, self._octets_before = self.door.clock.seconds(), self._meter.octets_in
            self._got_on()
            self.inlet.busy = True
            what = f"IMAP {event.name}"
            self.door.journal.guard(self._carry_out(self._run(event), what), what)

    def _refuse(self, event: Refused) -> None:
        self._meter.replied(event.status)
        self._respond(event.status, event.tag, message(event.text, event.code))
        if event.fatal:
            self.farewell("Too much would have to be skipped", b"TOOBIG", linger=True)
        else:
            self._count(event.status)

    def _count(self, status: bytes) -> None:
        """Ten wrong commands in a row, and whoever is there does not speak IMAP."""
        self._wrong = self._wrong + 1 if status == b"BAD" else 0
        if self._wrong >= MAX_WRONG_COMMANDS:
            self.farewell("Too many wrong commands", linger=True)

    async def _run(self, event: Assembled) -> None:
        begun = self.door.clock.seconds()
        await self.session.drained()
        ending = await run(self.session, event)
        if isinstance(ending, Ending):
            self._answer(event.tag, event.name, begun, ending)
        else:
            self._parking = Parking(ending, event.tag, event.name, begun)

    def _answer(self, tag: bytes, name: str, begun: float, ending: Ending) -> None:
        self.outlet.write(ending.octets(tag))
        verb = name if name in self.door.registry.commands else UNKNOWN
        self._meter.answered(verb, ending.status, self.door.clock.seconds() - begun, self.outlet.octets)
        self.inlet.over()
        if ending.after is not None:
            ending.after()
        if ending.farewell:
            self.farewell(ending.farewell)
        self._count(ending.status)

    async def _carry_out(self, doing: Awaitable[None], what: str) -> None:
        """A command or a part of it, and what comes next."""
        try:
            await doing
        except Gone:
            self.session.sign_out()
        except Farewell as error:
            self.farewell(error.text, error.code)
        except Exception as error:
            self.door.journal.trouble(what, error)
            self.farewell("Something went wrong here; the administrator's log says what", b"SERVERBUG")
        else:
            self._over()

    def _over(self) -> None:
        """A command has its answer or waits, or the client has its notifications: go on."""
        if self.door.draining:
            self.take_leave()
        if self._parking is not None:
            self._park(self._parking)
        elif self.session.notifier is not None and not self._ended:
            self.session.notifier.follow()
        self.door.turns.end()
        self._advance()

    # A command that waits

    def _park(self, parking: Parking) -> None:
        if self._ended:
            self._leave_parking()
            return
        self.inlet.listen(self._next_line, self.wake)
        if parking.command.woken:
            self.wake()

    @property
    def parked(self) -> bool:
        """Whether a command waits, and nothing goes on."""
        return self._parking is not None

    def wake(self, said: bytes | Overlong | None = None) -> None:
        """Something happened that the parked command waits for, or the client said something to it."""
        parking, self._parking = self._parking, None
        if parking is not None:
            self.inlet.listen_no_more()
            what = f"IMAP {parking.name}"
            self.door.journal.guard(self._carry_out(self._wake(parking, said), what), what)

    async def _wake(self, parking: Parking, said: bytes | Overlong | None) -> None:
        self.door.turns.begin()
        try:
            ending = await go_on(self.session, parking, said)
        except BaseException:
            parking.command.leave()
            raise
        if isinstance(ending, Ending):
            parking.command.leave()
            self._answer(parking.tag, parking.name, parking.begun, ending)
        else:
            self._parking = parking

    def _leave_parking(self) -> None:
        parking, self._parking = self._parking, None
        if parking is not None:
            parking.command.leave()

    # What is told between commands

    def between_commands(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it now, and no command meanwhile. When a command runs, nothing: after it the notifier is asked anyway."""
        if not self._ended and not self.inlet.busy:
            self.inlet.busy = True
            what = "notifying an IMAP client"
            self.door.journal.guard(self._carry_out(self._push(work, what), what), what)

    async def _push(self, work: Callable[[], Awaitable[None]], what: str) -> None:
        self.door.turns.begin()
        try:
            await work()
        except (Farewell, Gone):
            raise
        except Exception as error:
            self.door.journal.trouble(what, error)
        self.inlet.over()

    def sendLine(self, line: bytes) -> None:
        """Twisted's way out is ours."""
        self.outlet.write(line + b"\r\n")

    # What a running command asks of the client

    def ask(self, prompt: bytes = b"") -> None:
        """`+ prompt`: the space is there even when nothing follows."""
        self.outlet.write(b"+ %b\r\n" % prompt)

    def line(self) -> Deferred[bytes]:
        """The client's next line, outside any command (AUTHENTICATE)."""
        return self.inlet.want(self._next_line).addCallback(short)

    def _next_line(self) -> bytes | Overlong | None:
        return self.inlet.assembler.next_line(LINE_LIMIT)

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


def short(line: bytes | Overlong) -> bytes:
    """The line, if it is one that we take."""
    if isinstance(line, Overlong):
        raise Bad("The line is too long", b"TOOBIG")
    return line
