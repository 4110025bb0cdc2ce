"""The connections to one next hop: how many there are, who waits for one, and which are kept for the next message.

Knows limits and times; refuses to know how a connection is made and what is said on it.

*Note: who waits.* What is to be sent waits here, and a connection takes the next message when it comes to it. So nobody
waits for one certain connection; when one cannot be made while others are, or are being made, nobody hears of that, and
no other is tried for a moment. Where it was the last one, the first who waits has the attempt, and the others come back
untried: they would only knock at the same door. Likewise when a message finds the hop down on the last connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from unitymail.interfaces.relay import Attempt, Outgoing
from unitymail.interfaces.spool import Outcome
from unitymail.interfaces.threads import IThreads
from unitymail.relay.client import Client
from unitymail.relay.connecting import CannotConnect
from unitymail.relay.conversation import Conversation
from unitymail.relay.delivery import most_recipients
from unitymail.relay.fitting import no_promise
from unitymail.relay.offers import Offers
from unitymail.relay.sending import Waiting
from unitymail.relay.turns import Settled
from unitymail.routing.next_hop import NextHop

IDLE_S = 15.0
LAST_WORDS_S = 20.0
"""How long messages under way may take to end when the node does."""
MOST_MESSAGES = 100
"""On one connection, unless the server says less."""
PAUSE_S = 10.0
"""After a connection could not be made that others work without."""
CAREFUL_S = 300.0
"""How long nothing is sent in hope to a server that was seen not to hear it."""
CLOSING = Outcome("later", why="This mail system is shutting down; the message waits for its next start.")
"""No attempt is counted: where the first failure is reported, a new start of the node would be one."""


class IConnector(Protocol):
    def open(
        self, hop: NextHop, made: Callable[[Client], None], ended: Callable[[Client], None]
    ) -> Coroutine[Deferred[Any], Any, Client]: ...


class Pool:
    """`limit` gives how many connections there may be at once."""

    def __init__(
        self, hop: NextHop, *, connector: IConnector, limit: Callable[[], int], clock: Any, threads: IThreads
    ) -> None:
        self._hop = hop
        self._connector = connector
        self._limit = limit
        self._clock = clock
        self._threads = threads
        self._waiting: deque[Waiting] = deque()
        self._busy: set[Conversation] = set()
        self._idle: list[Conversation] = []
        self._opening: set[Deferred[Client]] = set()
        self._all: set[Client] = set()
        self._about_to_ask = 0
        self._untold = 0
        self._pause: Any = None
        self._careful_until = 0.0
        self._cut_off: set[Client] = set()
        self._closed: Deferred[None] | None = None

    def __len__(self) -> int:
        """Connections that exist, ready or not."""
        return len(self._all)

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits or is to be told something, and no connection is made, used or kept."""
        return not (self._waiting or self._untold or self._busy or self._opening or self._all or self._pause)

    def send(self, outgoing: Outgoing) -> Deferred[Attempt | None]:
        """As IRelay.send."""
        waiting = Waiting(outgoing)
        self._waiting.append(waiting)
        self._serve()
        return waiting.attempt

    # Connections for those who wait.

    def _serve(self) -> None:
        if self._closed is not None:
            self._give_back(self._all_who_wait())
            return self._look_whether_closed()
        while self._waiting and self._idle:
            conversation = self._idle.pop()
            if conversation.client.usable:
                self._busy.add(conversation)
                conversation.go_on()
        while self._lacks_a_connection():
            self._open()

    def _lacks_a_connection(self) -> bool:
        soon = len(self._opening) + self._about_to_ask
        room = self._limit() - len(self._busy) - len(self._opening)
        if len(self._waiting) <= soon or room <= 0 or room <= sum(client.is_leaving for client in self._all):
            return False
        return self._is_alone() or self._pause is None

    def _is_alone(self) -> bool:
        """Whether there is no connection that serves those who wait, nor one in the making."""
        return not self._busy and not self._opening

    def _open(self) -> None:
        opening = ensureDeferred(self._connector.open(self._hop, self._all.add, self._ended))
        self._opening.add(opening)
        opening.addCallbacks(self._opened, self._not_opened, (opening,), {}, (opening, self._clock.seconds()), {})

    def _opened(self, client: Client, opening: Deferred[Client]) -> None:
        self._opening.discard(opening)
        conversation = Conversation(client, self, threads=self._threads, now=self._clock.seconds)
        self._busy.add(conversation)
        conversation.go_on()

    def _not_opened(self, failure: Failure, opening: Deferred[Client], began: float) -> None:
        self._opening.discard(opening)
        if self._closed is not None:
            return self._look_whether_closed()
        if failure.check(CannotConnect) and not self._is_alone():
            self._pause = self._pause or self._clock.callLater(PAUSE_S, self._pause_is_over)
        elif self._waiting:
            waiting = self._waiting.popleft()
            self._tell(waiting, _not_sent(failure, waiting.outgoing, self._hop.name, began))
        self._serve()

    def _pause_is_over(self) -> None:
        self._pause = None
        self._serve()

    def _ended(self, client: Client) -> None:
        self._all.discard(client)
        self._idle = [each for each in self._idle if each.client is not client]
        self._serve()

    # What conversations ask and tell (relay.turns.ITurns).

    def next(self, conversation: Conversation, *, in_hope: bool) -> Waiting | None:
        if not self._waiting or self._closed is not None or not self._may_go_on(conversation):
            return None
        if in_hope and not self._may_follow(conversation.client.offers):
            return None
        return self._waiting.popleft()

    def _may_follow(self, offers: Offers) -> bool:
        """Whether the next one may be begun behind another: not if a connection is being made that would be free."""
        if self._is_careful() or len(self._waiting) <= len(self._opening):
            return False
        return self._waiting[0].may_follow(offers)

    def _may_go_on(self, conversation: Conversation) -> bool:
        """Whether the connection has room for another message, and the site for the connection."""
        client = conversation.client
        most = min(client.offers.most_messages or MOST_MESSAGES, MOST_MESSAGES)
        if client.messages and client.messages + self._transactions(client.offers) > most:
            return False
        return len(self._busy) + len(self._opening) <= self._limit()

    def _transactions(self, offers: Offers) -> int:
        """Of the message that is next: each counts as one where the server counts them."""
        return -(-len(self._waiting[0].outgoing.recipients) // most_recipients(offers)) if self._waiting else 1

    def _is_careful(self) -> bool:
        return self._careful_until > 0 and self._clock.seconds() < self._careful_until

    def settled(self, conversation: Conversation, waiting: Waiting, attempt: Attempt | Failure) -> None:
        asks_soon = conversation.is_between_messages
        self._about_to_ask += asks_soon
        waiting.attempt.callback(attempt)  # type: ignore[arg-type]
        self._about_to_ask -= asks_soon

    def unfit(self, waiting: Waiting, attempt: Attempt | Failure) -> None:
        """Told in a later turn: a thousand may be unfit, and each that is told may let another one in."""
        self._untold += 1
        self._clock.callLater(0, self._tell_unfit, waiting, attempt)

    def _tell_unfit(self, waiting: Waiting, attempt: Attempt | Failure) -> None:
        self._untold -= 1
        waiting.attempt.callback(attempt)  # type: ignore[arg-type]
        self._look_whether_closed()

    def free(self, conversation: Conversation) -> None:
        client = conversation.client
        if self._closed is None and self._may_go_on(conversation):
            client.rest(IDLE_S)
            self._idle.append(conversation)
        else:
            client.quit()
        self._busy.discard(conversation)
        self._serve()

    def left(self, conversation: Conversation, unheard: Sequence[Waiting], settled: Settled, *, hopeless: bool) -> None:
        self._busy.discard(conversation)
        for waiting in unheard:
            waiting.returned = True
        self._waiting.extendleft(reversed(unheard))
        if hopeless:
            self._careful_until = self._clock.seconds() + CAREFUL_S
        for waiting, attempt in settled:
            if conversation.client in self._cut_off and isinstance(attempt, Attempt):
                attempt = _by_us(attempt)
            self._tell(waiting, attempt)
        self._serve()

    def _tell(self, waiting: Waiting, attempt: Attempt | Failure) -> None:
        """The attempt of one; where it found the hop down, and nobody else gets through, those who wait come back."""
        useless = isinstance(attempt, Attempt) and attempt.hop_down and self._is_alone()
        others = self._all_who_wait() if useless else []
        waiting.attempt.callback(attempt)  # type: ignore[arg-type]
        self._give_back(others)

    def _all_who_wait(self) -> list[Waiting]:
        everybody = list(self._waiting)
        self._waiting.clear()
        return everybody

    @staticmethod
    def _give_back(untried: Sequence[Waiting]) -> None:
        for waiting in untried:
            waiting.attempt.callback(None)

    # The end.

    def close(self) -> Deferred[None]:
        """Fires when every message under way has its outcome and every connection has ended, soon in any case."""
        if self._closed is None:
            self._closed = Deferred()
            self._give_back(self._all_who_wait())
            if self._pause is not None:
                self._pause.cancel()
                self._pause = None
            for opening in list(self._opening):
                opening.cancel()
            idle, self._idle = self._idle, []
            for conversation in idle:
                conversation.client.quit()
            for client in list(self._all):
                if not client.is_ready:
                    client.drop()
            cutting = self._clock.callLater(LAST_WORDS_S, self._cut)
            self._closed.addCallback(lambda _: cutting.cancel() if cutting.active() else None)
            self._look_whether_closed()
        waiter: Deferred[None] = Deferred()
        self._closed.chainDeferred(waiter)
        return waiter

    def _cut(self) -> None:
        """Who has not answered by now is not waited for."""
        self._cut_off |= self._all
        for client in list(self._all):
            client.drop()

    def _look_whether_closed(self) -> None:
        if self._closed is not None and not self._closed.called and self.is_empty:
            self._closed.callback(None)


def _by_us(attempt: Attempt) -> Attempt:
    """The attempt of a connection that we cut: no fault of the hop's."""
    outcomes = tuple(CLOSING if each.kind == "try-again" else each for each in attempt.outcomes)
    return replace(attempt, outcomes=outcomes, hop_down=False)


def _not_sent(failure: Failure, outgoing: Outgoing, name: str, began: float) -> Attempt | Failure:
    """What it means for a message that no connection can be made; surprises are raised where it was sent."""
    if not failure.check(CannotConnect):
        return failure
    cannot: CannotConnect = failure.value
    trouble = cannot.trouble
    outcome = no_promise(name) if trouble.no_tls and outgoing.require_tls else trouble.outcome()
    outcomes = (outcome,) * len(outgoing.recipients)
    waits = outcome.kind == "try-again"
    return Attempt(outcomes, cannot.dialogue.lines(), cannot.remote, hop_down=waits, began=began)
