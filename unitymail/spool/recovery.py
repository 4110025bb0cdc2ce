"""Finishing what a crash interrupted: replay the records of dead processes, remove what was never committed.

Everything here may be interrupted and done again: links say `again`, items that are whole are left alone, a note counts
for an older state only, and the records go only after what they promise is durable. Runs before the doors open, in a
thread. A record that only another version could read stops the start (Unreadable): nothing is lost, that version can
still read it.

Note *Beside others*. A process that lives on may do the same for one that died (`run_beside`). What it works on itself,
or an administrator does, it leaves alone, and comes back to where that is not enough. An item of a living process stays
in its file, done, as long as its record may come back (`queue`): one without a file was never made.

Note *Others may outlive us*. A dead courier's notes on items whose record a living process holds stay until that one
has retired the record, or has died as well: `later` names whose remains must be looked at again.

Note *Administrators do not wait for a start*. They may change an item at any moment: what its file says is read and
replaced under its lock here, too. A start does not wait for them for ever: one that was stopped (Ctrl-Z) or the process
that removes files, stopped when its node was killed, may keep locks. After a while the file is replaced all the same.
The new one is another inode, which they can see, and do.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import reduce

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.spool import Item, StepState
from unitymail.interfaces.store import IStore
from unitymail.routing.steps import Deliver
from unitymail.spool.claim import Patience, try_lock, unlock
from unitymail.spool.durable import Durable
from unitymail.spool.form import Unreadable, read_form
from unitymail.spool.intake import owner_of
from unitymail.spool.items import Items
from unitymail.spool.journal_file import Remains, find_dead, has_remains, read_frames
from unitymail.spool.links import link_all, split
from unitymail.spool.notes import Note, read_note, updated
from unitymail.spool.places import Places, unlink_if_there
from unitymail.spool.xids import Xids

_Key = tuple[str, str]
"""A trace, and the intake file of its record."""


@dataclass(slots=True)
class Past:
    """What the records say of one message: its own, None when that is retired, and what was noted of its item."""

    item: Item | None = None
    notes: list[Note] = field(default_factory=list)


class Recovery:
    """`owner` is the process that recovers; `trouble(what, error)` hears of what need not stop the start.

    Use it once. `traces` are the items that were looked at, `later` the owners to be looked at again once others ended.
    """

    def __init__(
        self, *, places: Places, disk: IDisk, store: IStore, items: Items, xids: Xids, owner: str,
        now: Callable[[], float], trouble: Callable[[str, BaseException], None],
    ) -> None:
        self._places = places
        self._disk = disk
        self._store = store
        self._items = items
        self._xids = xids
        self._owner = owner
        self._now = now
        self._trouble = trouble
        self._patience: Patience | None = Patience(trouble)
        self._done: Counter[str] = Counter()
        self.traces: list[str] = []
        self.later: set[str] = set()

    def run(self) -> Counter[str]:
        """Of all that is left of anybody; what was done, counted by words for the journal."""
        dead, living = find_dead(self._places.journal)
        self._finish(dead, lambda owner: owner not in living)
        if living <= {self._owner}:
            self._done["temporary files of items removed"] += self._items.clean(self._now())
        self.later |= living - {self._owner}
        return +self._done

    def run_beside(self, wanted: Callable[[str], bool]) -> Counter[str]:
        """Of the processes that are `wanted`, as far as they are dead, while this one and others work on.

        Raises BlockingIOError when an item must be changed that somebody has now: nothing is lost, try again.
        """
        self._patience = None
        dead, living = find_dead(self._places.journal, lambda owner: owner != self._owner and wanted(owner))
        gone = {remains.owner for remains in dead}
        self._finish(dead, lambda owner: owner in gone or (wanted(owner) and self._has_closed(owner)))
        self.later |= living
        return +self._done

    def _has_closed(self, owner: str) -> bool:
        """Whether it ended in good order: a process has its lock before it has anything else, and gives it up last."""
        return not os.path.exists(os.path.join(self._places.journal, f"{owner}.lock"))

    def _finish(self, dead: list[Remains], is_dead: Callable[[str], bool]) -> None:
        try:
            past, noted = read_past(dead, self._places)
            self._replay(past)
            self._xids.release(is_dead)
            self._remove_intake(is_dead)
            self.later = {owner for owner, others in noted.items() if self._are_needed_by(others, is_dead)}
            ended = [remains for remains in dead if remains.owner not in self.later]
            self._remove_segments(ended)
            for remains in ended:
                unlink_if_there(self._disk, os.path.join(self._places.journal, f"{remains.owner}.lock"))
        finally:
            for remains in dead:
                if remains.lock is not None:
                    unlock(remains.lock)

    def _are_needed_by(self, others: set[str], is_dead: Callable[[str], bool]) -> bool:
        """Whether one of these may still bring back an item of which there are notes."""
        return any(not is_dead(other) and has_remains(self._places.journal, other) for other in others - {self._owner})

    def _replay(self, past: Iterable[Past]) -> None:
        accounts: set[str] = set()
        messages: list[Item] = []
        for one in past:
            failed: list[StepState] = []
            if one.item is not None:
                delivered, failed = self._link(one.item)
                accounts.update(step.account for step in delivered)
                messages.append(one.item)
            trace = one.item.trace if one.item is not None else one.notes[0].trace
            with self._locked(trace) as ours:
                if ours:
                    self._see_to_item(trace, one, failed)
                elif failed or one.notes:
                    raise BlockingIOError(errno.EAGAIN, "somebody works on it", self._items.envelope_path(trace))
            self.traces.append(trace)
        if accounts:
            self._store.make_durable(accounts)
        self._make_durable(self.traces)
        self._xids.keep(messages)

    def _make_durable(self, traces: list[str]) -> None:
        durable = Durable(
            places=self._places, disk=self._disk, items=self._items, renew=self._items.renew, trouble=self._trouble
        )
        if lost := durable.make(traces):
            raise OSError(errno.EIO, "no envelope can be made durable", self._items.envelope_path(min(lost)))
        self._disk.flush_directory(self._places.shunted)

    def _link(self, item: Item) -> tuple[list[Deliver], list[StepState]]:
        self._done["messages committed before a crash looked after"] += 1
        delivered, failed = link_all(self._store, item, split(item)[0], again=True)
        return delivered, [state for state, _ in failed]

    @contextmanager
    def _locked(self, trace: str) -> Iterator[bool]:
        """Whether the item is ours meanwhile: nobody has it, or its lock has been waited for long enough."""
        path = self._items.envelope_path(trace)
        try:
            fd = self._patience.lock(path) if self._patience is not None else try_lock(path)
            ours = fd is not None or self._patience is not None
        except FileNotFoundError:
            fd, ours = None, True
        try:
            yield ours
        finally:
            if fd is not None:
                unlock(fd)

    def _see_to_item(self, trace: str, past: Past, failed: list[StepState]) -> None:
        """Bring what is left to do to its newest known state, or away when nothing is."""
        end = next((note for note in past.notes if note.finished), None)
        if end is not None:
            self._remove_leftovers(end)
        if end is not None or self._items.is_shunted(trace):
            if past.item is not None and failed:
                later = end.revision + 1 if end is not None else 0
                self._items.create(replace(past.item, steps=tuple(failed), revision=later), past.item.path)
            return
        whole = self._items.is_whole(trace)
        if whole:
            item = self._items.read(trace)
        elif past.item is not None:
            item = replace(past.item, steps=split(past.item)[1])
        elif (known := self._in_notes(trace, past.notes)) is not None:
            item = known
        else:
            return
        newest = _with(failed, reduce(updated, sorted(past.notes, key=lambda note: note.revision), item))
        if whole:  # also without any news: nobody knows any more whether the flush of this file failed once
            self._disk.close(self._items.write(newest))
            self._done["outcomes of items written"] += newest is not item
        elif newest.steps:
            self._items.create(newest, past.item.path if past.item is not None else newest.path)
            self._done["items made again"] += 1

    def _in_notes(self, trace: str, notes: list[Note]) -> Item | None:
        """An item whose envelope was replaced when the power was cut: as the first note tells that says everything."""
        path = self._items.message_path(trace)
        first = next((note.item for note in notes if note.item is not None), None)
        if first is None or not os.path.exists(self._items.envelope_path(trace)):
            return None
        return replace(first, path=path) if os.path.exists(path) and os.path.getsize(path) == first.size else None

    def _remove_leftovers(self, end: Note) -> None:
        """Files of an item that was finished: unless they are those of a later one with the same trace."""
        try:
            item = self._items.read(end.trace)
        except (FileNotFoundError, Unreadable):
            self._items.unlink(end.trace)
            return
        if item.intake == end.intake and item.revision <= end.revision:
            self._items.unlink(end.trace)

    def _remove_intake(self, is_dead: Callable[[str], bool]) -> None:
        """Intake files of dead processes: what was committed is linked elsewhere, the rest was never acknowledged."""
        count = 0
        for name in os.listdir(self._places.intake):
            if is_dead(owner_of(name)[1]):
                unlink_if_there(self._disk, os.path.join(self._places.intake, name))
                count += 1
        if count:
            self._disk.flush_directory(self._places.intake)
        self._done["intake files removed"] += count

    def _remove_segments(self, dead: list[Remains]) -> None:
        """Once no record can come back by its intake file, their order does not matter."""
        for remains in dead:
            for path in remains.segments:
                unlink_if_there(self._disk, path)
        if any(remains.segments for remains in dead):
            self._disk.flush_directory(self._places.journal)


def read_past(dead: list[Remains], places: Places) -> tuple[list[Past], dict[str, set[str]]]:
    """What the records of dead processes say, one for each message or item of which they say anything.

    And for each process those of whose items it noted something.
    """
    found: dict[_Key, Past] = {}
    noted: dict[str, set[str]] = {}
    for remains in dead:
        for key, past in _past_of_one(remains, places).items():
            one = found.setdefault(key, Past())
            one.item = past.item or one.item
            one.notes += past.notes
            if past.notes:
                noted.setdefault(remains.owner, set()).add(owner_of(key[1])[1])
    return [past for past in found.values() if past.item is not None or past.notes], noted


def _past_of_one(remains: Remains, places: Places) -> dict[_Key, Past]:
    """A record makes a new beginning for what this process noted."""
    found: dict[_Key, Past] = {}
    for path in remains.segments:
        with open(path, "rb") as file:
            octets = file.read()
        for payload in read_frames(octets):
            if (note := read_note(payload)) is not None:
                found.setdefault((note.trace, note.intake), Past()).notes.append(note)
            else:
                key, item = _message_of(payload, places)
                found[key] = Past(item)
    return found


def _message_of(payload: bytes, places: Places) -> tuple[_Key, Item | None]:
    """(whose record it is, its message): None when that is retired and its intake file gone, or never was whole."""
    item = read_form(payload, "")
    path = os.path.join(places.intake, item.intake)
    try:
        whole = os.path.getsize(path) == item.size
    except FileNotFoundError:
        whole = False
    return (item.trace, item.intake), replace(item, path=path) if whole else None


def _with(failed: list[StepState], item: Item) -> Item:
    """With those deliveries that cannot be made now, as far as it does not have them already."""
    has = {state.step for state in item.steps}
    missing = tuple(state for state in failed if state.step not in has)
    return replace(item, steps=(*missing, *item.steps), revision=item.revision + 1) if missing else item
