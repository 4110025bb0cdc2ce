"""One command from its octets to its tagged response: found, run, and whatever happens turned into words.

Knows how commands end; refuses to know any of them, and the connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from unitymail.imap.parking import Parked, Parking
from unitymail.imap.refusals import refusal_of
from unitymail.imap.registry import SELECTED, Bad, Command, Done, Farewell, Gone, No
from unitymail.imap.session import Session, deleted
from unitymail.imap.sign_in import not_any_more
from unitymail.imap.wire import response
from unitymail.imap.wire.assembly import Assembled, Overlong
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.names import BadName
from unitymail.interfaces.errors import Trouble


@dataclass(frozen=True, slots=True)
class Ending:
    """A tagged response, what to do once it is written, and the BYE that follows it, if any."""

    status: bytes
    text: str
    code: bytes = b""
    after: Callable[[], None] | None = None
    farewell: str = ""

    def octets(self, tag: bytes) -> bytes:
        return b"%b %b %b\r\n" % (tag, self.status, message(self.text, self.code))


def message(text: str, code: bytes) -> bytes:
    """The words of a response, after its code in brackets."""
    words = response.text(text)
    return b"[%b] %b" % (code, words) if code else words


async def run(session: Session, event: Assembled) -> Ending | Parked:
    """Run the command; raises Farewell or Gone when there is to be no tagged response."""
    try:
        command = _find(session, event)
        session.begin(event.tag, by_uid=event.by_uid)
        ending = await _ending_of(session, event.name, _done(session, command, event))
        if isinstance(ending, Ending):
            if ending.status == b"NO" and _has_lost_its_folder(session, command):
                raise deleted()
            ending = await _caught_up(session, ending, event.by_uid or not command.holds_expunges, look=command.polls)
    except Bad as error:
        ending = Ending(b"BAD", error.text, error.code)
    finally:
        session.client.inlet.assembler.abandon_upload()
    return ending


async def go_on(session: Session, parking: Parking, said: bytes | Overlong | None) -> Ending | Parked:
    """Run a parked command until it is over or waits again; raises as `run`."""
    try:
        ending = await _ending_of(session, parking.name, parking.command.go_on(said))
        if isinstance(ending, Ending):
            ending = await _caught_up(session, ending, True, look=False)
    except Bad as error:
        ending = Ending(b"BAD", error.text, error.code)
    return ending


def _find(session: Session, event: Assembled) -> Command:
    command = session.door.registry.commands.get(event.name)
    if command is None:
        raise Bad(f"There is no command {event.name[:40]}")
    if event.by_uid and not command.uid:
        raise Bad(f"There is no command UID {event.name[:40]}")
    if command.name != "LOGOUT" and (refusal := not_any_more(session)):
        raise Farewell(refusal.text, refusal.code.encode("ascii"))
    if session.state not in command.states:
        raise Bad(f"{event.name} cannot be used {_place(session, command)}")
    if _has_lost_its_folder(session, command):
        raise deleted()
    if session.uid_only and command.uid and command.by_number and not event.by_uid:
        raise Bad(f"Messages are named by UID here; please use UID {event.name}", b"UIDREQUIRED")
    return command


def _has_lost_its_folder(session: Session, command: Command) -> bool:
    """RFC 2180, 3.3: who goes on working in a mailbox that somebody deleted is shown out; it can only be left."""
    if command.states != SELECTED or command.leaves or session.folder is None:
        return False
    return bool(session.folder.is_deleted)


def _place(session: Session, command: Command) -> str:
    if session.account is None:
        return "before signing in"
    return "with no mailbox selected" if command.states == SELECTED else "after signing in"


async def _done(session: Session, command: Command, event: Assembled) -> Done | Parked:
    how = {"by_uid": event.by_uid} if command.uid else {}
    return await command.run(session, Reader(event.parts, utf8=session.utf8), **how)


async def _ending_of(session: Session, name: str, doing: Awaitable[Done | Parked]) -> Ending | Parked:
    try:
        done = await doing
    except No as error:
        return _refusal(error)
    except BadName as error:
        return Ending(b"NO", str(error), b"CANNOT")
    except BadSyntax as error:
        raise Bad(str(error)) from None
    except Trouble as error:
        if error.__cause__ is not None:
            session.journal.trouble(f"IMAP {name}", error)
        return _refusal(refusal_of(error))
    except (Bad, Farewell, Gone):
        raise
    except Exception as error:
        session.journal.trouble(f"IMAP {name}", error)
        return Ending(b"NO", "Something went wrong here; the administrator's log says what", b"SERVERBUG")
    return Ending(b"OK", done.text, done.code, done.after) if isinstance(done, Done) else done


def _refusal(no: No) -> Ending:
    return Ending(b"NO", no.text, no.code, None, no.farewell)


async def _caught_up(session: Session, ending: Ending, expunges: bool, *, look: bool) -> Ending:
    """Untagged news before the tagged response. What goes wrong now does not undo what the command did.

    So who must go still hears how it ended: of an APPEND without an answer there would be two soon.
    """
    try:
        if session.folder is not None and session.folder.is_deleted:
            raise deleted()
        await session.catch_up(expunges, look=look)
    except Farewell as error:
        return replace(ending, farewell=error.text)
    except Gone:
        raise
    except Exception as error:
        session.journal.trouble("looking for changes in a folder", error)
    return ending
