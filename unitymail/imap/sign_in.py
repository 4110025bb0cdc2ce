"""Signing in, whichever command it came by: the policy before and after the password, and what a refusal may tell.

Knows the response codes of RFC 5530; refuses to know how passwords are checked.
"""

from __future__ import annotations

from collections.abc import Awaitable

from unitymail.imap.registry import Done, Gone, No
from unitymail.imap.session import Session
from unitymail.interfaces.login import ActingForAnother, Place, SignInRefused
from unitymail.people.user import User
from unitymail.policy.imap import NO_IMAP, SECURE_NEEDS_TLS, ImapRefusal, imap_login_offered, judge_imap_sign_in

MAX_FAILURES = 3

_TOLD = {
    "bad-credentials": (b"AUTHENTICATIONFAILED", "Name or password is wrong"),
    "expired": (b"EXPIRED", "The password has expired"),
    "not-allowed": (NO_IMAP.code.encode("ascii"), NO_IMAP.text),
    "needs-tls": (SECURE_NEEDS_TLS.code.encode("ascii"), SECURE_NEEDS_TLS.text),
    "busy": (b"UNAVAILABLE", "Too many people are signing in; please try again later"),
}


def offered(session: Session) -> bool:
    """Whether a password may be sent over this connection."""
    return imap_login_offered(session.client.host, session.client.tls, session.site)


def require_offered(session: Session) -> None:
    """Refuse before the client says more: its password must not travel in the clear."""
    _refuse(judge_imap_sign_in(session.client.host, session.client.tls, session.site))


def place_of(session: Session) -> Place:
    return Place("imap", session.door.name, session.client.host, session.client.tls)


async def sign_in(session: Session, proving: Awaitable[User], command: str) -> Done:
    """Wait for the proof, then see whether this user may use this connection; then the session has an account."""
    session.since = session.book.usn
    user = await _user(session, proving)
    _refuse(_judged(session, user))
    place = await session.door.slots.sign_in(user.id, session.client.host, session.site)
    if isinstance(place, ImapRefusal):
        raise _no(place)
    session.user, session.place = user, place
    try:
        session.account = await session.run(session.door.store.account, user.id)
    except BaseException:
        session.sign_out()
        raise
    if session.client.outlet.gone:
        session.sign_out()
        raise Gone
    session.client.signed_in()
    return Done(f"{command} completed", session.capabilities())


async def _user(session: Session, proving: Awaitable[User]) -> User:
    try:
        return await proving
    except ActingForAnother:
        code, text = b"AUTHORIZATIONFAILED", "Signing in for somebody else is not possible"
        session.failures += 1
    except SignInRefused as refused:
        code, text = _TOLD[refused.kind]
        session.failures += refused.kind != "busy"
    raise No(text, code, farewell=_TOO_MANY if session.failures >= MAX_FAILURES else "")


def not_any_more(session: Session) -> ImapRefusal | None:
    """Why who is signed in may not go on since the directory changed, None when they may."""
    if session.user is None:
        return None
    user = session.book.user(session.user.id)
    if user is None:
        return DELETED
    if session.book.password_changed(user.id) > session.since:
        return CHANGED
    return _judged(session, user)


def _judged(session: Session, user: User) -> ImapRefusal | None:
    """Whether this user may use this connection."""
    cos = session.book.class_of_service(user.cos)
    if cos is None:
        return NO_CLASS
    refusal = judge_imap_sign_in(session.client.host, session.client.tls, session.site, cos)
    return refusal or (MOVED if user.home else None)


DELETED = ImapRefusal("UNAVAILABLE", "The account you signed in with is no longer there")
CHANGED = ImapRefusal("UNAVAILABLE", "Your password was changed; please sign in again")
MOVED = ImapRefusal("UNAVAILABLE", "Your mailbox is on another node")
NO_CLASS = ImapRefusal("AUTHORIZATIONFAILED", "Your account has no class of service")
_TOO_MANY = "Too many failed sign-ins"


def _refuse(refusal: ImapRefusal | None) -> None:
    if refusal is not None:
        raise _no(refusal)


def _no(refusal: ImapRefusal) -> No:
    return No(refusal.text, refusal.code.encode("ascii"))
