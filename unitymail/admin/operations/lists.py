"""Distribution lists and their members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from unitymail.admin.operations.names import Names, member
from unitymail.admin.operations.outcome import Done, Facts
from unitymail.admin.operations.things import Kind
from unitymail.admin.operations.wish import references, said
from unitymail.interfaces.directory import IDirectory, IDirectoryView, NotFound
from unitymail.people.distribution_list import DistributionList
from unitymail.people.scope import Partition


@dataclass(frozen=True, slots=True)
class ListWish:
    """Names, not ids; None is: not said. Members by alias or address."""

    display_name: str | None = None
    member: tuple[str, ...] | None = None
    proxy: tuple[str, ...] | None = None
    partition: str | None = None
    allow_contacts: bool | None = None
    accept_foreign: bool | None = None


class Lists(Kind[DistributionList, ListWish]):
    value = DistributionList
    label = "alias"

    def fresh(self, name: str) -> DistributionList:
        return DistributionList("", name, "")

    def wished(self, view: IDirectoryView, thing: DistributionList, wish: ListWish) -> DistributionList:
        values: dict[str, Any] = said(wish, "display_name", "allow_contacts", "accept_foreign")
        values |= references(view, wish, partition=Partition)
        if wish.member is not None:
            values["members"] = tuple(member(view, name).id for name in wish.member)
        if wish.proxy is not None:
            former = (a.address for a in view.addresses_of(thing.id) if a.kind == "former") if thing.id else ()
            values["proxies"] = (*wish.proxy, *former)
        return replace(thing, **values)

    def facts(self, view: IDirectoryView, thing: DistributionList, names: Names) -> Facts:
        return {
            "alias": thing.alias,
            "address": thing.address,
            "display_name": thing.display_name,
            "member": names.aliases(thing.members),
            "members": len(thing.members),
            "proxy": list(thing.proxies),
            "partition": names.of(Partition, thing.partition),
            "allow_contacts": thing.allow_contacts,
            "accept_foreign": thing.accept_foreign,
            "id": thing.id,
        }

    def notes(self, view: IDirectoryView, thing: DistributionList) -> Sequence[str]:
        if thing.members:
            return ()
        return (f"The list {thing.alias} has no members; `unitymail list member add {thing.alias} ALIAS` adds one.",)


LISTS = Lists()


def add_members(directory: IDirectory, alias: str, names: Sequence[str], *, who: str) -> Done:
    """Who is a member already stays one."""
    with directory.change(who) as change:
        entry = LISTS.named(change, alias)
        more = tuple(member(change, name).id for name in names)
        kept = change.replace(replace(entry, members=tuple(dict.fromkeys((*entry.members, *more)))))
        return Done(change.usn, LISTS.facts(change, kept, Names(change)))


def remove_members(directory: IDirectory, alias: str, names: Sequence[str], *, who: str) -> Done:
    with directory.change(who) as change:
        entry = LISTS.named(change, alias)
        gone = {member(change, name).id: name for name in names}
        if strangers := [name for id, name in gone.items() if id not in entry.members]:
            raise NotFound(
                f"{strangers[0]} is no member of the list {entry.alias}; `unitymail list show {entry.alias}` "
                "shows who is."
            )
        kept = change.replace(replace(entry, members=tuple(id for id in entry.members if id not in gone)))
        return Done(change.usn, LISTS.facts(change, kept, Names(change)))
