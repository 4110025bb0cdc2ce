"""twisted.cred's checkers: a password, or a proof of SCRAM that its sender knows it, from whichever door it comes.

Knows what each proves and what is remembered of it; the order, the counts and the words are the examiner's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import ICredentials as ICredCredentials
from twisted.internet.defer import Deferred
from zope.interface import implementer

from unitymail.interfaces.book import IBook
from unitymail.interfaces.directory import Credential, ICredentials, ScramKeys
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.login import Place, SignInRefused
from unitymail.interfaces.threads import IThreads
from unitymail.login import scram
from unitymail.login.cache import GoodSignIns
from unitymail.login.examiner import Examiner, Person
from unitymail.login.passwords import Passwords


class IPlacedPassword(ICredCredentials):
    """A name and a password, with the place where they were given."""


@implementer(IPlacedPassword)
@dataclass(frozen=True, slots=True)
class PlacedPassword:
    name: str
    password: bytes
    place: Place

    def __repr__(self) -> str:
        return f"<PlacedPassword of {self.name!r}>"


class IPlacedProof(ICredCredentials):
    """A name and a proof for an exchange of SCRAM in which these keys were shown, with the place."""


@implementer(IPlacedProof)
@dataclass(frozen=True, slots=True)
class PlacedProof:
    """`message` is the AuthMessage of RFC 5802 section 3."""

    name: str
    keys: ScramKeys
    message: bytes
    proof: bytes
    place: Place

    def __repr__(self) -> str:
        return f"<PlacedProof of {self.name!r}>"

    def proves(self, credential: Credential) -> bool | None:
        """None for a credential without keys. Keys that are not those shown any more are not proved."""
        right = scram.proves(self.keys, self.message, self.proof)
        return None if credential.scram is None else right and credential.scram == self.keys


@implementer(ICredentialsChecker)
class PasswordChecker:
    """`requestAvatarId` gives the user's id, or fails with SignInRefused. `password_threads` hash.

    After a good sign-in it makes the SCRAM keys that the site wants and the user lacks, or has with another count of
    iterations, in the background.
    """

    credentialInterfaces = (IPlacedPassword,)

    def __init__(
        self,
        *,
        examiner: Examiner,
        credentials: ICredentials,
        book: IBook,
        journal: IJournal,
        password_threads: IThreads,
        passwords: Passwords,
        now: Callable[[], float],
    ) -> None:
        self._examiner = examiner
        self._credentials = credentials
        self._book = book
        self._journal = journal
        self._password_threads = password_threads
        self._passwords = passwords
        self._now = now
        self._good = GoodSignIns()

    def requestAvatarId(self, credentials: PlacedPassword) -> Deferred[Any]:
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, given: PlacedPassword) -> str:
        examiner = self._examiner
        person = examiner.person(given.name)
        if not await self._known_good(person, given.password):
            async with examiner.turn(person, given.place.client):
                # What the last connection of the same person learnt, this one need not hash for.
                if not await self._known_good(person, given.password):
                    await self._long_way(person, given)
        return person.owner

    async def _known_good(self, person: Person, password: bytes) -> bool:
        """Whether this password was right within the last minute and would be now, by one read."""
        version = self._good.version(person.owner, password, self._now())
        if version is None:
            return False
        good = await self._examiner.still_good(person.owner, version)
        if not good:
            self._good.forget(person.owner)
        return good

    async def _long_way(self, person: Person, given: PlacedPassword) -> None:
        def proves(credential: Credential) -> bool:
            return self._passwords.matches(credential.password_hash, given.password)

        try:
            proved = await self._examiner.examine(person, given.place.client, proves, self._password_threads)
        except SignInRefused:
            self._good.forget(person.owner)
            raise
        self._good.remember(person.owner, given.password, proved.version, self._now())
        kept = proved.scram is not None and proved.scram.iterations == self._passwords.scram_iterations
        if not kept and self._book.site.auth_scram:
            making = self._password_threads.run(self._make_keys, proved, given.password)
            self._journal.guard(making, "making SCRAM keys")

    def _make_keys(self, proved: Credential, password: bytes) -> None:
        self._credentials.keep_scram(proved.owner, proved.version, self._passwords.scram_keys(password))


@implementer(ICredentialsChecker)
class ProofChecker:
    """`requestAvatarId` gives the user's id, or fails with SignInRefused. It saves no hash, so it keeps nothing."""

    credentialInterfaces = (IPlacedProof,)

    def __init__(self, *, examiner: Examiner, threads: IThreads) -> None:
        self._examiner = examiner
        self._threads = threads

    def requestAvatarId(self, credentials: PlacedProof) -> Deferred[Any]:
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, given: PlacedProof) -> str:
        person = self._examiner.person(given.name)
        async with self._examiner.turn(person, given.place.client):
            await self._examiner.examine(person, given.place.client, given.proves, self._threads)
        return person.owner
