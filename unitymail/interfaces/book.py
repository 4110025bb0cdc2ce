"""The address book in memory: what the hot path asks, answered without SQL, without a thread, without waiting."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Attribute, Interface

from unitymail.people.access import AccessRule
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location
from unitymail.people.scope import SearchScope
from unitymail.people.user import User

# mypy: disable-error-code="misc,empty-body"

Entry = User | Contact | DistributionList


class IBook(Interface):
    """All methods are look-ups in memory and safe in any thread. Ids that are unknown give None."""

    usn = Attribute("The newest change (int) that this book holds.")
    site = Attribute("The frozen `SiteSettings` of now; a session keeps the one it began with.")
    access = Attribute("The access list: a tuple of `AccessRule`.")
    authentication = Attribute("The `AuthenticationRule` in force.")
    domain = Attribute("The SMTP domain of primary addresses.")

    def find(address: str) -> Entry | None:
        """The object that owns the address, by `key_of(address)`; then, where the site says so, without `+tag`."""

    def find_exactly(key: str) -> Entry | None:
        """The object that owns this address key, no `+tag` fallback."""

    def user(id: str) -> User | None:
        """A user by id."""

    def user_named(name: str) -> User | None:
        """A user by alias, or by any primary or proxy address (how people sign in)."""

    def password_changed(user: str) -> int:
        """The newest change (USN) of this user's password since the book was opened; 0 when there was none.

        A session that began to sign in when the book was older than that is to sign in again.
        """

    def entry(id: str) -> Entry | None:
        """A user, contact or list by id."""

    def class_of_service(id: str) -> ClassOfService | None:
        """A class of service by id."""

    def scope(id: str) -> SearchScope | None:
        """A search scope by id."""

    def location(id: str) -> Location | None:
        """A peer or VPIM location by id."""

    def vpim_location_of(domain: str, local: str = "") -> Location | None:
        """The VPIM location with this remote domain (case-blind); of several, whose remote prefix begins `local`."""

    def vpim_locations() -> Sequence[Location]:
        """All VPIM locations."""

    def peers() -> Sequence[Location]:
        """All peers: the other nodes of this site."""

    def peer_with(fingerprint: str) -> Location | None:
        """The peer whose public key has this SHA-256 (hex, lower case)."""

    def peer_of(domain: str) -> Location | None:
        """The peer with this domain (case-blind)."""

    def contact_at(location: str, mailbox: str) -> Contact | None:
        """The contact of this VPIM location (its id) with this mailbox number."""

    def user_at(extension: str, partitions: Sequence[str] | None) -> User | None:
        """The user with this extension in the first of these partitions (ids, in order) that has one; None: in any."""

    def users() -> Sequence[User]:
        """All users, remote ones included."""


__all__ = ["AccessRule", "AuthenticationRule", "Entry", "IBook"]
