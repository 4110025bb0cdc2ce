"""Message after message on one connection: which is served, and which is begun before the one in front is answered.

Knows the order of messages on the connection; refuses to know how one of them is sent (`relay.sending`,
`relay.exchange`), and who waits (`relay.pool`).

*Note: in hope.* Where the server offers PIPELINING, the envelope of the next message goes in one write with the end of
the one in front (RFC 2920 3.1), for the end of the data ends a transaction whatever is answered to it (RFC 5321
4.1.1.4). So in a steady flow each message costs one write and one read. It is done in the hope that the server goes on:
if the connection ends, or MAIL is met with 503 since the transaction before is still open there, or with 554 where
such haste is not understood, then nothing was said about the message that went behind. It is begun anew, or waits again
at the head of all, counts no attempt, and never goes in hope again.

*Note: heard to the end.* What the server said at once is heard to its end before we say more. A reply too many is then
found out, and not taken for the answer to what it preceded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from twisted.python.failure import Failure

from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.threads import IThreads
from unitymail.mail.reply import Reply
from unitymail.relay.client import Client
from unitymail.relay.content import nature_of
from unitymail.relay.fitting import Nature
from unitymail.relay.sending import Sending, Waiting
from unitymail.relay.transaction import Move, OutOfStep
from unitymail.relay.trouble import Trouble, sentence
from unitymail.relay.turns import ITurns, Settled


class Conversation:
    """`client` is ready for mail. Messages are sent from the first `go_on` until the pool is told that it is free."""

    def __init__(self, client: Client, turns: ITurns, *, threads: IThreads, now: Callable[[], float]) -> None:
        self.client = client
        self._turns = turns
        self._threads = threads
        self._now = now
        self._front: Sending | None = None
        self._behind: Sending | None = None
        self._unfinished: deque[Sending] = deque()
        self._move: Move | None = None

    # Whose turn it is.

    @property
    def is_between_messages(self) -> bool:
        return self._front is None

    def go_on(self) -> None:
        """Begin with whoever is next; if nobody is, the pool hears that this connection is free."""
        if not self.client.usable:
            return self._leave(None)
        following = self._next(in_hope=False)
        if isinstance(following, Sending):
            self._begin(following)
        elif following is not None:
            self._look_through(following)
        else:
            self.client.talk(None)
            self._turns.free(self)

    def _next(self, *, in_hope: bool) -> Sending | Waiting | None:
        """A message with a transaction to do, or one that must be looked through before."""
        if in_hope and self._unfinished:
            return None
        while self._unfinished:
            sending = self._unfinished.popleft()
            if self._has_begun(sending):
                return sending
        while (waiting := self._turns.next(self, in_hope=in_hope)) is not None:
            if not in_hope and waiting.needs_a_look(self.client.offers):
                return waiting
            sending = self._boarded(waiting)
            if self._has_begun(sending, in_hope=in_hope):
                return sending
        return None

    def _boarded(self, waiting: Waiting) -> Sending:
        return Sending(waiting, self.client, threads=self._threads, now=self._now())

    def _has_begun(self, sending: Sending, *, in_hope: bool = False) -> bool:
        """Whether there is a transaction to do, which has begun then. A surprise is raised where it was sent."""
        attempt: Attempt | Failure
        try:
            if sending.next(self._now(), in_hope=in_hope):
                return True
            attempt = sending.attempt()
        except Exception:
            attempt = Failure()
        self._turns.unfit(sending.waiting, attempt)
        return False

    def _begin(self, sending: Sending) -> None:
        self._front = sending
        self.client.talk(self)
        exchange = sending.exchange
        octets = exchange.opening()
        self.client.write(octets + self._envelope_behind() if exchange.dot_sent else octets)
        self.client.expect(exchange.patience)

    def _envelope_behind(self) -> bytes:
        """The first lines of the message that follows the one in front, if one can."""
        if self._behind is not None or not self.client.offers.pipelining:
            return b""
        following = self._next(in_hope=True)
        if not isinstance(following, Sending):
            return b""
        self._behind = following
        return following.exchange.opening()

    def _look_through(self, waiting: Waiting) -> None:
        """What the server does meanwhile is seen when that is done."""
        self.client.talk(None)
        seven_bit = not self.client.offers.eight_bit
        looking: Any = self._threads.run(nature_of, waiting.outgoing, seven_bit)
        looking.addBoth(self._looked, waiting)

    def _looked(self, nature: Nature | Failure, waiting: Waiting) -> None:
        if isinstance(nature, Failure):
            self._turns.settled(self, waiting, nature)
            return self.go_on()
        waiting.nature = nature
        if not self.client.usable:
            return self._leave(None, unheard=[waiting])
        sending = self._boarded(waiting)
        if self._has_begun(sending):
            self._begin(sending)
        else:
            self.go_on()

    # What the server says.

    def replied(self, reply: Reply) -> None:
        front = self._front
        if front is None:
            return self.client.leave()
        exchange = front.exchange
        front.dialogue.theirs(reply)
        try:
            move = exchange.transaction.take(reply)
        except OutOfStep:
            words = f"answered {reply.code} where no such answer is possible."
            return self._end(front, Trouble("4.5.0", sentence(self.client.hop, words)))
        if move is Move.WAIT:
            exchange.waits()
        elif move is Move.OVER:
            self._end(front, exchange.why_over(reply))
        else:
            self._move = move

    def heard_all(self) -> None:
        move, self._move = self._move, None
        if self._front is None:
            return self.go_on()
        exchange = self._front.exchange
        if move is Move.BODY:
            self._send_body()
        elif move is Move.LINE:
            self.client.write(exchange.lines())
        elif move is Move.DOT:
            self.client.write(exchange.lone_dot())
        elif exchange.dot_sent and (octets := self._envelope_behind()):
            self.client.write(octets)
        self.client.expect(exchange.patience)

    def _send_body(self) -> None:
        assert self._front is not None
        octets = self._front.exchange.body()
        if octets is None:
            return self._front.exchange.fetch(self._body_is_here, self._cannot_read)
        self.client.write(octets + self._envelope_behind())

    def _body_is_here(self) -> None:
        assert self._front is not None
        self._send_body()
        self.client.expect(self._front.exchange.patience)

    def waiting_for(self) -> str:
        return self._front.exchange.waiting_for() if self._front is not None else "another message"

    # How it ends.

    def broke(self, trouble: Trouble) -> None:
        if self._front is not None:
            self._end(self._front, trouble)
        else:
            self._leave(trouble)

    def _end(self, sending: Sending, trouble: Trouble | None) -> None:
        """The transaction in front is over; the one behind it comes to the front."""
        self._front, self._behind = self._behind, None
        exchange = sending.exchange
        all_answered = exchange.end()
        self.client.clean = exchange.transaction.clean
        unheard = sending.unheard(trouble)
        if trouble is not None or not all_answered:
            # Answers to come, or half a message under way: nothing more can be said here.
            in_hope = self._front is not None or (unheard and exchange.in_hope)
            hopeless = in_hope and exchange.transaction.closing is None
            if unheard:
                return self._leave(trouble, unheard=[sending.waiting], hopeless=hopeless)
            sending.note(trouble)
            return self._leave(trouble, over=[sending], hopeless=hopeless)
        if unheard:
            sending.again()
        else:
            sending.note(None)
        if sending.is_finished:
            self._turns.settled(self, sending.waiting, sending.attempt())
        else:
            self._unfinished.append(sending)

    def _cannot_read(self, failure: Failure) -> None:
        """Half a message must not look whole: the connection ends without the final dot."""
        assert self._front is not None
        sending, self._front = self._front, None
        sending.exchange.end()
        self._leave(None, settled=[(sending.waiting, failure)])

    def _leave(
        self, trouble: Trouble | None, *, unheard: Sequence[Waiting] = (), over: Sequence[Sending] = (),
        settled: Settled = (), hopeless: bool = False,
    ) -> None:  # fmt: skip
        """The connection is used no more: who was not heard waits again, for the others it ends as it stands."""
        lost = trouble or Trouble("4.4.2", sentence(self.client.hop, "closed the connection before this message."))
        others = [each for each in (self._front, *self._unfinished) if each is not None]
        self._front = None
        self._unfinished.clear()
        self.client.talk(None)
        self.client.drop()
        untouched = [each.waiting for each in others if each.is_untouched]
        ended = [*over, *(each for each in others if not each.is_untouched)]
        for each in ended:
            each.give_up(lost)
        settled = [*settled, *((each.waiting, each.attempt()) for each in ended)]
        self._turns.left(self, [*unheard, *untouched], settled, hopeless=hopeless)
