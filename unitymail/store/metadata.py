"""Annotations of folders and of the account (RFC 5464): rows of the index, and the entry that stands for a special use.

Knows entries, values and how many there may be; refuses to know who may see which, and how folders are found.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from unitymail.interfaces.store import (
    MAX_METADATA_ENTRIES,
    MAX_METADATA_OCTETS,
    MAX_METADATA_TOTAL,
    USE_ENTRY,
    MetadataTooLong,
    TooMuchMetadata,
)
from unitymail.store import uses
from unitymail.store.index import Index

ACCOUNT = 0
"""The number of a folder that is none: what is said of the account itself."""
REMEMBERED = 1_000
"""Removals that are known to have happened."""

Depth = Literal["0", "1", "infinity"]


def read(index: Index, folder: int, entries: Collection[str], depth: Depth) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for entry in entries:
        found.update(index.all(*_below(folder, entry, depth)))
    use = index.one("SELECT special_use FROM folders WHERE id = ?", folder)
    if use and use[0] and any(_covers(entry, USE_ENTRY, depth) for entry in entries):
        found[USE_ENTRY] = use[0].encode("ascii")
    return dict(sorted(found.items()))


def _below(folder: int, entry: str, depth: Depth) -> tuple[str, int, str] | tuple[str, int, str, str, str]:
    """The query for an entry and those below it."""
    select = "SELECT entry, value FROM metadata WHERE folder = ? AND value IS NOT NULL AND "
    if depth == "0":
        return select + "entry = ?", folder, entry
    # What is below begins with a slash, and "0" is the character after it.
    below = "(entry > ? AND entry < ?)"
    if depth == "1":
        below = f"(entry > ? AND entry < ? AND instr(substr(entry, {len(entry) + 2}), '/') = 0)"
    return f"{select}(entry = ? OR {below})", folder, entry, entry + "/", entry + "0"


def _covers(entry: str, other: str, depth: Depth) -> bool:
    below = other.startswith(entry + "/") and (depth == "infinity" or "/" not in other[len(entry) + 1 :])
    return entry == other or (depth != "0" and below)


def write(index: Index, folder: int, values: Mapping[str, bytes | None]) -> None:
    """All or none, durable."""
    plain = {entry: value for entry, value in values.items() if folder == ACCOUNT or entry != USE_ENTRY}
    longest = max((len(value) for value in plain.values() if value is not None), default=0)
    if longest > MAX_METADATA_OCTETS:
        raise MetadataTooLong(why=f"{longest} octets, and {MAX_METADATA_OCTETS} are possible")
    with index.changing(durable=True):
        modseq = index.next_modseq()
        if len(plain) < len(values):
            uses.give(index, folder, uses.checked((values[USE_ENTRY] or b"").decode("ascii", "replace")))
            _put(index, folder, USE_ENTRY, None, modseq)
        for entry, value in plain.items():
            _put(index, folder, entry, value, modseq)
        _require_room(index, folder)
        _forget_removals(index)


def _put(index: Index, folder: int, entry: str, value: bytes | None, modseq: int) -> None:
    index.execute("INSERT OR REPLACE INTO metadata VALUES (?, ?, ?, ?)", folder, entry, value, modseq)


def _require_room(index: Index, folder: int) -> None:
    """Raises TooMuchMetadata when there is too much now."""
    count = index.one("SELECT count(value) FROM metadata WHERE folder = ?", folder)[0]
    if count > MAX_METADATA_ENTRIES:
        raise TooMuchMetadata(why=f"a mailbox can have {MAX_METADATA_ENTRIES} entries")
    octets = index.one(
        "SELECT ifnull(sum(length(entry) + length(value)), 0) FROM metadata WHERE value IS NOT NULL"
    )[0]
    if octets > MAX_METADATA_TOTAL:
        raise TooMuchMetadata(why=f"the entries of all mailboxes can have {MAX_METADATA_TOTAL} octets")


def _forget_removals(index: Index) -> None:
    index.execute(
        "DELETE FROM metadata WHERE value IS NULL AND modseq <= ("
        "SELECT modseq FROM metadata WHERE value IS NULL ORDER BY modseq DESC LIMIT 1 OFFSET ?)",
        REMEMBERED,
    )


def copy(index: Index, source: int, target: int) -> None:
    """What is said of one folder is said of another too."""
    with index.changing(durable=True):
        index.execute(
            "INSERT OR REPLACE INTO metadata SELECT ?, entry, value, ? FROM metadata"
            " WHERE folder = ? AND value IS NOT NULL",
            target, index.next_modseq(), source,
        )  # fmt: skip


def changes(index: Index, since: int) -> tuple[int, list[tuple[int, str]]]:
    """(the newest change, (folder, entry) of what changed after `since`)."""
    newest = index.one("SELECT ifnull(max(modseq), 0) FROM metadata")[0]
    if not since:
        return max(newest, 1), []
    found = index.all("SELECT folder, entry FROM metadata WHERE modseq > ? ORDER BY modseq, entry", since)
    return max(newest, since), found
