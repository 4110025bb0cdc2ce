"""Search scopes: whom a sender reaches, as partitions in the order in which an extension is looked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unitymail.admin.operations.names import Names, id_of
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.things import Kind
from unitymail.interfaces.directory import IDirectoryView
from unitymail.people.scope import Partition, SearchScope


@dataclass(frozen=True, slots=True)
class ScopeWish:
    """Names of partitions, in order; None is: not said."""

    partition: tuple[str, ...] | None = None


class Scopes(Kind[SearchScope, ScopeWish]):
    value = SearchScope

    def wished(self, view: IDirectoryView, thing: SearchScope, wish: ScopeWish) -> SearchScope:
        if wish.partition is None:
            return thing
        return replace(thing, partitions=tuple(id_of(view, Partition, name) for name in wish.partition))

    def facts(self, view: IDirectoryView, thing: SearchScope, names: Names) -> Facts:
        return {
            "name": thing.name,
            "partition": [names.of(Partition, id) for id in thing.partitions],
            "id": thing.id,
        }

    def notes(self, view: IDirectoryView, thing: SearchScope) -> tuple[str, ...]:
        return () if thing.partitions else (f"The scope {thing.name} has no partition, so it reaches nobody.",)


SCOPES = Scopes()
