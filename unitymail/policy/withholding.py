"""What a class of service withholds of the messages in a mailbox: a body that is secure, private, or any.

Knows the rule and where it is written in the address book; refuses to know how the rest of a message is then shown
(`mail.withheld`), and where it lies. It depends on the account's class alone, never on a connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from unitymail.mail.secrecy import Secrecy, secrecy_of
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.mail.windows import Octets
from unitymail.mail.withheld import Reason
from unitymail.people.class_of_service import ClassOfService, ImapBodies
from unitymail.people.user import User
from unitymail.settings.site import SiteSettings


@dataclass(frozen=True, slots=True)
class Withholding:
    """`bodies` that are shown, and whether those of secure messages are withheld."""

    bodies: ImapBodies = ImapBodies.ALL
    secure: bool = False


NOTHING = Withholding()


def withholding_of(cos: ClassOfService | None) -> Withholding:
    """Who has no class is treated as one who has a new one."""
    cos = cos or ClassOfService("", "")
    return Withholding(cos.imap_bodies, not cos.secure_imap)


def reason_to_withhold(secrecy: Secrecy, withholding: Withholding) -> Reason | None:
    """Why the body of such a message is withheld, None when it is shown."""
    if secrecy.secure and withholding.secure:
        return Reason.SECURE
    if secrecy.private and withholding.bodies is ImapBodies.NOT_PRIVATE:
        return Reason.PRIVATE
    return Reason.HEADERS_ONLY if withholding.bodies is ImapBodies.HEADERS else None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is withheld of an account, by a book that holds the changes up to `usn`."""

    withholding: Withholding
    usn: int


class IWithholder(Protocol):
    """Whom the store asks, in any thread."""

    def ruling(self, account: str) -> Ruling | None:
        """What is withheld of this account; None where nobody knows: then what was in force stays so."""

    def secrecy(self, buffer: Octets, *, ours: bool) -> Secrecy:
        """What the message in this file asks for; see `secrecy_of`."""


class Classes(Protocol):
    """As much of `IBook` as says what is withheld."""

    @property
    def usn(self) -> int: ...
    @property
    def site(self) -> SiteSettings: ...
    def user(self, id: str) -> User | None: ...
    def class_of_service(self, id: str) -> ClassOfService | None: ...


class Withholder:
    """What the book says."""

    def __init__(self, book: Classes) -> None:
        self._book = book

    def ruling(self, account: str) -> Ruling | None:
        usn = self._book.usn  # First: what is read after it may be newer, never older.
        user = self._book.user(account)
        return None if user is None else Ruling(withholding_of(self._book.class_of_service(user.cos)), usn)

    def secrecy(self, buffer: Octets, *, ours: bool) -> Secrecy:
        return secrecy_by(self._book.site, buffer, ours=ours)


class WithoutBook:
    """Nobody can be asked what a class withholds."""

    def ruling(self, account: str) -> Ruling | None:
        return None

    def secrecy(self, buffer: Octets, *, ours: bool) -> Secrecy:
        return secrecy_by(_FACTORY, buffer, ours=ours)


def secrecy_by(site: SiteSettings, buffer: Octets, *, ours: bool) -> Secrecy:
    """`secrecy_of` by the site's secure headers."""
    headers = _parsed(site.secure_headers)
    return secrecy_of(buffer, ours=ours, secure_headers=headers, secure_confidential=site.secure_confidential)


WITHOUT_BOOK = WithoutBook()
_FACTORY = SiteSettings()
_parsed = lru_cache(16)(parse_secure_headers)
