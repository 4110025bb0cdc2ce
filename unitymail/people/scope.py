"""Partitions and search scopes: whom a sender can reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Partition:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class SearchScope:
    """`partitions` are ids, in the order in which an extension is looked for."""

    id: str
    name: str
    partitions: tuple[str, ...] = ()

    def reaches(self, partition: str) -> bool:
        return partition in self.partitions
