"""Putting the messages that a search found in order: their values are read from the index, block by block.

Knows when an order remembered from last time will do, and how it is brought up to date; refuses to know the grammar
and the response. A message that has left the folder, while its client does not know yet, sorts as if it were empty.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.defer import DeferredSemaphore

from unitymail.imap.reckoning import reckon
from unitymail.imap.search import mask
from unitymail.imap.sort.order import Column, Values, inserted, moved, ordered
from unitymail.imap.sort.program import NUMBERS, Program
from unitymail.imap.sort.remembered import Known, Remembered, name_of
from unitymail.interfaces.store import IFolder

if TYPE_CHECKING:
    from unitymail.imap.session import Session

ROWS = 2_000
MOST_INSERTED = 60
"""So many new messages find their place in an order one by one, at some twenty rows each."""
AT_THE_SAME_TIME = 2
"""Large folders that are read at a time, in a process: what is read takes memory, some hundred octets a message."""


async def sorted_indexes(session: Session, program: Program, found: int) -> Sequence[int]:
    """The messages of the mask `found` as indexes of the session's view, in the order of `program`."""
    count = len(session.view)
    order = await _order(session, program, await chosen_uids(session, found))
    if found == mask.everything(count):
        return order
    return await reckon(session, count, _indexes, found, order)


async def chosen_uids(session: Session, found: int) -> array[int]:
    """The UIDs of the mask `found`, ascending; never to be changed."""
    view = session.view
    if found == mask.everything(len(view)):
        return view.uids  # type: ignore[no-any-return]
    return await reckon(session, len(view), _uids, found, view.uids)  # type: ignore[no-any-return]


def _uids(found: int, uids: array[int]) -> array[int]:
    return array(uids.typecode, mask.chosen(found, uids))


def _indexes(found: int, order: Sequence[int]) -> list[int]:
    """Positions among what was found as indexes of the view."""
    return list(map(mask.chosen(found, range(found.bit_length())).__getitem__, order))


async def _order(session: Session, program: Program, uids: array[int]) -> Sequence[int]:
    """Positions in `uids`, which ascend."""
    remembered = Remembered.of(session.door.store)
    key = (*name_of(session.account.id, session.folder, session.view.snapshot.uidvalidity), program)
    known = remembered.last(key)
    if known is not None and known.uids == uids:
        return known.result  # type: ignore[no-any-return]
    if len(uids) <= ROWS:
        return await session.run(_at_once, session.folder, uids, program)  # type: ignore[no-any-return]
    async with Turn():
        return await _large(session, program, uids, remembered, key)


async def _large(
    session: Session, program: Program, uids: array[int], remembered: Remembered, key: Any
) -> Sequence[int]:
    known = remembered.last(key)
    order, whole = None, True
    if known is not None:
        if known.uids == uids:
            return known.result  # type: ignore[no-any-return]
        order = await session.run(_brought_up_to_date, session.folder, known, uids, program)
    if order is None:
        columns, whole = await read_columns(session, uids, [one.column for one in program])
        order = await session.run(_sorted, columns, program)
    if whole and (known is None or 2 * len(uids) > len(known.uids)):
        remembered.keep(key, Known(uids, order, 4 * len(uids) + uids.itemsize * len(uids)))
    return order


def _at_once(folder: IFolder, uids: Sequence[int], program: Program) -> array[int]:
    columns, _ = columns_of(folder, uids, [one.column for one in program])
    return _sorted(columns, program)


def _sorted(columns: Sequence[Column], program: Program) -> array[int]:
    return array("I", ordered(columns, [one.reverse for one in program]))


def _brought_up_to_date(folder: IFolder, known: Known[Any], uids: array[int], program: Program) -> array[int] | None:
    """The remembered order without what is gone and with what is new; None when too much is new."""
    if len(uids) > len(known.uids) + MOST_INSERTED:
        return None
    order, fresh = moved(known.result, known.uids, uids)
    if len(fresh) > MOST_INSERTED:
        return None
    names = [one.column for one in program]
    read: dict[int, Values] = {}

    def values_of(position: int) -> Values:
        if position not in read:
            columns, _ = columns_of(folder, [uids[position]], names)
            read[position] = tuple(column[0] for column in columns)
        return read[position]

    return array("I", inserted(order, fresh, values_of, [one.reverse for one in program]))


def columns_of(folder: IFolder, uids: Sequence[int], names: Sequence[Any]) -> tuple[list[Column], bool]:
    """In a thread: the values of these messages, a list a column; and whether they were all there."""
    rows = folder.rows(uids, names)
    if len(rows) == len(uids):
        return _transposed(rows, names), True
    there = {uid: values for uid, *values in rows}
    empty = [EMPTY[name] for name in names]
    return _transposed([(uid, *there.get(uid, empty)) for uid in uids], names), False


def _transposed(rows: Sequence[tuple[Any, ...]], names: Sequence[Any]) -> list[Column]:
    return [[row[at] for row in rows] for at in range(1, 1 + len(names))]


EMPTY: dict[str, Any] = {
    **dict.fromkeys(NUMBERS, 0),
    **dict.fromkeys(("subject", "from", "to", "cc", "displayfrom", "displayto"), ""),
    "ties": bytes(16),
}


async def read_columns(session: Session, uids: Sequence[int], names: Sequence[Any]) -> tuple[list[Column], bool]:
    """As `columns_of`, for many messages; the client hears how far it is when that takes long."""
    columns: list[list[Any]] = [[] for _ in names]
    whole = True
    for begin in range(0, len(uids), ROWS):
        block, complete = await session.run(columns_of, session.folder, uids[begin : begin + ROWS], names)
        whole = whole and complete
        for column, values in zip(columns, block, strict=True):
            column += values
        session.progress(min(begin + ROWS, len(uids)), len(uids))
        await session.breathe()
    return list(columns), whole


class Turn:
    """`async with Turn():` waits until few enough others read large folders."""

    _free: ClassVar[DeferredSemaphore] = DeferredSemaphore(AT_THE_SAME_TIME)

    async def __aenter__(self) -> None:
        await self._free.acquire()

    async def __aexit__(self, *error: object) -> None:
        self._free.release()
