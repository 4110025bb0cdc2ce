"""Putting the messages that a search found in order, from what is remembered where that will do.

Knows when an order of last time is brought up to date and when all is sorted anew; refuses to know the grammar and the
response. Large orders are remembered: of the whole folder, from which those of its parts follow, and of the last part
that had to be sorted by itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unitymail.imap.reckoning import reckon
from unitymail.imap.search import mask
from unitymail.imap.sort.columns import ROWS, Turn, Values, chosen_uids, read_values, values_of
from unitymail.imap.sort.order import inserted, moved, ordered
from unitymail.imap.sort.program import Program
from unitymail.imap.sort.remembered import Known, Remembered, name_of
from unitymail.interfaces.store import IFolder

if TYPE_CHECKING:
    from unitymail.imap.session import Session

MOST_INSERTED = 60
"""So many new messages find their place in an order one by one, at some twenty rows each."""
Order = Sequence[int]


async def sorted_indexes(session: Session, program: Program, found: int) -> Order:
    """The messages of the mask `found` as indexes of the session's view, in the order of `program`."""
    uids = await chosen_uids(session, found)
    memory = _Memory(session, program)
    order = memory.of(uids)
    if order is None and len(uids) <= ROWS:
        order, complete = await session.run(_at_once, session.folder, uids, program)
        memory.keep(uids, order, complete=complete)
    elif order is None:
        async with Turn():
            order = memory.of(uids) or await _large(session, program, uids, memory)
    if uids is session.view.uids:
        return order
    return await reckon(session, len(session.view), _indexes, found, order)  # type: ignore[no-any-return]


def _indexes(found: int, order: Order) -> list[int]:
    """Positions among what was found as indexes of the view."""
    return list(map(mask.chosen(found, range(found.bit_length())).__getitem__, order))


async def _large(session: Session, program: Program, uids: array[int], memory: _Memory) -> Order:
    for known in memory.all():
        order: Order | None = await session.run(_brought_up_to_date, session.folder, known, uids, program)
        if order is not None:
            if uids is session.view.uids:
                memory.keep(uids, order)
            return order
    columns, complete = await read_values(session, uids, [one.column for one in program])
    order = await session.run(_sorted, columns, program)
    memory.keep(uids, order, complete=complete)
    return order


class _Memory:
    """What is remembered of orders by one program in the selected folder."""

    def __init__(self, session: Session, program: Program) -> None:
        self._remembered = Remembered.of(session.door.store)
        self._everything = session.view.uids
        name = name_of(session.account.id, session.folder, session.view.snapshot.uidvalidity)
        self._keys = {whole: (*name, program, whole) for whole in (True, False)}

    def all(self) -> list[Known[Order]]:
        """That of the whole folder first."""
        return [known for key in self._keys.values() if (known := self._remembered.last(key)) is not None]

    def of(self, uids: array[int]) -> Order | None:
        return next((known.result for known in self.all() if known.uids == uids), None)

    def keep(self, uids: array[int], order: Order, *, complete: bool = True) -> None:
        """Unless something was missing when it was made."""
        if complete:
            key = self._keys[uids is self._everything]
            self._remembered.keep(key, Known(uids, order, (4 + uids.itemsize) * len(uids)))


def _at_once(folder: IFolder, uids: Sequence[int], program: Program) -> tuple[array[int], bool]:
    columns, complete = values_of(folder, uids, [one.column for one in program])
    return _sorted(columns, program), complete


def _sorted(columns: Values, program: Program) -> array[int]:
    return array("I", ordered(columns, [one.reverse for one in program]))


def _brought_up_to_date(folder: IFolder, known: Known[Order], uids: array[int], program: Program) -> array[int] | None:
    """The remembered order without what is gone and with what is new; None when too much is new."""
    if len(uids) > len(known.uids) + MOST_INSERTED:
        return None
    order, fresh = moved(known.result, known.uids, uids)
    if len(fresh) > MOST_INSERTED:
        return None
    columns = [one.column for one in program]
    read: dict[int, tuple[Any, ...]] = {}

    def values_at(position: int) -> tuple[Any, ...]:
        if position not in read:
            values, _ = values_of(folder, [uids[position]], columns)
            read[position] = tuple(column[0] for column in values)
        return read[position]

    return array("I", inserted(order, fresh, values_at, [one.reverse for one in program]))
