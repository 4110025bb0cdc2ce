"""Signing in for every door: a twisted.cred portal with our checkers and realm, and what is noted of each sign-in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.cred.portal import Portal
from zope.interface import implementer

from unitymail.interfaces.book import IBook
from unitymail.interfaces.directory import ICredentials, ScramKeys
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.login import ILogin, Place, SignInRefused
from unitymail.interfaces.metrics import IMetrics, Unmeasured
from unitymail.interfaces.threads import IThreads
from unitymail.login.checkers import PasswordChecker, PlacedPassword, PlacedProof, ProofChecker
from unitymail.login.examiner import Examiner
from unitymail.login.names import name_of
from unitymail.login.passwords import Passwords
from unitymail.login.realm import ISignedIn, Realm
from unitymail.login.scram_exchange import ScramExchange, ShownKeys
from unitymail.people.user import User


@implementer(ILogin)
class Login:
    """`threads` read credentials; `password_threads` (default: the same) hash, which takes tens of milliseconds each.

    `clock` waits (callLater); `now` gives Unix seconds for locks and expiry, which outlive this process. `prepare`
    comes before the first sign-in.
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
        metrics: IMetrics | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._metrics: IMetrics = metrics or Unmeasured()
        self._passwords = passwords or Passwords()
        self._examiner = Examiner(credentials=credentials, book=book, threads=threads, clock=clock, now=now)
        self._shown = ShownKeys(
            credentials=credentials, threads=threads, domain=lambda: book.domain,
            iterations=self._passwords.scram_iterations,
        )  # fmt: skip
        password_checker = PasswordChecker(
            examiner=self._examiner, credentials=credentials, book=book, journal=journal,
            password_threads=password_threads or threads, passwords=self._passwords, now=now,
        )  # fmt: skip
        proof_checker = ProofChecker(examiner=self._examiner, threads=threads)
        self._portal = Portal(Realm(book), [password_checker, proof_checker])

    def prepare(self) -> None:
        """Blocking, at start: make the decoy for unknown names, so that the first of them costs no more than others."""
        self._examiner.prepare(self._passwords.hash(b"decoy"))
        self._shown.prepare()

    async def sign_in(self, name: bytes, password: bytes, place: Place) -> User:
        return await self._enter(PlacedPassword(name_of(name), password, place))

    def scram(self, place: Place) -> ScramExchange:
        place = replace(place, mechanism="SCRAM-SHA-256")
        return ScramExchange(place, shown=self._keys_to_show, enter=self._enter)

    async def _keys_to_show(self, name: str) -> ScramKeys:
        try:
            return await self._shown.of(self._examiner.person(name).owner, name)
        except TryAgain as error:
            raise self._away(error) from error

    async def _enter(self, given: PlacedPassword | PlacedProof) -> User:
        place = given.place
        try:
            signed_in: Any = await self._portal.login(given, place, ISignedIn)
        except SignInRefused as refusal:
            self._journal.sign_in_failed(
                place.door, given.name, place.client, refusal.why, mechanism=place.mechanism, tls=place.tls
            )
            self._metrics.signed_in(place.door, place.mechanism, refusal.kind)
            raise
        except TryAgain as error:
            self._metrics.signed_in(place.door, place.mechanism, "busy")
            raise self._away(error) from error
        user: User = signed_in[1].user
        self._journal.signed_in(
            place.door, user.alias, place.client, mechanism=place.mechanism, tls=place.tls
        )
        self._metrics.signed_in(place.door, place.mechanism, "ok")
        return user

    def _away(self, error: TryAgain) -> SignInRefused:
        self._journal.trouble("checking a password", error)
        return SignInRefused("busy", str(error))
