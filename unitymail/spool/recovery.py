"""Finishing what a crash interrupted: replay the records of dead processes, remove what was never committed.

Everything here may be interrupted and done again: links say `again`, items that are whole are left alone, and the
records go only after what they promise is durable. Runs before the doors open, in a thread. A record that only another
version could read stops the start (Unreadable): nothing is lost, that version can still read it.
"""

from __future__ import annotations

import os
from collections import Counter

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.spool import Item
from unitymail.interfaces.store import IStore
from unitymail.routing.steps import Deliver
from unitymail.spool.claim import unlock
from unitymail.spool.form import read_form
from unitymail.spool.intake import owner_of
from unitymail.spool.items import Items
from unitymail.spool.journal_file import Remains, find_dead, read_frames
from unitymail.spool.links import link_all, split, waiting
from unitymail.spool.places import Places, unlink_if_there


def recover(*, places: Places, disk: IDisk, store: IStore, items: Items, owner: str) -> Counter[str]:
    """What was done, counted by words for the journal. `owner` is the process that recovers."""
    dead, living = find_dead(places.journal)
    done: Counter[str] = Counter()
    try:
        _replay(dead, places, disk, store, items, done)
        for remains in dead:
            for path in remains.segments:
                unlink_if_there(disk, path)
        if any(remains.segments for remains in dead):
            disk.flush_directory(places.journal)
        _remove_intake(places, disk, living, done)
        if living <= {owner}:
            done["temporary files of items removed"] += items.clean()
        for remains in dead:
            unlink_if_there(disk, os.path.join(places.journal, f"{remains.owner}.lock"))
    finally:
        for remains in dead:
            if remains.lock is not None:
                unlock(remains.lock)
    return +done


def _replay(
    dead: list[Remains], places: Places, disk: IDisk, store: IStore, items: Items, done: Counter[str]
) -> None:
    accounts: set[str] = set()
    made: list[str] = []
    for item in _records(dead, places):
        delivered, remade = _finish(item, store, items)
        accounts.update(step.account for step in delivered)
        done["messages committed before a crash looked after"] += 1
        if remade:
            done["items made again"] += 1
        made.append(item.trace)
    if accounts:
        store.make_durable(accounts)
    items.make_durable(made)


def _records(dead: list[Remains], places: Places) -> list[Item]:
    """The messages whose records are not retired: their intake files are there, and whole."""
    found = []
    for remains in dead:
        for path in remains.segments:
            with open(path, "rb") as file:
                octets = file.read()
            for payload in read_frames(octets):
                item = _message_of(payload, places)
                if item is not None:
                    found.append(item)
    return found


def _message_of(payload: bytes, places: Places) -> Item | None:
    item = read_form(payload, "")
    path = os.path.join(places.intake, item.intake)
    try:
        whole = os.path.getsize(path) == item.size
    except FileNotFoundError:
        return None
    return read_form(payload, path) if whole else None


def _finish(item: Item, store: IStore, items: Items) -> tuple[list[Deliver], bool]:
    now, rest = split(item.steps)
    delivered, failed = link_all(store, item, now, again=True)
    waits = waiting(item, rest, failed)
    if waits is None or items.is_whole(item.trace):
        return delivered, False
    items.create(waits, item.path)
    return delivered, True


def _remove_intake(places: Places, disk: IDisk, living: set[str], done: Counter[str]) -> None:
    """Intake files of dead processes: what was committed is linked elsewhere, the rest was never acknowledged."""
    for name in os.listdir(places.intake):
        if owner_of(name)[1] not in living:
            unlink_if_there(disk, os.path.join(places.intake, name))
            done["intake files removed"] += 1
