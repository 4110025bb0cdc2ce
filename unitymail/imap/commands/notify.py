"""NOTIFY (RFC 5465): what a client wants to hear of, at any time, in the selected mailbox and in others."""

from __future__ import annotations

from unitymail.imap.difference import unheard
from unitymail.imap.notify.notifier import Notifier
from unitymail.imap.notify.wish import Wish, wish
from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import Done, command
from unitymail.imap.session import Session
from unitymail.imap.telling import octets_of
from unitymail.imap.wire.lexer import BadSyntax, Reader

CAPABILITIES = ("NOTIFY",)


@command("NOTIFY", polls=True)
async def notify(session: Session, reader: Reader) -> Done:
    """What happened in the selected mailbox is told at the end, as by NOOP, if the client wants to hear of that."""
    verb = reader.atom().upper()
    if verb == "NONE":
        reader.end()
        await _begin(session, Notifier(session, Wish()), tell_status=False)
    elif verb == "SET":
        tell_status = reader.take(b" STATUS")
        reader.space()
        await _begin(session, Notifier(session, wish(reader)), tell_status=tell_status)
        await _tell_unheard(session)
    else:
        raise BadSyntax("NOTIFY takes SET or NONE")
    return Done("NOTIFY completed")


async def _begin(session: Session, notifier: Notifier, *, tell_status: bool) -> None:
    """A NOTIFY that is refused leaves the one before in force."""
    try:
        await notifier.start(tell_status=tell_status)
        await session.drained()
    except BaseException:
        notifier.stop()
        raise
    earlier, session.notifier = session.notifier, notifier
    if earlier is not None:
        earlier.stop()
        notifier.replaces(earlier)


async def _tell_unheard(session: Session) -> None:
    """Flags that changed while the client did not want to hear of them are among what has accumulated (3.1)."""
    view, notifier = session.view, session.notifier
    if view is None or not view.unheard or notifier is None or not notifier.wants_flags:
        return
    told = await reckon(session, len(view), unheard, view)
    view.unheard = False
    session.send(await reckon(session, len(view), octets_of, told, view, session.manner))
