"""What is compared of the messages that a search found: read from the index, block by block.

Knows how many are read at a time, and by how many at once; refuses to know what they are compared for. A message that
has left the folder, while its client does not know yet, is as if it were empty.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.defer import DeferredSemaphore

from unitymail.imap.reckoning import reckon
from unitymail.imap.search import mask
from unitymail.interfaces.store import Column, IFolder

if TYPE_CHECKING:
    from unitymail.imap.session import Session

ROWS = 2_000
AT_THE_SAME_TIME = 2
"""Large folders that are read at a time, in a process: what is read takes memory, some hundred octets a message."""
EMPTY: dict[str, Any] = {
    **dict.fromkeys(("date", "sent", "size"), 0),
    **dict.fromkeys(("subject", "from", "to", "cc", "displayfrom", "displayto"), ""),
    "ties": bytes(16),
}
Values = list[list[Any]]
"""A list a column."""


async def chosen_uids(session: Session, found: int) -> array[int]:
    """The UIDs of the mask `found`, ascending; never to be changed."""
    view = session.view
    if found == mask.everything(len(view)):
        return view.uids  # type: ignore[no-any-return]
    return await reckon(session, len(view), _uids, found, view.uids)  # type: ignore[no-any-return]


def _uids(found: int, uids: array[int]) -> array[int]:
    return array(uids.typecode, mask.chosen(found, uids))


def values_of(folder: IFolder, uids: Sequence[int], columns: Sequence[Column]) -> tuple[Values, bool]:
    """In a thread: the values of these messages; and whether they were all there."""
    rows = folder.rows(uids, columns)
    if len(rows) == len(uids):
        return _transposed(rows, columns), True
    there = {uid: values for uid, *values in rows}
    empty = [EMPTY[column] for column in columns]
    return _transposed([(uid, *there.get(uid, empty)) for uid in uids], columns), False


def _transposed(rows: Sequence[tuple[Any, ...]], columns: Sequence[Column]) -> Values:
    return [[row[at] for row in rows] for at in range(1, 1 + len(columns))]


async def read_values(session: Session, uids: Sequence[int], columns: Sequence[Column]) -> tuple[Values, bool]:
    """As `values_of`, for many messages; the client hears how far it is when that takes long."""
    found: Values = [[] for _ in columns]
    complete = True
    for begin in range(0, len(uids), ROWS):
        block, all_there = await session.run(values_of, session.folder, uids[begin : begin + ROWS], columns)
        complete = complete and all_there
        for values, more in zip(found, block, strict=True):
            values += more
        session.progress(min(begin + ROWS, len(uids)), len(uids))
        await session.breathe()
    return found, complete


class Turn:
    """`async with Turn():` waits until few enough others read large folders."""

    _free: ClassVar[DeferredSemaphore] = DeferredSemaphore(AT_THE_SAME_TIME)

    async def __aenter__(self) -> None:
        await self._free.acquire()

    async def __aexit__(self, *error: object) -> None:
        self._free.release()
