"""One thing at a time: what a client sent is handled in its order, and answered in that order, whatever takes time.

Knows what waits for what; refuses to know sockets, TLS and timers (`session`), and what a command means (`dialogue`).

*Note: the order.* Replies leave in the order of their commands, whatever takes time inside (RFC 2920 3.2). So one
command is handled at a time: while an answer is pending nothing behind it is looked at, and reading stops as soon as
more arrives. The same holds while the client does not read our replies, and between two turns of a long burst; the
buffer never holds more than two reads of the socket.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.python.failure import Failure

from unitymail.interfaces.journal import IJournal
from unitymail.mail.reply import Reply
from unitymail.smtp import replies
from unitymail.smtp.dialogue import LONGEST_LINE, Answer, Dialogue, Mode
from unitymail.smtp.framing import Framer, LineTooLong
from unitymail.smtp.meter import Meter
from unitymail.smtp.patience import Patience
from unitymail.smtp.speech import Speech
from unitymail.smtp.turns import Turns
from unitymail.smtp.verbs import verb_of


class Order:
    """A session's. Nothing is looked at before `dialogue` is there, nor once it is None again.

    After each stretch of work `settled` is called: replies may leave, and what the dialogue's mode asks for is done.
    """

    __slots__ = (
        "_clock", "_journal", "_meter", "_patience", "_pending", "_queued", "_settled", "_turns", "_working", "choked",
        "dialogue", "framer", "speech",
    )

    def __init__(
        self, *, meter: Meter, patience: Patience, turns: Turns, journal: IJournal, clock: Any,
        settled: Callable[[], None],
    ) -> None:  # fmt: skip
        self.dialogue: Dialogue | None = None
        self.framer = Framer()
        self.speech = Speech(meter, clock, self._let_go)
        self.choked = False
        self._meter = meter
        self._patience = patience
        self._turns = turns
        self._journal = journal
        self._clock = clock
        self._settled = settled
        self._pending = self._queued = self._working = False

    @property
    def pending(self) -> bool:
        """An answer takes time, ours or that of a reply held back: the client cannot be blamed for waiting."""
        return self._pending

    @property
    def waits(self) -> bool:
        """More that comes would not be looked at now."""
        return self._pending or self.choked or self._queued

    @property
    def at_rest(self) -> bool:
        """Nothing is in flight: no message is coming in, no answer pending."""
        dialogue = self.dialogue
        if dialogue is None or self._pending or self._queued or dialogue.receiving:
            return False
        return dialogue.mode in (Mode.COMMAND, Mode.AUTH)

    def take(self, octets: bytes) -> bool:
        """What the network brought; False when more should not be read for now."""
        self.framer.feed(octets)
        if self.waits:
            return False
        self.work()
        return True

    def release(self) -> None:
        """The client reads again."""
        self.choked = False
        self._patience.got_on(self._clock.seconds())
        if not self._queued:
            self._go_on()

    def say_last(self, reply: Reply) -> None:
        assert self.dialogue is not None
        self.speech.add(self.dialogue.close(reply))
        self._settled()

    def work(self) -> None:
        """Handle what is buffered until it is used up, an answer takes time, or others deserve a turn."""
        self._queued = False
        if self.dialogue is None or self.choked:
            return
        self._working = True
        framer, turns = self.framer, self._turns
        turns.begin()
        while len(framer) and not self._pending:
            if not turns.lasts():
                self._queued = True
                turns.queue(self.work)
                break
            if not self._step():
                break
        turns.end()
        self._working = False
        self._settled()

    def _step(self) -> bool:
        """Handle the next thing the client sent; False when it is not there yet, or may not be looked at."""
        dialogue = self.dialogue
        assert dialogue is not None
        mode = dialogue.mode
        if mode is Mode.DATA:
            return self._step_in_message(dialogue, self.framer.data, dialogue.end_of_data)
        if mode is Mode.CHUNK:
            return self._step_in_message(dialogue, self.framer.chunk, dialogue.end_of_chunk)
        if mode is Mode.CLOSING or mode is Mode.START_TLS:
            return False
        try:
            line = self.framer.line(LONGEST_LINE)
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
            self.framer.begin_data()
        elif dialogue.chunk is not None:
            self.framer.begin_chunk(dialogue.chunk.octets)
        if dialogue.receiving and not began:
            self._patience.message_begins(now, self._meter.octets_in)
        return True

    def _step_in_message(
        self, dialogue: Dialogue, more: Callable[[], tuple[bytes, bool]], end: Callable[[], Answer]
    ) -> bool:
        octets, ended = more()
        if octets:
            dialogue.take(octets, self.framer.flaws)
        if ended:
            answer = end()
            if isinstance(answer, bytes):
                self._say(dialogue, answer)
            else:
                self._await(answer, "message")
        return ended

    def _await(self, answer: Coroutine[Any, Any, bytes], what: str) -> None:
        """The answer to a verb, or to a whole `message`."""
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
        if self.dialogue is not None:
            self._patience.got_on(self._clock.seconds())
            self._say(self.dialogue, octets)
            self._go_on()

    def _failed(self, failure: Failure) -> None:
        if self.dialogue is None:
            self._journal.trouble("SMTP session, after the client left", failure.value)
        else:
            self._answered(self.dialogue.surprised("answering", failure.value))

    def _say(self, dialogue: Dialogue, octets: bytes) -> None:
        """Now, or after the wait that so many mistakes cost; what comes behind it waits too."""
        seconds = dialogue.held_back_s
        if not seconds:
            self.speech.add(octets)
            return
        dialogue.held_back_s = 0.0
        self._pending = not (dialogue.closing or dialogue.draining)
        self.speech.add(octets, seconds if self._pending else 0.0)

    def _let_go(self) -> None:
        self._pending = False
        self._patience.got_on(self._clock.seconds())
        dialogue = self.dialogue
        if dialogue is not None and dialogue.doubtful:
            dialogue.doubtful = False
            if len(self.framer):
                self.say_last(replies.NOT_BELIEVED)
                return
        self._go_on()

    def _go_on(self) -> None:
        if not self._working and not self.choked and not self._pending:
            self.work()
