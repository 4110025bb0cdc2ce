"""twisted.cred's checker for a name and a password, from whichever door they come.

Knows how a password is checked at equal cost for every kind of failure; refuses to know what a user may do (that is
the realm's). Note *Equal*: an unknown name is checked against the decoy credential, owner "", by the same steps: read,
hash, one write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import ICredentials as ICredCredentials
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from zope.interface import implementer

from unitymail.interfaces.book import IBook
from unitymail.interfaces.directory import Attempts, Credential, ICredentials
from unitymail.interfaces.login import Place, SignInRefused
from unitymail.interfaces.threads import IThreads
from unitymail.login import lockout
from unitymail.login.cache import GoodSignIns
from unitymail.login.delays import Delays
from unitymail.login.gate import Full, Gate
from unitymail.login.passwords import Passwords
from unitymail.people.authentication_rule import AuthenticationRule

DECOY = ""
MOST_WAITING = 512
MOST_WAITING_FOR_ONE = 64
MOST_DELAYED_PER_ADDRESS = 8
DAY_S = 86_400
BUSY = "more sign-ins are waiting than can be checked in good time"


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


@dataclass(frozen=True, slots=True)
class _Finding:
    right: bool
    locked: bool
    expired: bool
    version: int


@implementer(ICredentialsChecker)
class PasswordChecker:
    """`requestAvatarId` gives the user's id, or fails with SignInRefused."""

    credentialInterfaces = (IPlacedPassword,)

    def __init__(
        self,
        *,
        credentials: ICredentials,
        book: IBook,
        threads: IThreads,
        password_threads: IThreads,
        passwords: Passwords,
        clock: Any,
        now: Callable[[], float],
    ) -> None:
        self._credentials = credentials
        self._book = book
        self._threads = threads
        self._password_threads = password_threads
        self._passwords = passwords
        self._clock = clock
        self._now = now
        self._good = GoodSignIns()
        self._delays = Delays()
        self._delayed: dict[str, int] = {}
        self._gate = Gate(MOST_WAITING, MOST_WAITING_FOR_ONE)

    def requestAvatarId(self, credentials: PlacedPassword) -> Deferred[Any]:
        return Deferred.fromCoroutine(self._check(credentials))

    def prepare(self) -> None:
        """Blocking: see to it that there is a decoy."""
        self._credentials.ensure_decoy(self._passwords.hash(b"decoy"))

    async def _check(self, given: PlacedPassword) -> str:
        user = self._book.user_named(given.name)
        here = user is not None and not user.home
        owner = user.id if user is not None and here else DECOY
        if owner and await self._known_good(owner, given.password):
            return owner
        await self._delay(given.place.client)
        try:
            async with self._gate.entered(owner or f"?{given.name.casefold()}"):
                if owner and await self._known_good(owner, given.password):
                    return owner
                rule = self._book.authentication
                finding = await self._password_threads.run(self._find, owner, given.password, rule)
                # Within the gate, so that the next connection of the same person finds what this one learnt.
                return self._judged(owner, given, finding, _why_unknown(user is not None, here))
        except Full:
            raise SignInRefused("busy", BUSY) from None

    async def _known_good(self, owner: str, password: bytes) -> bool:
        """Whether this password was right within the last minute and would be now, by one read."""
        now = self._now()
        version = self._good.version(owner, password, now)
        if version is None:
            return False
        credential = await self._threads.run(self._credentials.read, owner)
        rule = self._book.authentication
        if credential is None or credential.version != version:
            self._good.forget(owner)
            return False
        attempts: Attempts = credential.attempts
        # A count to be cleared, a lock and an expiry are the long way's to settle, with its words and its time.
        return (
            not attempts.failures and not lockout.is_locked(attempts, rule, now) and not _expired(credential, rule, now)
        )

    async def _delay(self, client: str) -> None:
        seconds = self._delays.before(client, self._now())
        if not seconds:
            return
        if self._delayed.get(client, 0) >= MOST_DELAYED_PER_ADDRESS:
            raise SignInRefused("busy", "too many attempts of this address are waiting")
        self._delayed[client] = self._delayed.get(client, 0) + 1
        try:
            await deferLater(self._clock, seconds)
        finally:
            self._delayed[client] -= 1
            if not self._delayed[client]:
                del self._delayed[client]

    def _find(self, owner: str, password: bytes, rule: AuthenticationRule) -> _Finding:
        """In a thread: read, hash, and one write unless all was and is well."""
        credential: Credential | None = self._credentials.read(owner)
        if credential is None:
            owner, credential = DECOY, self._decoy()
        if owner == DECOY:
            rule = replace(rule, max_failures=0)
        right = self._passwords.matches(credential.password_hash, password) and owner != DECOY
        now = self._now()
        if right and credential.attempts == Attempts():
            return _Finding(True, False, _expired(credential, rule, now), credential.version)
        judge = lockout.after_success if right else lockout.after_failure
        after = self._credentials.conclude(owner, lambda attempts: judge(attempts, rule, now))
        locked = lockout.is_locked(after, rule, now)
        return _Finding(right, locked, _expired(credential, rule, now), credential.version)

    def _decoy(self) -> Credential:
        found = self._credentials.read(DECOY)
        if found is None:
            self.prepare()
            found = self._credentials.read(DECOY)
        assert found is not None
        return found

    def _judged(self, owner: str, given: PlacedPassword, finding: _Finding, why_unknown: str) -> str:
        client, now = given.place.client, self._now()
        if not finding.right or finding.locked:
            self._delays.failed(client, now)
            self._good.forget(owner)
            locked = "the user is locked" if finding.locked else ""
            raise SignInRefused("bad-credentials", why_unknown or locked or "wrong password")
        self._delays.succeeded(client)
        if finding.expired:
            raise SignInRefused("expired", "the password has expired or must be changed")
        self._good.remember(owner, given.password, finding.version, now)
        return owner


def _why_unknown(known: bool, here: bool) -> str:
    if not known:
        return "no such user"
    return "" if here else "the user's mailbox is on another node"


def _expired(credential: Credential, rule: AuthenticationRule, now: float) -> bool:
    age = now - credential.changed_at
    return credential.must_change or (rule.max_age_days > 0 and age > rule.max_age_days * DAY_S)
