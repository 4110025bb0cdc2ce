"""The directory as administration sees it: whole objects read and changed in transactions, each change with its number.

Promises that a change is all or nothing and that what is refused says why. Refuses to say how objects are kept. Every
method blocks: call them from a thread, or from a program without a reactor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from zope.interface import Attribute, Interface

from unitymail.interfaces.book import Entry
from unitymail.people.access import AccessRule
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location
from unitymail.people.scope import Partition, SearchScope
from unitymail.people.user import User
from unitymail.people.user_template import UserTemplate
from unitymail.settings.site import SiteSettings

# mypy: disable-error-code="misc,empty-body"

Thing = TypeVar(
    "Thing", User, Contact, DistributionList, Location, ClassOfService, Partition, SearchScope, UserTemplate, AccessRule
)
"""What the directory keeps as whole values. Access rules are named by their pattern and have no id."""

AddressKind = Literal["primary", "proxy", "corporate", "former"]


class Refused(Exception):
    """What cannot be done, why, and what to do instead: one sentence for a person. Nothing was changed."""


class NotFound(Refused):
    """No such object."""


class Taken(Refused):
    """The name, address or extension belongs to another object, which the sentence names."""


class WrongVersion(Refused):
    """The directory file was written by another version of the program."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this node is. `secret` keeps answers about unknown names stable (never shown)."""

    domain: str
    host_name: str
    node_id: str
    secret: bytes = field(repr=False)
    created: float


@dataclass(frozen=True, slots=True)
class OwnedAddress:
    """primary: alias@domain. proxy: given. corporate: made by `corporate_proxy`. former: an earlier alias@domain."""

    address: str
    kind: AddressKind


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the change log. `what` is added, changed or deleted; `detail` names what changed."""

    usn: int
    kind: str
    id: str
    what: str
    detail: str
    who: str
    when: float


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """RFC 5802 section 3: what a server keeps instead of the password, SHA-256."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


@dataclass(frozen=True, slots=True)
class Attempts:
    """Wrong passwords of late. `locked_until` is Unix seconds; 0.0 for never locked."""

    failures: int = 0
    first_failure: float = 0.0
    last_failure: float = 0.0
    locked_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Credential:
    """What is kept of a password. `version` grows with each change of it."""

    owner: str
    password_hash: str
    version: int
    changed_at: float
    must_change: bool = False
    attempts: Attempts = Attempts()
    scram: ScramKeys | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A new password in the forms that are kept of it. With `must_change` it is good for nothing but a change."""

    password_hash: str
    scram: ScramKeys | None = None
    must_change: bool = False


class ICredentials(Interface):
    """Passwords and lock counters, read through: never from memory, so that all processes agree. Blocking."""

    def read(owner: str) -> Credential | None:
        """The credential of a user (by id); None when there is none. "" is the decoy for unknown names."""

    def conclude(owner: str, judge: Callable[[Attempts], Attempts]) -> Attempts:
        """In one transaction, replace the user's attempts by what `judge` makes of the newest ones; returns these."""

    def ensure_decoy(password_hash: str) -> None:
        """Keep this as the password of "" unless it has one."""

    def keep_scram(owner: str, version: int, keys: ScramKeys) -> None:
        """Add keys to the credential of this version; without effect when it changed, or the site keeps none.

        Keys of another count of iterations are replaced, others stay.
        """

    def iterations_like(place: str) -> int | None:
        """The count of iterations in the keys of the first user whose id is beyond `place` (behind the last one
        comes the first again); None when nobody has keys.
        """

    def secret() -> bytes:
        """The node's secret, the same for ever and in all processes: it makes answers about unknown names stable."""


class IDirectoryView(Interface):
    """The directory at one moment."""

    identity = Attribute("The node's `Identity`.")
    usn = Attribute("The newest change (int).")

    def site() -> SiteSettings:
        """The site settings."""

    def authentication() -> AuthenticationRule:
        """The authentication rule."""

    def get(kind: type[Thing], id: str) -> Thing | None:
        """By id (access rules: by pattern)."""

    def named(kind: type[Thing], name: str) -> Thing | None:
        """By alias or name, case-blind."""

    def all(kind: type[Thing]) -> Sequence[Thing]:
        """All of a kind, sorted by alias or name."""

    def entry(id: str) -> Entry | None:
        """A user, contact or list by id."""

    def entry_named(alias: str) -> Entry | None:
        """A user, contact or list by alias: the three share one name space."""

    def owner_of(address: str) -> Entry | None:
        """Whose primary or proxy address this is."""

    def addresses_of(id: str) -> Sequence[OwnedAddress]:
        """All addresses of a user, contact or list, the primary one first."""

    def credential(user: str) -> Credential | None:
        """The user's credential."""

    def old_passwords(user: str, count: int) -> Sequence[str]:
        """The newest `count` password hashes, the present one first."""

    def spoken_name(entry: str) -> bytes:
        """The recorded name of a user or contact (id), 32KADPCM as RFC 3802 has it; b"" when there is none."""

    def changes(after: int, limit: int = 1000) -> Sequence[Change]:
        """The change log beyond USN `after`, oldest first."""

    def aliases_of(ids: Collection[str]) -> dict[str, str]:
        """Id → alias of those of these users, contacts and lists that exist."""

    def reached_by(scope: SearchScope) -> Iterator[Entry]:
        """Everybody in the scope's partitions by alias, in slices: memory does not grow with the directory."""

    def relaying() -> Sequence[str]:
        """Aliases of the users with an action that relays, sorted."""


class IDirectoryChange(IDirectoryView):
    """A transaction: durable when its `with` block ends well, without effect when it raises. Methods raise Refused.

    A method that refuses has changed nothing, so that the others of the same transaction may stand.
    """

    def add(thing: Thing) -> Thing:
        """Take a new object; an empty id gets a fresh one, other defaults are filled in. The object as kept."""

    def replace(thing: Thing) -> Thing:
        """Give the object with this id new values. An alias given up stays as an address of kind former."""

    def delete(kind: type[Thing], id: str) -> None:
        """Remove it; refused while others refer to it."""

    def add_proxy(entry: str, address: str) -> None:
        """Give a user, contact or list one more address; harmless when it has it."""

    def remove_proxy(entry: str, address: str) -> None:
        """Take a proxy or former address away."""

    def set_password(user: str, secret: Secret) -> None:
        """Give a user (by id) a password; a lock ends."""

    def unlock(user: str) -> None:
        """Forget the user's wrong passwords and end a lock."""

    def set_spoken_name(entry: str, audio: bytes) -> None:
        """Keep 32KADPCM octets, at most 20 s, as the recorded name of a user or contact (id); b"" removes it."""

    def set_site(assignments: Iterable[tuple[str, str]]) -> SiteSettings:
        """Set (key, text) pairs, all or none."""


class IDirectory(Interface):
    """The directory of this node."""

    def read() -> AbstractContextManager[Any]:
        """`with directory.read() as view:` gives an IDirectoryView."""

    def change(who: str) -> AbstractContextManager[Any]:
        """`with directory.change(who) as change:` gives an IDirectoryChange; `change.usn` is the number to announce."""

    def rehearse(who: str) -> AbstractContextManager[Any]:
        """An IDirectoryChange that refuses what `change` would, and of which nothing is kept."""
