"""The address book: the directory in memory, which answers the hot path without SQL and without waiting.

Knows how to load itself and to take what changed; refuses to change anything. Note *Swap*: the book's state is one
immutable value replaced in one assignment, so that a reader in any thread sees before or after, never between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from zope.interface import implementer

from unitymail.directory.loading import load, refreshed
from unitymail.directory.picture import Picture, contact_key, extension_key
from unitymail.directory.sql.database import Database
from unitymail.interfaces.book import Entry, IBook
from unitymail.mail.address import key_of, without_tag
from unitymail.people.access import AccessRule
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location, LocationKind
from unitymail.people.scope import SearchScope
from unitymail.people.user import User
from unitymail.settings.site import SiteSettings


@implementer(IBook)
class Book:
    """Made by `Book.load(database)`. `load` and `refresh` block; the rest never does."""

    def __init__(self, picture: Picture, database: Database) -> None:
        self._picture = picture
        self._database = database
        self._refreshing = Lock()

    @classmethod
    def load(cls, database: Database, between_slices: Callable[[], None] | None = None) -> Book:
        """Read the whole directory. `gc.freeze()` after the last of them is the caller's to do."""
        with database.reading() as connection:
            return cls(load(connection, between_slices), database)

    def refresh(self) -> bool:
        """Take what changed since; whether anything did. Several threads may call it: one at a time works."""
        with self._refreshing, self._database.reading() as connection:
            picture = refreshed(connection, self._picture)
            changed = picture is not self._picture
            self._picture = picture
            return changed

    @property
    def usn(self) -> int:
        return self._picture.usn

    @property
    def site(self) -> SiteSettings:
        return self._picture.site

    @property
    def access(self) -> tuple[AccessRule, ...]:
        return self._picture.access

    @property
    def authentication(self) -> AuthenticationRule:
        return self._picture.authentication

    @property
    def domain(self) -> str:
        return self._picture.domain

    def find(self, address: str) -> Entry | None:
        picture = self._picture
        found = picture.by_key.get(key_of(address))
        if found is None and picture.site.subaddressing and (plain := without_tag(address)):
            found = picture.by_key.get(key_of(plain))
        return found

    def find_exactly(self, key: str) -> Entry | None:
        return self._picture.by_key.get(key)

    def user(self, id: str) -> User | None:
        found = self._picture.by_id.get(id)
        return found if isinstance(found, User) else None

    def user_named(self, name: str) -> User | None:
        picture = self._picture
        if "@" in name:
            found = picture.by_key.get(key_of(name))
            return found if isinstance(found, User) else None
        # A primary address is alias@domain, so the addresses are an index of aliases too; but a former
        # alias of somebody is an address only and no name to sign in with.
        for domain in (picture.domain, *(peer.domain for peer in self.peers())):
            found = picture.by_key.get(key_of(f"{name}@{domain}"))
            if isinstance(found, User) and key_of(found.alias) == key_of(name):
                return found
        return None

    def password_changed(self, user: str) -> int:
        return self._picture.passwords.get(user, 0)

    def entry(self, id: str) -> Entry | None:
        return self._picture.by_id.get(id)

    def class_of_service(self, id: str) -> ClassOfService | None:
        return self._picture.classes.get(id)

    def scope(self, id: str) -> SearchScope | None:
        return self._picture.scopes.get(id)

    def location(self, id: str) -> Location | None:
        return self._picture.locations.get(id)

    def vpim_location_of(self, domain: str, local: str = "") -> Location | None:
        there = self._picture.vpim_by_domain.get(domain.lower(), ())
        return next((one for one in there if local.startswith(one.remote_prefix)), there[0] if there else None)

    def vpim_locations(self) -> Sequence[Location]:
        return [place for place in self._picture.locations.values() if place.kind is LocationKind.VPIM]

    def peers(self) -> Sequence[Location]:
        return tuple(self._picture.peer_by_key.values())

    def peer_with(self, fingerprint: str) -> Location | None:
        return self._picture.peer_by_key.get(fingerprint)

    def peer_of(self, domain: str) -> Location | None:
        wanted = domain.lower()
        return next((peer for peer in self.peers() if peer.domain.lower() == wanted), None)

    def contact_at(self, location: str, mailbox: str) -> Contact | None:
        found = self._picture.by_number.get(contact_key(location, mailbox))
        return found if isinstance(found, Contact) else None

    def user_at(self, extension: str, partitions: Sequence[str] | None) -> User | None:
        picture = self._picture
        for partition in picture.partitions if partitions is None else partitions:
            found = picture.by_number.get(extension_key(partition, extension))
            if isinstance(found, User):
                return found
        return None

    def users(self) -> Sequence[User]:
        return [entry for entry in self._picture.by_id.values() if isinstance(entry, User)]

    def lists(self) -> Sequence[DistributionList]:
        """All distribution lists."""
        return [entry for entry in self._picture.by_id.values() if isinstance(entry, DistributionList)]

    def __len__(self) -> int:
        """Users, contacts and lists."""
        return len(self._picture.by_id)
