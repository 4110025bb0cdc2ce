"""What a client hears of how full the mailbox is: once when it is or becomes so (RFC 9208, 4.3.1; RFC 9051, 7.1).

Knows what has been said on this connection; refuses to know how octets are counted. Nothing is said to who neither has
a mailbox selected nor brings messages into one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap.wire import response
from unitymail.people.user import Quota
from unitymail.policy.fullness import Level, level_known, level_of

if TYPE_CHECKING:
    from unitymail.imap.session import Session

_MIB = 1024 * 1024


def tell(session: Session, *, adding: bool) -> None:
    """Say it when a limit is reached of which this client does not know. adding: the command brought messages."""
    user = session.book.user(session.user.id) if session.user is not None else None
    if session.account is None or user is None or not (adding or session.folder is not None):
        return
    octets = session.account.used()
    known = level_known(session.fullness, octets, user.quota)
    session.fullness = max(known, level_of(octets, user.quota))
    if session.fullness > known:
        code = b"ALERT" if session.fullness is Level.RECEIVE else b"OVERQUOTA"
        words = _words(session.fullness, octets, user.quota)
        session.send(b"* NO [%b] %b\r\n" % (code, response.text(words)))


def _words(level: Level, octets: int, quota: Quota) -> str:
    if level is Level.RECEIVE:
        return f"Your mailbox is full ({_size(octets)}): no message comes in until you delete some"
    if level is Level.SEND:
        return f"Your mailbox is too full ({_size(octets)}) for you to send messages; please delete some"
    full = f", it is full at {_size(quota.receive)}" if quota.receive else ""
    return f"Your mailbox is almost full ({_size(octets)}{full}); please delete some messages"


def _size(octets: int) -> str:
    return f"{octets / _MIB:.1f} MB"
