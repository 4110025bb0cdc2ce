"""IDLE (RFC 2177): news at once, until DONE.

With NOTIFY it tells what that asked for (RFC 5465, 4), and of EXPUNGE in any case.
Some clients never fetch again after a link was dropped while idle, so an untagged OK keeps it alive, and the autologout
is a little beyond the half hour that the RFC promises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from unitymail.imap.registry import Bad, Done, Farewell, command
from unitymail.imap.session import Session, deleted
from unitymail.imap.sign_in import not_any_more
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.errors import Trouble

CAPABILITIES = ("IDLE",)
STILL_HERE_S = 120
PATIENCE_S = 31 * 60


@command("IDLE")
async def idle(session: Session, reader: Reader) -> Done:
    reader.end()
    session.client.ask(b"idling")
    session.client.setTimeout(PATIENCE_S)
    said = await _news_until_line(session)
    session.client.signed_in()
    if said.upper() != b"DONE":
        raise Bad("Expected DONE")
    return Done("IDLE completed")


async def _news_until_line(session: Session) -> bytes:
    """Tell what changes until the client says something; its line."""
    alarm = _Alarm()
    stop = None
    notifier = session.notifier
    if notifier is not None:
        notifier.idling = alarm.ring
    elif session.folder is not None:
        stop = session.door.watches.watch(session.account.id, session.folder, alarm.ring)
    pulse = _Pulse(session, alarm.ring)
    line = session.client.line().addBoth(alarm.answer)
    try:
        await _look(session)
        while not line.called:
            await alarm.wait()
            if refusal := not_any_more(session):
                raise Farewell(refusal.text, refusal.code.encode("ascii"))
            session.door.turns.begin()
            if notifier is not None:
                await notifier.tell(expunges=True)
            elif session.folder is not None:
                # The watch has looked, once for all who wait.
                await session.tell(session.folder.snapshot, expunges=True)
    finally:
        pulse.stop()
        if notifier is not None:
            notifier.idling = None
        if stop is not None:
            stop()
    if isinstance(alarm.said, Failure):
        alarm.said.raiseException()
    return alarm.said


async def _look(session: Session) -> None:
    try:
        await session.catch_up(True, look=True)
    except Trouble as error:
        session.journal.trouble("looking for changes in a folder", error)


class _Alarm:
    """Wakes the one who waits when a folder rings or the client speaks; rings meanwhile are kept."""

    def __init__(self) -> None:
        self.said: Any = None
        self._rung = False
        self._gone = False
        self._waiting: Deferred[None] | None = None

    def ring(self, gone: bool = False) -> None:
        self._rung = True
        self._gone = self._gone or gone
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.callback(None)

    def answer(self, said: bytes | Failure) -> None:
        self.said = said
        self.ring()

    async def wait(self) -> None:
        if not self._rung:
            self._waiting = Deferred()
            await self._waiting
        self._rung = False
        if self._gone:
            raise deleted()


class _Pulse:
    """An untagged OK every two minutes, unless the client has stopped reading, and a look at who it is."""

    def __init__(self, session: Session, ring: Callable[[], None]) -> None:
        self._session = session
        self._ring = ring
        self._timer = session.clock.callLater(STILL_HERE_S, self._beat)

    def _beat(self) -> None:
        if not self._session.client.outlet.full:
            self._session.send(b"* OK Still here\r\n")
        self._timer = self._session.clock.callLater(STILL_HERE_S, self._beat)
        self._ring()

    def stop(self) -> None:
        self._timer.cancel()
