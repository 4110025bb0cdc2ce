"""From names that people use to the ids that objects refer by, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unitymail.interfaces.directory import IDirectoryView, NotFound
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.location import Location, LocationKind
from unitymail.people.scope import Partition, SearchScope
from unitymail.people.user import User
from unitymail.people.user_template import UserTemplate

WORDS: dict[type[Any], tuple[str, str]] = {
    User: ("user", "user list"),
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
    found = the(view, Location, name)
    if found.kind is not LocationKind.PEER:
        raise NotFound(
            f"The location {name} is no peer, so it cannot be a home server; `unitymail peer list` lists peers."
        )
    return str(found.id)


def user_ids(view: IDirectoryView, aliases: Iterable[str]) -> tuple[str, ...]:
    return tuple(the(view, User, alias).id for alias in aliases)


class Names:
    """Names of the small kinds by id, looked up once for a whole list."""

    def __init__(self, view: IDirectoryView) -> None:
        self._view = view
        self._by_kind: dict[type[Any], dict[str, str]] = {}

    def of(self, kind: type[Any], id: str) -> str:
        if not id:
            return ""
        known = self._by_kind.get(kind)
        if known is None:
            known = self._by_kind[kind] = {one.id: one.name for one in self._view.all(kind)}
        return known.get(id, id)

    def alias(self, id: str) -> str:
        found = self._view.entry(id)
        return found.alias if found is not None else id
