"""Signing in for every door: a twisted.cred portal with our checkers and realm, and the journal's two lines on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.cred.portal import Portal
from zope.interface import implementer

from unitymail.interfaces.book import IBook
from unitymail.interfaces.directory import ICredentials
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.login import ILogin, Place, SignInRefused
from unitymail.interfaces.threads import IThreads
from unitymail.login.checkers import PasswordChecker, PlacedPassword
from unitymail.login.passwords import Passwords
from unitymail.login.realm import ISignedIn, Realm
from unitymail.people.user import User


@implementer(ILogin)
class Login:
    """`threads` read credentials; `password_threads` (default: the same) hash, which takes tens of milliseconds each.

    `clock` waits (callLater); `now` gives Unix seconds for locks and expiry, which outlive this process.
    """

    def __init__(
        self,
        *,
        credentials: ICredentials,
        book: IBook,
        threads: IThreads,
        journal: IJournal,
        clock: Any,
        password_threads: IThreads | None = None,
        passwords: Passwords | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._checker = PasswordChecker(
            credentials=credentials,
            book=book,
            threads=threads,
            password_threads=password_threads or threads,
            passwords=passwords or Passwords(),
            clock=clock,
            now=now,
        )
        self._portal = Portal(Realm(book), [self._checker])

    def prepare(self) -> None:
        """Blocking, at start: make the decoy for unknown names, so that the first of them costs no more than others."""
        self._checker.prepare()

    async def sign_in(self, name: bytes, password: bytes, place: Place) -> User:
        given = PlacedPassword(name.decode("utf-8", "replace").strip(), password, place)
        try:
            signed_in: Any = await self._portal.login(given, place, ISignedIn)
        except SignInRefused as refusal:
            self._journal.sign_in_failed(place.door, given.name, place.client, refusal.why)
            raise
        except TryAgain as error:
            self._journal.trouble("checking a password", error)
            raise SignInRefused("busy", str(error)) from error
        user: User = signed_in[1].user
        self._journal.signed_in(place.door, user.alias, place.client)
        return user
