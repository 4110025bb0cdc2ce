"""VPIM locations: voice-mail systems elsewhere, and the way by which mail reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from unitymail.admin.operations.names import Names, peer_id, vpim_location
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.things import Kind
from unitymail.admin.operations.wish import references, said
from unitymail.interfaces.directory import IDirectoryView
from unitymail.people.location import Location, LocationKind
from unitymail.people.scope import Partition, SearchScope
from unitymail.routing.hops import next_hop
from unitymail.routing.next_hop import NextHop
from unitymail.routing.situation import Failure
from unitymail.routing.steps import Convert, HandOver


@dataclass(frozen=True, slots=True)
class LocationWish:
    """Names, not ids; None is: not said."""

    domain: str | None = None
    host: str | None = None
    port: int | None = None
    dial_id: str | None = None
    remote_prefix: str | None = None
    local_prefix: str | None = None
    partition: str | None = None
    scope: str | None = None
    home: str | None = None
    blind_addressing: bool | None = None
    allow_secure: bool | None = None
    fax: bool | None = None
    swap_code_words: bool | None = None
    audio: str | None = None
    create_contacts: bool | None = None
    create_without_name: bool | None = None
    modify_contacts: str | None = None
    delete_contacts: bool | None = None
    send_spoken_name: bool | None = None
    voice_only: bool | None = None


_REFERRING = ("partition", "scope", "home")
_PLAIN = tuple(f.name for f in fields(LocationWish) if f.name not in _REFERRING)


class Locations(Kind[Location, LocationWish]):
    value = Location

    def named(self, view: IDirectoryView, name: str) -> Location:
        return vpim_location(view, name)

    def all(self, view: IDirectoryView) -> Sequence[Location]:
        return [place for place in view.all(Location) if place.kind is LocationKind.VPIM]

    def fresh(self, name: str) -> Location:
        return Location("", LocationKind.VPIM, name, "")

    def wished(self, view: IDirectoryView, thing: Location, wish: LocationWish) -> Location:
        values: dict[str, Any] = said(wish, *_PLAIN)
        values |= references(view, wish, partition=Partition, scope=SearchScope)
        if wish.home is not None:
            values["home"] = peer_id(view, wish.home)
        return replace(thing, **values)

    def facts(self, view: IDirectoryView, thing: Location, names: Names) -> Facts:
        kinds = {"partition": Partition, "scope": SearchScope, "home": Location}
        facts: Facts = {"name": thing.name}
        for f in fields(LocationWish):
            value = getattr(thing, f.name)
            facts[f.name] = names.of(kinds[f.name], value) if f.name in kinds else value
        return facts | {"id": thing.id}

    def page(self, view: IDirectoryView, thing: Location) -> Facts:
        return {"next_hop": _way(view, thing)}

    def notes(self, view: IDirectoryView, thing: Location) -> Sequence[str]:
        hop = _hop(view, thing)
        return (f"Mail for {thing.name} cannot leave yet: {hop.cause}",) if isinstance(hop, Failure) else ()


@dataclass(frozen=True, slots=True)
class _AsBook:
    """As much of an address book as the next-hop rules ask for."""

    view: IDirectoryView

    @property
    def site(self) -> Any:
        return self.view.site()

    def location(self, id: str) -> Location | None:
        return self.view.get(Location, id)


def _hop(view: IDirectoryView, location: Location) -> NextHop | Failure | None:
    """What the courier would find now."""
    home = location.home
    step = HandOver(home, "") if home else Convert(location.id, "", "", "")
    return next_hop(step, _AsBook(view))  # type: ignore[arg-type]


def _way(view: IDirectoryView, location: Location) -> str:
    hop = _hop(view, location)
    if isinstance(hop, NextHop):
        return f"{hop.name}, {hop.host} port {hop.port}"
    return f"none: {hop.cause}" if hop is not None else "none"


LOCATIONS = Locations()
