"""The mechanisms of signing in at the doors of SMTP and IMAP: PLAIN (RFC 4616), LOGIN and SCRAM-SHA-256 (RFC 7677).

Knows what a server asks and what a client answers in each; refuses to know how octets travel (base64, `334`, `+`),
which words a refusal gets, and whether a password is right. A mechanism is one class in `MECHANISMS`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from unitymail.interfaces.login import ActingForAnother, BadScram, ILogin, IScram, Place
from unitymail.people.user import User
from unitymail.settings.site import SiteSettings


class BadResponse(Exception):
    """What the client said does not fit the mechanism, which ends the exchange."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the server asks next."""

    octets: bytes


class Exchange(Protocol):
    """One mechanism at work: the response to the last challenge in, the next challenge or the user out."""

    async def answer(self, response: bytes | None) -> Challenge | User:
        """None is the beginning without an initial response.

        Raises BadResponse, ActingForAnother, and SignInRefused as `ILogin` does.
        """


class Plain:
    """Authorization identity, name and password in one response."""

    def __init__(self, login: ILogin, place: Place) -> None:
        self._login = login
        self._place = replace(place, mechanism="PLAIN")

    async def answer(self, response: bytes | None) -> Challenge | User:
        if response is None:
            return Challenge(b"")
        parts = response.split(b"\0")
        if len(parts) != 3 or not parts[1]:
            raise BadResponse
        acting_as, name, password = parts
        if acting_as.lower() not in (b"", name.lower()):
            raise ActingForAnother
        user: User = await self._login.sign_in(name, password, self._place)
        return user


class Login:
    """The mechanism of Outlook, which wants exactly these prompts; new Outlook sends the name at once."""

    PROMPTS: ClassVar[tuple[bytes, bytes]] = (b"Username:", b"Password:")

    def __init__(self, login: ILogin, place: Place) -> None:
        self._login = login
        self._place = replace(place, mechanism="LOGIN")
        self._name: bytes | None = None

    async def answer(self, response: bytes | None) -> Challenge | User:
        if response is None:
            return Challenge(self.PROMPTS[0])
        if self._name is None:
            self._name = response
            return Challenge(self.PROMPTS[1])
        user: User = await self._login.sign_in(self._name, response, self._place)
        return user


class ScramSha256:
    """Both sides prove that they know the password.

    The last message is the server's, and neither protocol lets it come with the success: it is one more challenge,
    whose response is empty (RFC 4954 section 4, RFC 3501 section 6.2.2).
    """

    def __init__(self, login: ILogin, place: Place) -> None:
        self._scram: IScram = login.scram(place)
        self._challenged = False
        self._user: User | None = None

    async def answer(self, response: bytes | None) -> Challenge | User:
        if response is None:
            return Challenge(b"")
        try:
            if not self._challenged:
                self._challenged = True
                return Challenge(await self._scram.challenge(response))
            if self._user is None:
                self._user, final = await self._scram.conclude(response)
                return Challenge(final)
        except BadScram:
            raise BadResponse from None
        if response:
            raise BadResponse
        return self._user


MECHANISMS: dict[str, type[Plain] | type[Login] | type[ScramSha256]] = {
    "PLAIN": Plain,
    "LOGIN": Login,
    "SCRAM-SHA-256": ScramSha256,
}


def mechanisms(site: SiteSettings) -> tuple[str, ...]:
    """The names of those that are offered: SCRAM only where its keys are kept."""
    return tuple(name for name in MECHANISMS if site.auth_scram or name != "SCRAM-SHA-256")


def begin(mechanism: str, login: ILogin, place: Place, site: SiteSettings) -> Exchange | None:
    """The exchange of a mechanism by its name in capitals; None for one that is not offered."""
    return MECHANISMS[mechanism](login, place) if mechanism in mechanisms(site) else None
