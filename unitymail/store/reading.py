"""Rows of many messages at once, as FETCH and SEARCH ask for them: a few range selects, never one row at a time.

Knows which table holds which column; refuses to know how a message is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from unitymail.interfaces.store import Column
from unitymail.store import arranging, rendering
from unitymail.store.access import guarded
from unitymail.store.changing import places_of
from unitymail.store.chosen import chosen, in_chunks
from unitymail.store.index import Index
from unitymail.store.schema import UID_MASK, first_id

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

FACTS = {
    "internaldate": "internaldate",
    "date": "date",
    "size": "size",
    "withheld": "withheld",
    "saved": "saved",
    "emailid": "printf('E%x', facts.content)",
    "lazypreview": "ifnull((SELECT preview FROM previews WHERE previews.content = facts.content), 0)",
    "threadid": "iif(threads.thread IS NULL, NULL, printf('T%x', threads.thread))",
}
"""`withheld`, for the store's own rooms: why the body is, 0 for a message that is shown."""
RENDERED = {"envelope": "summaries", "bodystructure": "summaries", "sent": "summaries", "fields": "fields",
            "terms": "terms", "preview": "previews", "threadid": "threads", "ties": "ties",
            **dict.fromkeys(("subject", "from", "to", "cc", "displayfrom", "displayto"), "sorting")}  # fmt: skip
DAYS = f"SELECT facts.id & {UID_MASK}, date / 86400 + {date(1970, 1, 1).toordinal()} FROM facts"
"""The day of the internal date, counted as `datetime.date.toordinal` does."""
BATCH = 100
"""Messages rendered while the account's lock is held once."""
_RANGES_PER_MESSAGE = 16
_GLOB = re.compile(r"[*?\[]")


def rows(folder: Folder, uids: Sequence[int], columns: Sequence[Column | Literal["withheld"]]) -> list[tuple[Any, ...]]:
    """(uid, *columns), ascending; what was never rendered is rendered in batches between which others may work."""
    statement = statement_for(columns)
    found, missing = _attempt(folder, statement, uids)
    if not missing:
        return found
    tables = frozenset(RENDERED[column] for column in columns if column in RENDERED)
    for batch in in_chunks(missing, BATCH):
        _prepare(folder, batch, tables)
    if "threads" in tables:
        for batch in in_chunks(missing, arranging.SETTLED_AT_ONCE):
            _settle_threads(folder, batch)
    found, missing = _attempt(folder, statement, uids)
    return [row for row in found if None not in row] if missing else found


def terms_holding(folder: Folder, uids: Sequence[int], needles: Sequence[str]) -> list[tuple[int, str]]:
    """(uid, terms) of those whose terms hold one of `needles`, ascending: all others are passed over within SQLite."""
    condition = " OR ".join(["terms.terms IS NULL", *["terms.terms GLOB ?"] * len(needles)])
    patterns = ["*" + _GLOB.sub(r"[\g<0>]", needle) + "*" for needle in needles]
    found = _selected(folder, statement_for(["terms"]), uids, f" AND ({condition})", patterns)
    missing = [uid for uid, terms in found if terms is None]
    if not missing:
        return found
    rendered = [row for row in rows(folder, missing, ["terms"]) if any(needle in row[1] for needle in needles)]
    return sorted([*(row for row in found if row[1] is not None), *rendered])


def statement_for(columns: Sequence[Column | Literal["withheld"]]) -> str:
    """SELECT … FROM facts and what must be joined to it."""
    tables = dict.fromkeys(RENDERED[column] for column in columns if column in RENDERED)
    values = "".join(", " + (FACTS.get(column) or f'{RENDERED[column]}."{column}"') for column in columns)
    joins = "".join(f" LEFT JOIN {table} ON {table}.content = facts.content" for table in tables)
    return f"SELECT facts.id & {UID_MASK}{values} FROM facts{joins}"


def _attempt(folder: Folder, statement: str, uids: Sequence[int]) -> tuple[list[tuple[Any, ...]], list[int]]:
    found = _selected(folder, statement, uids)
    return found, [row[0] for row in found if None in row]


@guarded
def _selected(
    folder: Folder, statement: str, uids: Sequence[int], condition: str = "", values: Sequence[str] = ()
) -> list[tuple[Any, ...]]:
    with folder.access.using() as index:
        folder.account.keep_to_class(index)
        return select(folder, index, statement, uids, condition, values)


@guarded
def _prepare(folder: Folder, uids: Sequence[int], tables: frozenset[str]) -> None:
    with folder.access.using() as index:
        if "previews" in tables:
            rendering.render_previews(folder, index, uids)
        if tables - {"previews"}:
            rendering.render(folder, index, uids)
        if needed := tables & arranging.TABLES:
            arranging.arrange(folder, index, uids, needed)
        if tables <= {"previews"}:
            rendering.decide(folder, index, [folder.id_of(uid) for uid in uids])


@guarded
def _settle_threads(folder: Folder, uids: Sequence[int]) -> None:
    with folder.access.using() as index:
        arranging.settle_threads(folder, index, uids)


def select(
    folder: Folder, index: Index, statement: str, uids: Sequence[int], condition: str = "", values: Sequence[str] = ()
) -> list[tuple[Any, ...]]:
    """`statement` for those of `uids` that exist, ascending by UID; it selects from `facts` and gives the UID first.

    condition: ` AND …` that rows must meet too, with its `values`.
    """
    known = folder.snapshot.uids
    places = places_of(folder.snapshot, uids)
    if not places:
        return []
    runs = _runs(places)
    base = first_id(folder.row.id)
    if len(runs) > 4 + len(places) // _RANGES_PER_MESSAGE:
        ids = str([base | known[at] for at in places])
        return index.all(f"{statement} WHERE facts.id IN {chosen()}{condition} ORDER BY facts.id", ids, *values)
    found: list[tuple[Any, ...]] = []
    for first, last in runs:
        found += index.all(
            f"{statement} WHERE facts.id BETWEEN ? AND ?{condition} ORDER BY facts.id",
            base | known[first], base | known[last], *values,
        )  # fmt: skip
    dense = all(known[last] - known[first] == last - first for first, last in runs)
    if not dense and (condition or len(found) > len(places)):
        wanted = {known[at] for at in places}
        found = [row for row in found if row[0] in wanted]
    return found


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """(first, last) of each stretch without a gap."""
    if places[-1] - places[0] == len(places) - 1:
        return [(places[0], places[-1])]
    breaks = [at for at in range(1, len(places)) if places[at] - places[at - 1] != 1]
    starts = [0, *breaks]
    return [(places[start], places[end - 1]) for start, end in zip(starts, [*breaks, len(places)], strict=True)]
