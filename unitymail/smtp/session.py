"""The SMTP door's connection: octets in and out, TLS, the clock, the end.

Refuses to know what is handled when (`order`), and what a command means (`dialogue`).

The class is Twisted's ESMTP, but its line receiver, its hooks and its state are not used: see tests/smtp/
test_stock_holes.py for what they would let in.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IHandshakeListener, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.mail import smtp
from twisted.python.failure import Failure
from zope.interface import implementer

from unitymail.interfaces.errors import SHUTTING_DOWN
from unitymail.mail.reply import Reply
from unitymail.policy.access import Client
from unitymail.smtp import replies, wire
from unitymail.smtp.admission import Admission
from unitymail.smtp.dialogue import Dialogue, Mode
from unitymail.smtp.meter import Meter
from unitymail.smtp.order import Order
from unitymail.smtp.patience import HANDSHAKE_S, Patience

if TYPE_CHECKING:
    from unitymail.smtp.server import SMTPDoor

LOOK_EVERY_S = 180.0
LINGER_S = 30
FAREWELL_S = 5
"""A stop waits for no client that was told all and does not close: under TLS many never do."""
"""After we hung up: how long a client may take to read the last reply."""


@implementer(IPushProducer, IHandshakeListener)
class SMTPSession(smtp.ESMTP):
    """One connection. It is the push producer of its own transport: a client that does not read is not served."""

    transport: Any
    factory: SMTPDoor
    _admission: Admission

    def __init__(self, door: SMTPDoor) -> None:
        smtp.ESMTP.__init__(self, contextFactory=door.house.tls)
        self.factory = door
        self._house = door.house
        self._clock = door.house.clock
        self._ip = ""
        self._meter = Meter(door.house.door, door.house.metrics, door.house.clock.seconds)
        self._patience = Patience(door.house.clock.seconds())
        self._order = Order(
            meter=self._meter, patience=self._patience, turns=door.turns, journal=door.house.journal,
            clock=door.house.clock, settled=self._settle_turn,
        )  # fmt: skip
        self._paused = False
        self._handshaking = door.house.implicit_tls
        if door.house.implicit_tls:
            self._patience.shakes_hands(door.house.clock.seconds())
        self._timer: Any = None

    @property
    def _dialogue(self) -> Dialogue | None:
        """What is talked about, from the banner to the end."""
        return self._order.dialogue

    # From the transport

    def connectionMade(self) -> None:
        wire.no_delay(self.transport)
        self._ip = wire.ip_of(self.transport.getPeer())
        self.factory.sessions.add(self)
        self._admission = Admission(self.factory, self._ip, welcome=self._welcome, turn_away=self._turn_away)
        self._admission.begin()

    def _welcome(self, client: Client) -> None:
        house = self._house
        self._order.dialogue = dialogue = Dialogue(house, client, self._ip, secrets.token_hex(4))
        if not self._patience.in_handshake:
            self._patience.got_on(self._clock.seconds())
        self._look_at_the_clock()
        self.transport.registerProducer(self, True)
        if house.implicit_tls:
            dialogue.tls_started()
        house.journal.connected(house.door, self._ip, dialogue.session)
        house.metrics.connected(house.door)
        self._order.speech.add(dialogue.banner())
        self._order.speech.leave(self.transport)
        if len(self._order.framer):
            self._name_tls(dialogue)
            self._order.work()

    def _turn_away(self, reply: Reply) -> None:
        house = self._house
        house.journal.turned_away(house.door, self._ip, reply)
        house.metrics.turned_away(house.door, str(reply.code))
        self.factory.left(self)
        self.transport.write(reply.octets())
        self._hang_up()
        if house.implicit_tls and self.factory.places.flooded:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        dialogue = self._dialogue
        if dialogue is None:
            self._hear_early(data)
            return
        if dialogue.mode is Mode.CLOSING:
            return
        self._patience.heard(self._clock.seconds())
        self._meter.heard(len(data))
        if self._handshaking:
            self._name_tls(dialogue)
        if not self._order.take(data):
            self._stop_reading()

    def _hear_early(self, data: bytes) -> None:
        """What comes before the banner waits for it; more than this is not read."""
        if self._admission.decided:
            return
        self._stop_reading()
        self._meter.heard(len(data))
        self._order.framer.feed(data)
        self._admission.talked()

    def _name_tls(self, dialogue: Dialogue) -> None:
        """The first octets show that a handshake, if there was one, is over."""
        if self._handshaking:
            self._handshaking = False
            self.handshakeCompleted()
            dialogue.who.tls_named(wire.tls_version(self.transport), self._client_key())

    def handshakeCompleted(self) -> None:
        self._patience.shook_hands(self._clock.seconds())

    def _client_key(self) -> str:
        tls = self.factory.mutual_tls
        return tls.client_key(self.transport.getHandle()) if tls is not None else ""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._order.speech.forget_held()
        self._admission.leave()
        dialogue, self._order.dialogue = self._dialogue, None
        if dialogue is not None:
            dialogue.lost()
            self._tell_end(dialogue, reason.getErrorMessage())
        self.factory.left(self)

    def _tell_end(self, dialogue: Dialogue, why: str) -> None:
        house, meter = self._house, self._meter
        house.metrics.disconnected(house.door)
        house.journal.disconnected(
            house.door, dialogue.ip, dialogue.session, why, octets_in=meter.octets_in, octets_out=meter.octets_out,
            messages=dialogue.messages, seconds=max(self._clock.seconds() - meter.began, 0.0),
        )  # fmt: skip

    # As a producer of replies

    def pauseProducing(self) -> None:
        """The client does not read: do nothing more for it until it does.

        Reading goes on until something comes: a TLS handshake must read to be able to write.
        """
        self._order.choked = True

    def resumeProducing(self) -> None:
        self._order.release()

    def stopProducing(self) -> None:
        """The connection is going; connectionLost does the rest."""

    # What the order asks for

    def _settle_turn(self) -> None:
        """One write for all replies of the turn, then what the dialogue's mode asks for."""
        dialogue = self._dialogue
        assert dialogue is not None
        order = self._order
        if dialogue.draining and order.at_rest and not len(order.framer):
            order.speech.add(dialogue.close(SHUTTING_DOWN))
        self._order.speech.leave(self.transport)
        if dialogue.mode is Mode.CLOSING:
            self._hang_up()
        elif dialogue.mode is Mode.START_TLS:
            self._start_tls(dialogue)
        elif self._paused and not order.waits:
            self._paused = False
            self.transport.resumeProducing()

    def _stop_reading(self) -> None:
        if not self._paused:
            self._paused = True
            self.transport.pauseProducing()

    def _start_tls(self, dialogue: Dialogue) -> None:
        """RFC 3207 4.2: what came before the handshake, in whatever segment, is forgotten."""
        self._order.framer.clear()
        dialogue.tls_started()
        self._handshaking = True
        self._patience.shakes_hands(self._clock.seconds())
        self._timer.reset(HANDSHAKE_S)
        if self._paused:
            self._paused = False
            self.transport.resumeProducing()
        self.transport.startTLS(self._house.tls)

    # Ends

    def drain(self) -> None:
        """The node stops: finish what is in flight, begin nothing."""
        dialogue = self._dialogue
        if dialogue is None:
            self._admission.refuse(SHUTTING_DOWN)
            return
        dialogue.draining = True
        if self._patience.in_handshake:
            # Words would wait for its end, and the node with them. The client has said nothing that could be lost.
            self.transport.abortConnection()
        elif self._order.speech.holding:
            self._order.speech.release()
        elif self._order.at_rest:
            self._order.say_last(SHUTTING_DOWN)

    def _hang_up(self) -> None:
        """Close once the last reply is sent; a client that never takes it is cut off."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._dialogue is not None:
            self.transport.unregisterProducer()
        if self._paused:
            # A transport that does not read does not see the other end close either.
            self._paused = False
            self.transport.resumeProducing()
        linger = FAREWELL_S if self.factory.draining else LINGER_S
        self._timer = self._clock.callLater(linger, self.transport.abortConnection)
        self.transport.loseConnection()

    def _look_at_the_clock(self) -> None:
        """One timer for all limits: it looks as often as the shortest asks, and none is put off by another."""
        dialogue = self._dialogue
        assert dialogue is not None
        patience = self._patience
        left = patience.left(
            self._clock.seconds(), receiving=dialogue.receiving, octets=self._meter.octets_in,
            recipients=len(dialogue.transaction.recipients) if dialogue.transaction is not None else 0,
        )  # fmt: skip
        if left > 0 or self._order.pending:
            self._timer = self._clock.callLater(min(max(left, 1.0), LOOK_EVERY_S), self._look_at_the_clock)
        elif self._order.choked or patience.in_handshake:
            self.transport.abortConnection()
        else:
            self._order.say_last(replies.IDLE_TOO_LONG)
