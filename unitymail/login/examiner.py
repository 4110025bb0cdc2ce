"""How a proof of identity is looked at, whatever the mechanism: who is meant, the wait, the count, the lock, the words.

Knows the order of things and their cost; refuses to know what a proof is (the checkers') and what a user may do (the
realm's).

Note *Equal*. An unknown name, a wrong password, a locked user and one without what the mechanism needs cost the same
steps: one read, one look at the proof, one write. The decoy credential (owner "") is what a name of nobody is held
against, and where its write goes. Nothing else may tell them apart: the same kind of refusal, so the same words.

Note *No try too many*. A proof counts as of the moment at which its result is known: not the credential as it was read
before the hash decides whether somebody is let in, but as it is after. So a lock that other processes made meanwhile
holds, however many of them look at guesses at once. The gate sees to the same within a process.

Note *Every process its own*. Delays, gate and queue bounds keep one process from being drowned in hashing, so they are
that process's; a guesser whose connections fall to N workers has N times the free tries before it waits. The count of
wrong passwords and the lock are the directory's: exact over all doors and processes, and they outlive a restart.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from twisted.internet.task import deferLater

from unitymail.interfaces.book import IBook
from unitymail.interfaces.directory import Attempts, Credential, ICredentials
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.login import SignInRefused
from unitymail.interfaces.threads import IThreads
from unitymail.login.delays import Delays, network_of
from unitymail.login.gate import Crowd, Full, Gate, Share
from unitymail.login.names import key_of_name
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.policy import lockout
from unitymail.policy.passwords import is_expired

DECOY = ""
MOST_WAITING = 512
MOST_WAITING_FOR_ONE = 64
MOST_WAITING_PER_NETWORK = 128
"""Delayed or not: a client that leaves gives its connection back, and its attempt waits on."""
MOST_DELAYED_PER_NETWORK = 8
BUSY = "more sign-ins are waiting than can be checked in good time"
CROWD = "too many attempts of this address are waiting"

Proves = Callable[[Credential], "bool | None"]
"""Whether the credential is proved; None when this credential cannot be proved this way by anybody.

What nobody can prove counts as no wrong password: a mail program that insists must not lock its owner out.
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is meant by a name. `owner` is DECOY for nobody here; then `why` says so to the journal."""

    name: str
    owner: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Finding:
    credential: Credential
    right: bool
    locked: bool
    expired: bool
    possible: bool


class Examiner:
    """`now` gives Unix seconds; `clock` waits (callLater). Reactor thread."""

    def __init__(
        self, *, credentials: ICredentials, book: IBook, threads: IThreads, clock: Any, now: Callable[[], float]
    ) -> None:
        self._credentials = credentials
        self._book = book
        self._threads = threads
        self._clock = clock
        self._now = now
        self._delays = Delays()
        self._waiting = Share(MOST_WAITING_PER_NETWORK)
        self._delayed = Share(MOST_DELAYED_PER_NETWORK)
        self._gate = Gate(MOST_WAITING, MOST_WAITING_FOR_ONE)
        self._decoy: Credential | None = None

    def prepare(self, password_hash: str) -> None:
        """Blocking: see to it that there is a decoy, with this hash unless there was one."""
        self._credentials.ensure_decoy(password_hash)
        self._decoy = self._credentials.read(DECOY)

    def person(self, name: str) -> Person:
        user = self._book.user_named(name)
        if user is None:
            return Person(name, DECOY, "no such user")
        if user.home:
            return Person(name, DECOY, "the user's mailbox is on another node")
        return Person(name, user.id)

    @asynccontextmanager
    async def turn(self, person: Person, client: str) -> AsyncIterator[None]:
        """Wait as long as this client must, and for the others who want in as this person. Raises SignInRefused."""
        # An alias and the address that it makes are one person, of whom there need not be any.
        key = person.owner or f"?{key_of_name(person.name, self._book.domain)}"
        try:
            with self._waiting.taken(network_of(client)):
                await self._wait(client)
                async with self._gate.entered(key):
                    yield
        except Full as full:
            raise SignInRefused("busy", CROWD if isinstance(full, Crowd) else BUSY) from None

    async def still_good(self, owner: str, version: int) -> bool:
        """Whether who was let in with this version of the credential would be now, by one read."""
        credential = await self._threads.run(self._credentials.read, owner)
        if credential is None or credential.version != version:
            return False
        rule, now, attempts = self._book.authentication, self._now(), credential.attempts
        # A count to be cleared, a lock and an expiry are the long way's to settle, with its words and its time.
        return (
            not attempts.failures
            and not lockout.is_locked(attempts, rule, now)
            and not is_expired(credential, rule, now)
        )

    async def examine(self, person: Person, client: str, proves: Proves, threads: IThreads) -> Credential:
        """The credential that was proved, within `turn`. `threads` do the looking. Raises SignInRefused."""
        try:
            finding = await threads.run(self._look, person.owner, proves, self._book.authentication)
        except TryAgain:
            # A disk that counts nothing any more must not make guessing quick.
            self._delays.failed(client, self._now())
            raise
        if not finding.right or finding.locked:
            self._delays.failed(client, self._now())
            raise SignInRefused("bad-credentials", person.why or _why(finding))
        self._delays.succeeded(client)
        if finding.expired:
            raise SignInRefused("expired", "the password has expired or must be changed")
        credential: Credential = finding.credential
        return credential

    async def _wait(self, client: str) -> None:
        seconds = self._delays.before(client, self._now())
        if seconds:
            with self._delayed.taken(network_of(client)):
                await deferLater(self._clock, seconds)

    def _look(self, owner: str, proves: Proves, rule: AuthenticationRule) -> _Finding:
        """In a thread: read, look, and one write unless all was and is well."""
        credential: Credential = self._credentials.read(owner) or self._nobody()
        proved = proves(credential)
        right = bool(proved) and credential.owner != DECOY
        owner = credential.owner if proved is not None else DECOY
        expired = is_expired(credential, rule, self._now())
        if right and credential.attempts == Attempts() and self._credentials.read(owner) == credential:
            return _Finding(credential, True, False, expired, True)
        judge = lockout.after_success if right else lockout.after_failure
        # The moment counts at which the count is ours: who waited for others has the newest time, as they had.
        after = self._credentials.conclude(owner, lambda attempts: judge(attempts, rule, self._now()))
        return _Finding(credential, right, lockout.is_locked(after, rule, self._now()), expired, proved is not None)

    def _nobody(self) -> Credential:
        """What is held against the proof of a user without a password; kept, so that it costs no second read."""
        assert self._decoy is not None, "prepare() comes first"
        return self._decoy


def _why(finding: _Finding) -> str:
    if finding.credential.owner == DECOY:
        return "the user has no password"
    if not finding.possible:
        return "no SCRAM keys are kept for the user; a sign-in with PLAIN or a new password makes them"
    return "the user is locked" if finding.locked else "wrong password"
