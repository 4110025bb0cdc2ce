"""The SMTP door's connection: octets in and out, their order, TLS, timers. Refuses to know what a command means.

*Note: the order.* Replies leave in the order of their commands, whatever takes time inside (RFC 2920 3.2). So one
command is handled at a time: while an answer is pending nothing behind it is looked at, and reading stops as soon as
more arrives. The same holds while the client does not read our replies, and between two turns of a long burst; the
buffer never holds more than two reads of the socket.

The class is Twisted's ESMTP, but its line receiver, its hooks and its state are not used: see tests/smtp/
test_stock_holes.py for what they would let in.
"""

from __future__ import annotations

import secrets
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import ensureDeferred
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
from unitymail.smtp.dialogue import LONGEST_LINE, Answer, Dialogue, Mode
from unitymail.smtp.framing import Framer, LineTooLong
from unitymail.smtp.meter import Meter
from unitymail.smtp.patience import HANDSHAKE_S, Patience
from unitymail.smtp.speech import Speech
from unitymail.smtp.verbs import verb_of

if TYPE_CHECKING:
    from unitymail.smtp.server import SMTPDoor

LOOK_EVERY_S = 180.0
LINGER_S = 30
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
        self._framer = Framer()
        self._ip = ""
        self._dialogue: Dialogue | None = None
        self._meter = Meter(door.house.door, door.house.metrics, door.house.clock.seconds)
        self._speech = Speech(self._meter, door.house.clock, self._let_go)
        self._pending = self._queued = self._working = self._choked = self._paused = False
        self._handshaking = door.house.implicit_tls
        self._patience = Patience(door.house.clock.seconds())
        if door.house.implicit_tls:
            self._patience.shakes_hands(door.house.clock.seconds())
        self._timer: Any = None

    # From the transport

    def connectionMade(self) -> None:
        wire.no_delay(self.transport)
        self._ip = wire.ip_of(self.transport.getPeer())
        self.factory.sessions.add(self)
        self._admission = Admission(self.factory, self._ip, welcome=self._welcome, turn_away=self._turn_away)
        self._admission.begin()

    def _welcome(self, client: Client) -> None:
        house = self._house
        self._dialogue = dialogue = Dialogue(house, client, self._ip, secrets.token_hex(4))
        if house.implicit_tls:
            dialogue.tls_started()
        house.journal.connected(house.door, self._ip, dialogue.session)
        house.metrics.connected(house.door)
        self.transport.registerProducer(self, True)
        self._speech.add(dialogue.banner())
        self._speech.leave(self.transport)
        if not self._patience.in_handshake:
            self._patience.got_on(self._clock.seconds())
        self._look_at_the_clock()
        if len(self._framer):
            self._name_tls(dialogue)
            self._work()

    def _turn_away(self, reply: Reply) -> None:
        house = self._house
        house.journal.turned_away(house.door, self._ip, reply)
        house.metrics.turned_away(house.door, str(reply.code))
        self.factory.left(self)
        self.transport.write(reply.octets())
        self._hang_up()
        if house.implicit_tls and self.factory.crowded:
            # The words would have to wait for a handshake.
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
        self._framer.feed(data)
        if self._pending or self._choked or self._queued:
            self._stop_reading()
        else:
            self._work()

    def _hear_early(self, data: bytes) -> None:
        """What comes before the banner waits for it; more than this is not read."""
        if self._admission.decided:
            return
        self._stop_reading()
        self._meter.heard(len(data))
        self._framer.feed(data)
        self._admission.talked()

    def _name_tls(self, dialogue: Dialogue) -> None:
        """The first octets show that a handshake, if there was one, is over."""
        if self._handshaking:
            self._handshaking = False
            self.handshakeCompleted()
            dialogue.tls_named(wire.tls_version(self.transport), self._client_key())

    def handshakeCompleted(self) -> None:
        self._patience.shook_hands(self._clock.seconds())

    def _client_key(self) -> str:
        tls = self.factory.mutual_tls
        return tls.client_key(self.transport.getHandle()) if tls is not None else ""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._speech.forget_held()
        self._admission.leave()
        dialogue, self._dialogue = self._dialogue, None
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
        self._choked = True

    def resumeProducing(self) -> None:
        self._choked = False
        self._patience.got_on(self._clock.seconds())
        if not self._working and not self._pending and not self._queued:
            self._work()

    def stopProducing(self) -> None:
        """The connection is going; connectionLost does the rest."""

    # The one command at a time (see Note: the order)

    def _work(self) -> None:
        """Handle what is buffered until it is used up, an answer takes time, or others deserve a turn."""
        self._queued = False
        if self._dialogue is None or self._choked:
            return
        self._working = True
        framer, turns = self._framer, self.factory.turns
        turns.begin()
        while len(framer) and not self._pending:
            if not turns.lasts():
                self._queued = True
                turns.queue(self._work)
                break
            if not self._step():
                break
        turns.end()
        self._working = False
        self._settle_turn()

    def _step(self) -> bool:
        """Handle the next thing the client sent; False when it is not there yet, or may not be looked at."""
        dialogue = self._dialogue
        assert dialogue is not None
        mode = dialogue.mode
        if mode is Mode.DATA:
            return self._step_in_data(dialogue)
        if mode is Mode.CHUNK:
            return self._step_in_chunk(dialogue)
        if mode is Mode.CLOSING or mode is Mode.START_TLS:
            return False
        try:
            line = self._framer.line(LONGEST_LINE)
        except LineTooLong as too_long:
            self._say(dialogue, dialogue.line_too_long(endless=too_long.endless))
            return True
        if line is None:
            return False
        began, now = dialogue.receiving, self._clock.seconds()
        self._patience.got_on(now)
        answer = dialogue.hear(line)
        if isinstance(answer, bytes):
            self._say(dialogue, answer)
        else:
            self._await(answer, "AUTH" if mode is Mode.AUTH else verb_of(line))
        if dialogue.mode is Mode.DATA:
            self._framer.begin_data()
        elif dialogue.chunk is not None:
            self._framer.begin_chunk(dialogue.chunk.octets)
        if dialogue.receiving and not began:
            self._patience.message_begins(now, self._meter.octets_in)
        return True

    def _step_in_data(self, dialogue: Dialogue) -> bool:
        octets, ended = self._framer.data()
        if octets:
            dialogue.take(octets, self._framer.flaws)
        if ended:
            self._answer(dialogue, dialogue.end_of_data())
        return ended

    def _step_in_chunk(self, dialogue: Dialogue) -> bool:
        octets, ended = self._framer.chunk()
        if octets:
            dialogue.take(octets, self._framer.flaws)
        if ended:
            self._answer(dialogue, dialogue.end_of_chunk())
        return ended

    def _answer(self, dialogue: Dialogue, answer: Answer) -> None:
        if isinstance(answer, bytes):
            self._say(dialogue, answer)
        else:
            self._await(answer, "message")

    def _await(self, answer: Coroutine[Any, Any, bytes], what: str) -> None:
        """The answer to a verb, or to a whole message."""
        if what == "message":
            self._patience.message_ends(self._clock.seconds())
        self._pending = True
        began = self._clock.seconds()
        waiting = ensureDeferred(answer)
        if not waiting.called:
            self._meter.asked(what, began)
        waiting.addCallbacks(self._answered, self._failed)

    def _answered(self, octets: bytes) -> None:
        self._pending = False
        self._meter.answered()
        if self._dialogue is not None:
            self._patience.got_on(self._clock.seconds())
            self._say(self._dialogue, octets)
            self._go_on()

    def _say(self, dialogue: Dialogue, octets: bytes) -> None:
        """Now, or after the wait that so many mistakes cost; what comes behind it waits too."""
        seconds = dialogue.held_back_s
        if not seconds:
            self._speech.add(octets)
            return
        dialogue.held_back_s = 0.0
        self._pending = not (dialogue.closing or dialogue.draining)
        self._speech.add(octets, seconds if self._pending else 0.0)

    def _let_go(self) -> None:
        self._pending = False
        self._patience.got_on(self._clock.seconds())
        dialogue = self._dialogue
        if dialogue is not None and dialogue.doubtful:
            dialogue.doubtful = False
            if len(self._framer):
                self._say_last(replies.NOT_BELIEVED)
                return
        self._go_on()

    def _go_on(self) -> None:
        if not self._working and not self._choked and not self._pending:
            self._work()

    def _failed(self, failure: Failure) -> None:
        if self._dialogue is None:
            self._house.journal.trouble("SMTP session, after the client left", failure.value)
        else:
            self._answered(self._dialogue.surprised("answering", failure.value))

    def _settle_turn(self) -> None:
        """One write for all replies of the turn, then what the dialogue's mode asks for."""
        dialogue = self._dialogue
        assert dialogue is not None
        if dialogue.draining and self._at_rest(dialogue) and not len(self._framer):
            self._speech.add(dialogue.close(SHUTTING_DOWN))
        self._speech.leave(self.transport)
        if dialogue.mode is Mode.CLOSING:
            self._hang_up()
        elif dialogue.mode is Mode.START_TLS:
            self._start_tls(dialogue)
        elif self._paused and not (self._pending or self._choked or self._queued):
            self._paused = False
            self.transport.resumeProducing()

    def _at_rest(self, dialogue: Dialogue) -> bool:
        """Nothing is in flight: no message is coming in, no answer pending."""
        return not (self._pending or dialogue.receiving) and dialogue.mode in (Mode.COMMAND, Mode.AUTH)

    def _stop_reading(self) -> None:
        if not self._paused:
            self._paused = True
            self.transport.pauseProducing()

    def _start_tls(self, dialogue: Dialogue) -> None:
        """RFC 3207 4.2: what came before the handshake, in whatever segment, is forgotten."""
        self._framer.clear()
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
        if self._speech.holding:
            self._speech.release()
        elif self._at_rest(dialogue) and not self._queued:
            self._say_last(SHUTTING_DOWN)

    def _say_last(self, reply: Reply) -> None:
        assert self._dialogue is not None
        self._speech.add(self._dialogue.close(reply))
        self._settle_turn()

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
        self._timer = self._clock.callLater(LINGER_S, self.transport.abortConnection)
        self.transport.loseConnection()

    def _look_at_the_clock(self) -> None:
        """One timer for all limits: it looks as often as the shortest asks, and none is put off by another."""
        dialogue = self._dialogue
        assert dialogue is not None
        patience, octets = self._patience, self._meter.octets_in
        left = patience.left(self._clock.seconds(), receiving=dialogue.receiving, octets=octets)
        if left > 0 or self._pending:
            self._timer = self._clock.callLater(min(max(left, 1.0), LOOK_EVERY_S), self._look_at_the_clock)
        elif self._choked or patience.in_handshake:
            self.transport.abortConnection()
        else:
            self._say_last(replies.IDLE_TOO_LONG)
