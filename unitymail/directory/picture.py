"""The directory at one USN as an immutable value, and how entries are indexed in it. Refuses to know its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from unitymail.directory.layers import Layers
from unitymail.interfaces.book import Entry
from unitymail.mail.address import key_of
from unitymail.people.access import AccessRule
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.contact import Contact
from unitymail.people.location import Location
from unitymail.people.scope import SearchScope
from unitymail.people.user import User
from unitymail.settings.site import SiteSettings


@dataclass(frozen=True, slots=True)
class Picture:
    """`by_number` finds users by partition and extension, and contacts by location and mailbox number.

    `passwords`: user → USN of the newest change of the password since the first picture.
    """

    usn: int
    domain: str
    node_id: str
    site: SiteSettings
    authentication: AuthenticationRule
    access: tuple[AccessRule, ...]
    classes: dict[str, ClassOfService]
    partitions: tuple[str, ...]
    scopes: dict[str, SearchScope]
    locations: dict[str, Location]
    vpim_by_domain: dict[str, tuple[Location, ...]]
    peer_by_key: dict[str, Location]
    by_id: Layers[Entry]
    by_key: Layers[Entry]
    by_number: Layers[Entry]
    passwords: dict[str, int] = field(default_factory=dict)


def address_keys(entry: Entry) -> Iterator[str]:
    """The keys of all addresses; the address itself serves as its key where it is one, which saves its memory."""
    if not isinstance(entry, Contact) and entry.address:
        yield _thrifty_key(entry.address)
    for proxy in entry.proxies:
        yield _thrifty_key(proxy)


def _thrifty_key(address: str) -> str:
    key = key_of(address)
    return address if key == address else key


def number_keys(entry: Entry) -> Iterator[str]:
    if isinstance(entry, User) and entry.extension:
        yield extension_key(entry.partition, entry.extension)
    if isinstance(entry, Contact) and entry.location:
        yield contact_key(entry.location, entry.mailbox_number)


def extension_key(partition: str, extension: str) -> str:
    return f"{extension}\0{partition}"


def contact_key(location: str, mailbox: str) -> str:
    return f"{mailbox}\0{location}"


def with_entries(picture: Picture, ids: Iterable[str], entries: Iterable[Entry]) -> Picture:
    """The picture in which the entries with these ids are replaced by those given (or gone, where none is given)."""
    ids = list(ids)
    old = [entry for id in ids if (entry := picture.by_id.get(id)) is not None]
    new = list(entries)
    return replace(
        picture,
        by_id=picture.by_id.changed(ids, {entry.id: entry for entry in new}),
        by_key=picture.by_key.changed(
            (key for entry in old for key in address_keys(entry)),
            {key: entry for entry in new for key in address_keys(entry)},
        ),
        by_number=picture.by_number.changed(
            (key for entry in old for key in number_keys(entry)),
            {key: entry for entry in new for key in number_keys(entry)},
        ),
    )
