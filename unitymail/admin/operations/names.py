"""From names that people use to the ids that objects refer by, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unitymail.interfaces.book import Entry
from unitymail.interfaces.directory import IDirectoryView, NotFound
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location, LocationKind
from unitymail.people.scope import Partition, SearchScope
from unitymail.people.user import User
from unitymail.people.user_template import UserTemplate

WORDS: dict[type[Any], tuple[str, str]] = {
    User: ("user", "user list"),
    Contact: ("contact", "contact list"),
    DistributionList: ("list", "list list"),
    ClassOfService: ("class of service", "cos list"),
    Partition: ("partition", "partition list"),
    SearchScope: ("search scope", "scope list"),
    Location: ("location", "location list"),
    UserTemplate: ("template", "template list"),
}
"""What a kind is called, and the command that lists it."""


def the(view: IDirectoryView, kind: type[Any], name: str) -> Any:
    """The object of this name; raises NotFound with the command that lists them."""
    found = view.named(kind, name)
    if found is None:
        what, command = WORDS[kind]
        raise NotFound(f"There is no {what} named {name}; `unitymail {command}` lists them.")
    return found


def id_of(view: IDirectoryView, kind: type[Any], name: str) -> str:
    """Its id, "" for an empty name (the default, or none)."""
    return str(the(view, kind, name).id) if name else ""


def peer_id(view: IDirectoryView, name: str) -> str:
    """The peer that is somebody's home server; "" for this node."""
    if not name:
        return ""
    found = view.named(Location, name)
    if found is None:
        raise NotFound(f"There is no peer named {name}; `unitymail peer list` lists them.")
    if found.kind is not LocationKind.PEER:
        raise NotFound(
            f"The location {name} is no peer, so it cannot be a home server; `unitymail peer list` lists peers."
        )
    return str(found.id)


def vpim_location(view: IDirectoryView, name: str) -> Location:
    found: Location = the(view, Location, name)
    if found.kind is not LocationKind.VPIM:
        raise NotFound(f"{name} is a peer, no VPIM location; `unitymail location list` lists these.")
    return found


def user_ids(view: IDirectoryView, aliases: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order that the directory keeps."""
    return tuple(sorted({the(view, User, alias).id for alias in aliases}))


def member(view: IDirectoryView, name: str) -> Entry:
    """A user, contact or list, by alias or by any of its addresses."""
    found = view.owner_of(name) if "@" in name else view.entry_named(name)
    if found is None:
        raise NotFound(
            f"There is no user, contact or list {name}; name members by alias, as `unitymail user list`, "
            "`contact list` and `list list` show them."
        )
    return found


class Names:
    """Names by id: of the small kinds looked up once for a whole list, of people as many at once as are asked for."""

    def __init__(self, view: IDirectoryView) -> None:
        self._view = view
        self._by_kind: dict[type[Any], dict[str, Any]] = {}

    def of(self, kind: type[Any], id: str) -> str:
        found = self.one(kind, id)
        return str(found.name) if found is not None else id

    def one(self, kind: type[Any], id: str) -> Any:
        """The object itself; None for no id, and for one that is not there."""
        return self.all(kind).get(id) if id else None

    def all(self, kind: type[Any]) -> dict[str, Any]:
        """Id → object, of a small kind."""
        known = self._by_kind.get(kind)
        if known is None:
            known = self._by_kind[kind] = {one.id: one for one in self._view.all(kind)}
        return known

    def aliases(self, ids: tuple[str, ...]) -> list[str]:
        """Sorted; ids of nobody are left out."""
        return sorted(self._view.aliases_of(ids).values()) if ids else []
