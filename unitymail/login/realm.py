"""twisted.cred's realm: whether a user whose password is right may come in by this door.

Knows the class of service; refuses to know how somebody proved who they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.cred.portal import IRealm
from zope.interface import Attribute, Interface, implementer

from unitymail.interfaces.book import IBook
from unitymail.interfaces.login import Place, SignInRefused
from unitymail.people.user import User
from unitymail.policy.imap import NO_IMAP, judge_imap_sign_in

# mypy: disable-error-code="misc,empty-body"


class ISignedIn(Interface):
    """Somebody who is who they say and may come in."""

    user = Attribute("The `User`.")


@implementer(ISignedIn)
class SignedIn:
    def __init__(self, user: User) -> None:
        self.user = user


@implementer(IRealm)
class Realm:
    """Avatar ids are user ids; the mind is the `Place`."""

    def __init__(self, book: IBook) -> None:
        self._book = book

    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: Any) -> tuple[Any, SignedIn, Callable[[], None]]:
        if ISignedIn not in interfaces:
            raise NotImplementedError("this realm knows ISignedIn only")
        user = self._book.user(avatarId)
        if user is None:
            raise SignInRefused("bad-credentials", "the user was deleted meanwhile")
        if mind.service == "imap":
            self._let_in_by_imap(user, mind)
        return ISignedIn, SignedIn(user), _leave

    def _let_in_by_imap(self, user: User, place: Place) -> None:
        cos = self._book.class_of_service(user.cos)
        refusal = NO_IMAP if cos is None else judge_imap_sign_in(place.client, place.tls, self._book.site, cos)
        if refusal is NO_IMAP:
            raise SignInRefused("not-allowed", "the class of service does not allow IMAP")
        if refusal is not None:
            raise SignInRefused("needs-tls", "the class of service shows secure messages, which needs TLS")


def _leave() -> None:
    """Nothing is held for somebody who is signed in."""
