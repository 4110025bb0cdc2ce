"""The connections to one next hop: how many there are, who waits for one, and which are kept for the next message.

Knows limits and times; refuses to know how a connection is made and what is said on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.error import ConnectingCancelledError

from unitymail.interfaces.relay import Attempt, Outgoing
from unitymail.interfaces.spool import Outcome
from unitymail.interfaces.threads import IThreads
from unitymail.relay.client import Client
from unitymail.relay.connecting import CannotConnect
from unitymail.relay.sending import send
from unitymail.routing.next_hop import NextHop

IDLE_S = 15.0
LAST_WORDS_S = 20.0
"""How long messages under way may take to end when the node does."""
MOST_MESSAGES = 100
"""On one connection, unless the server says less."""
CLOSING = Outcome("later", why="This mail system is shutting down; the message waits for its next start.")
"""No attempt is counted: where the first failure is reported, a new start of the node would be one."""


class IConnector(Protocol):
    def open(
        self, hop: NextHop, made: Callable[[Client], None], ended: Callable[[Client], None]
    ) -> Coroutine[Deferred[Any], Any, Client]: ...


class Pool:
    """`limit` gives how many connections there may be at once."""

    def __init__(self, *, connector: IConnector, limit: Callable[[], int], clock: Any, threads: IThreads) -> None:
        self._connector = connector
        self._limit = limit
        self._clock = clock
        self._threads = threads
        self._under_way = 0
        self._waiting: deque[Deferred[None]] = deque()
        self._idle: list[Client] = []
        self._all: set[Client] = set()
        self._opening: set[Deferred[Client]] = set()
        self._cut_off: set[Client] = set()
        self._closed: Deferred[None] | None = None

    def __len__(self) -> int:
        """Connections that exist, ready or not."""
        return len(self._all)

    async def send(self, hop: NextHop, outgoing: Outgoing) -> Attempt:
        """As IRelay.send. Waits for its turn where `limit` messages are under way."""
        if self._under_way >= self._limit():
            turn: Deferred[None] = Deferred()
            self._waiting.append(turn)
            await turn
        else:
            self._under_way += 1
        try:
            if self._closed is not None:
                return _for_all(CLOSING, outgoing)
            return await self._send(hop, outgoing)
        finally:
            self._next()

    def _next(self) -> None:
        """Whose turn is next takes the place of who is done, in a later turn of the reactor: a thousand may wait."""
        if self._waiting and self._under_way <= self._limit():
            self._clock.callLater(0, self._waiting.popleft().callback, None)
        else:
            self._under_way -= 1
        self._look_whether_closed()

    async def _send(self, hop: NextHop, outgoing: Outgoing) -> Attempt:
        client = self._kept(hop)
        if client is not None:
            attempt = await self._on(client, outgoing)
            if attempt is not None:
                return attempt
        if self._closed is not None:
            return _for_all(CLOSING, outgoing)
        opening = ensureDeferred(self._connector.open(hop, self._all.add, self._ended))
        self._opening.add(opening)
        try:
            client = await opening
        except (CancelledError, ConnectingCancelledError):
            return _for_all(CLOSING, outgoing)
        except CannotConnect as failed:
            outcome = failed.trouble.outcome()
            waits = outcome.kind == "try-again"
            return _for_all(outcome, outgoing, failed.dialogue.lines(), failed.remote, hop_down=waits)
        finally:
            self._opening.discard(opening)
        attempt = await self._on(client, outgoing)
        assert attempt is not None, "only a connection that was used before is stale"
        return attempt

    async def _on(self, client: Client, outgoing: Outgoing) -> Attempt | None:
        try:
            attempt = await send(client, outgoing, threads=self._threads, now=self._clock.seconds)
        finally:
            self._keep(client)
        return _by_us(attempt) if attempt is not None and client in self._cut_off else attempt

    def _kept(self, hop: NextHop) -> Client | None:
        """The connection used last, and so the surest to be alive; those of a hop that was changed since end."""
        while self._idle:
            client = self._idle.pop()
            if client.usable and (client.hop is hop or client.hop == hop):
                return client
            client.quit()
        return None

    def _keep(self, client: Client) -> None:
        most = min(client.offers.most_messages or MOST_MESSAGES, MOST_MESSAGES)
        too_many = self._under_way > self._limit()
        if client.usable and client.messages < most and self._closed is None and not too_many:
            client.rest(IDLE_S)
            self._idle.append(client)
        else:
            client.quit()

    def _ended(self, client: Client) -> None:
        self._all.discard(client)
        if client in self._idle:
            self._idle.remove(client)
        self._look_whether_closed()

    def close(self) -> Deferred[None]:
        """Fires when every message under way has its outcome and every connection has ended, soon in any case."""
        if self._closed is None:
            self._closed = Deferred()
            while self._waiting:
                self._under_way += 1
                self._waiting.popleft().callback(None)
            for opening in list(self._opening):
                opening.cancel()
            idle, self._idle = self._idle, []
            for client in idle:
                client.quit()
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
        closed = self._closed
        if closed is not None and not closed.called and not self._under_way and not self._all:
            closed.callback(None)


def _by_us(attempt: Attempt) -> Attempt:
    """The attempt of a connection that we cut: no fault of the hop's."""
    outcomes = tuple(CLOSING if each.kind == "try-again" else each for each in attempt.outcomes)
    return replace(attempt, outcomes=outcomes, hop_down=False)


def _for_all(
    outcome: Outcome, outgoing: Outgoing, dialogue: tuple[str, ...] = (), remote: str = "", *, hop_down: bool = False
) -> Attempt:
    return Attempt((outcome,) * len(outgoing.recipients), dialogue, remote, hop_down)
