"""IDLE (RFC 2177): news at once, until DONE.

With NOTIFY it tells what that asked for (RFC 5465, 4), and of EXPUNGE in any case. Some clients never fetch again after
a link was dropped while idle, so an untagged OK keeps it alive, and the autologout is a little beyond the half hour
that the RFC promises.
"""

from __future__ import annotations

from collections.abc import Callable

from unitymail.imap.keeping_up import tell_at_once
from unitymail.imap.parking import Parked
from unitymail.imap.registry import Bad, Done, Farewell, command
from unitymail.imap.session import Session, deleted
from unitymail.imap.sign_in import not_any_more
from unitymail.imap.wire.assembly import Overlong
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.errors import Trouble

CAPABILITIES = ("IDLE",)
PATIENCE_S = 31 * 60


@command("IDLE")
async def idle(session: Session, reader: Reader) -> Done | Parked:
    reader.end()
    session.client.ask(b"idling")
    session.client.setTimeout(PATIENCE_S)
    idling = _Idling(session)
    try:
        await session.catch_up(True, look=True)
    except Trouble as error:
        session.journal.trouble("looking for changes in a folder", error)
    except BaseException:
        idling.leave()
        raise
    return idling


class _Idling:
    """A client that idles: woken when its folder has news, when it says something, and now and then."""

    __slots__ = ("_due", "_gone", "_session", "_stop", "woken")

    def __init__(self, session: Session) -> None:
        self.woken = False
        self._gone = False
        self._session = session
        self._stop: Callable[[], None] | None = None
        if session.notifier is not None:
            session.notifier.idling = self._ring
        elif session.folder is not None:
            self._stop = session.door.watches.watch(session.account.id, session.folder, self._ring)
        self._due = session.door.beats.add(self)

    def _ring(self, gone: bool = False) -> None:
        session = self._session
        quick = self._stop is not None and not gone and session.client.conductor.parked
        if quick and not not_any_more(session) and tell_at_once(session):
            return
        self.woken = True
        self._gone = self._gone or gone
        session.client.conductor.wake()

    def beat(self) -> None:
        """Still here, unless the client has stopped reading; and a look at who it is."""
        session = self._session
        self._due = session.door.beats.add(self)
        if not session.client.outlet.full:
            session.send(b"* OK Still here\r\n")
        self._ring()

    async def go_on(self, said: bytes | Overlong | None) -> Done | Parked:
        if said is None:
            await self._tell()
            return self
        self._session.client.signed_in()
        if isinstance(said, Overlong) or said.upper() != b"DONE":
            raise Bad("Expected DONE")
        return Done("IDLE completed")

    async def _tell(self) -> None:
        session = self._session
        self.woken = False
        if self._gone:
            raise deleted()
        if refusal := not_any_more(session):
            raise Farewell(refusal.text, refusal.code.encode("ascii"))
        if session.notifier is not None:
            await session.notifier.tell(expunges=True)
        elif session.folder is not None:
            # The watch has looked, once for all who wait.
            await session.tell(session.folder.snapshot, expunges=True)

    def leave(self) -> None:
        session = self._session
        session.door.beats.remove(self, self._due)
        if session.notifier is not None:
            session.notifier.idling = None
        if self._stop is not None:
            self._stop()
            self._stop = None
