"""Signing in: a name and a password become a user, or a refusal that tells no more than it may."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Literal

from zope.interface import Interface

from unitymail.interfaces.directory import Secret
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.user import User

# mypy: disable-error-code="misc,empty-body"


class SignInRefused(Exception):
    """`kind` is what the client may be told: unknown, wrong and locked are all "bad-credentials".

    `expired`, `not-allowed` and `needs-tls` (this user, not this door) are told only to one who gave the right
    password. `busy`: try again later. `why` is for the journal.
    """

    def __init__(
        self, kind: Literal["bad-credentials", "expired", "not-allowed", "needs-tls", "busy"], why: str
    ) -> None:
        super().__init__(why)
        self.kind = kind
        self.why = why


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how somebody signs in. `service` decides whether the class of service allows it."""

    service: Literal["imap", "smtp"]
    door: str
    client: str
    tls: bool
    mechanism: str = "PLAIN"


class ActingForAnother(Exception):
    """The client would sign in as somebody and act for somebody else, which nobody may; no password was looked at."""


class BadScram(Exception):
    """What the client said does not fit the mechanism (RFC 5802 7); nobody was refused."""


class IScram(Interface):
    """The server's side of SCRAM-SHA-256 (RFC 5802, 7677), without base64. Each method once, in this order."""

    def challenge(client_first: bytes) -> Awaitable[bytes]:
        """server-first-message. Unknown, locked and known names are answered alike.

        Raises BadScram, ActingForAnother, or SignInRefused (busy: the directory is away).
        """

    def conclude(client_final: bytes) -> Awaitable[tuple[User, bytes]]:
        """The user and the server-final-message. Raises BadScram or SignInRefused."""


class ILogin(Interface):
    def sign_in(name: bytes, password: bytes, place: Place) -> Awaitable[User]:
        """The user, once the password is checked (in a thread). Raises SignInRefused.

        The journal's `signed_in` and `sign_in_failed` are written here, by nobody else.
        """

    def scram(place: Place) -> IScram:
        """Begin an exchange of SCRAM-SHA-256. It ends as `sign_in` does: the same counts, waits, words and lines."""


class IPasswords(Interface):
    """Making passwords into what is kept of them. Blocking: tens of milliseconds of hashing."""

    def judge(password: bytes, user: User, rule: AuthenticationRule, old: Sequence[str]) -> None:
        """Raise Refused when the rule forbids this password: too short, trivial, or among `old` (hashes)."""

    def secret(password: bytes, *, scram: bool, must_change: bool = False) -> Secret:
        """What the directory keeps; with SCRAM keys when `scram`."""
