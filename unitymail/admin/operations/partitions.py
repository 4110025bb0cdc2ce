"""Partitions: every user, contact, list and VPIM location is in one."""

from __future__ import annotations

from typing import Any

from unitymail.admin.operations.names import Names
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.things import Kind
from unitymail.interfaces.directory import IDirectoryView
from unitymail.people.scope import Partition, SearchScope


class Partitions(Kind[Partition, Any]):
    value = Partition

    def wished(self, view: IDirectoryView, thing: Partition, wish: Any) -> Partition:
        return thing

    def facts(self, view: IDirectoryView, thing: Partition, names: Names) -> Facts:
        scopes = [scope.name for scope in names.all(SearchScope).values() if scope.reaches(thing.id)]
        return {"name": thing.name, "reached_by": scopes, "id": thing.id}

    def notes(self, view: IDirectoryView, thing: Partition) -> tuple[str, ...]:
        return (f"No scope reaches {thing.name} yet; `unitymail scope set NAME --partition …` names it among others.",)


PARTITIONS = Partitions()
