"""The exchanges of AUTH (RFC 4954): challenges and responses, until there is a name and a password.

Sans-IO. Refuses to know whether the password is right. A mechanism is one class in `MECHANISMS`.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import ClassVar, Protocol

from unitymail.mail.reply import Reply
from unitymail.smtp.commands import BadSyntax, from_base64, read_auth

UNKNOWN_MECHANISM = Reply(504, "5.5.4", "That mechanism is not offered")
CANCELLED = Reply(501, "5.7.0", "Cancelled")
BAD_EXCHANGE = Reply(501, "5.5.2", "The response does not fit the mechanism")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who wants in. `acting_as` is the authorization identity, empty for the same."""

    name: bytes
    password: bytes
    acting_as: bytes = b""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the server asks next."""

    octets: bytes

    def line(self) -> bytes:
        return b"334 " + base64.b64encode(self.octets) + b"\r\n"


class Exchange(Protocol):
    """One mechanism at work: the response to the last challenge in, the next challenge or the credentials out."""

    def answer(self, response: bytes | None) -> Challenge | Credentials:
        """None is an AUTH command without an initial response. Raises BadSyntax."""


class Plain:
    """RFC 4616: authorization identity, name and password in one response."""

    def answer(self, response: bytes | None) -> Challenge | Credentials:
        if response is None:
            return Challenge(b"")
        parts = response.split(b"\0")
        if len(parts) != 3 or not parts[1]:
            raise BadSyntax(BAD_EXCHANGE)
        return Credentials(parts[1], parts[2], parts[0])


class Login:
    """The mechanism of Outlook, which wants exactly these prompts; new Outlook sends the name at once."""

    PROMPTS: ClassVar[tuple[bytes, bytes]] = (b"Username:", b"Password:")

    def __init__(self) -> None:
        self._name: bytes | None = None

    def answer(self, response: bytes | None) -> Challenge | Credentials:
        if response is None:
            return Challenge(self.PROMPTS[0])
        if self._name is None:
            self._name = response
            return Challenge(self.PROMPTS[1])
        return Credentials(self._name, response)


MECHANISMS: dict[str, type[Plain] | type[Login]] = {"PLAIN": Plain, "LOGIN": Login}


def begin(argument: str) -> tuple[Exchange, bytes | None]:
    """The exchange that an AUTH command asks for, and its initial response. Raises BadSyntax."""
    name, response = read_auth(argument)
    if name not in MECHANISMS:
        raise BadSyntax(UNKNOWN_MECHANISM)
    return MECHANISMS[name](), response


def read_response(line: bytes) -> bytes:
    """A later response. Raises BadSyntax, for `*` too, which cancels."""
    if line == b"*":
        raise BadSyntax(CANCELLED)
    return from_base64(line.decode("ascii", "replace"))
