"""Removing what the index keeps of messages that are gone. Refuses to know why they are.

What was rendered, or noted for receipts, belongs to the content: it goes with the last message that has it.
"""

from __future__ import annotations

from collections.abc import Sequence

from unitymail.store.chosen import chosen
from unitymail.store.index import Index

OF_CONTENTS = (
    "summaries", "fields", "terms", "previews", "threads", "sorting", "ties", "receipts", "read_before", "secrecy",
    "marked_by_age", "recordings",
)  # fmt: skip


def forget(index: Index, ids: Sequence[int]) -> None:
    """Delete the rows of `files`, `facts` and `pending`, and rendered forms that nothing needs any more."""
    wanted = str(list(ids))
    contents = [c for (c,) in index.all("SELECT DISTINCT content FROM facts WHERE id IN " + chosen(), wanted)]
    for table in ("files", "facts", "pending"):
        index.execute(f"DELETE FROM {table} WHERE id IN " + chosen(), wanted)
    drop_unused(index, contents)


def drop_unused(index: Index, contents: Sequence[int]) -> None:
    """Delete what is kept of those of these contents that no message has any more."""
    for table in OF_CONTENTS:
        index.execute(
            f"DELETE FROM {table} WHERE content IN {chosen()}"
            f" AND NOT EXISTS (SELECT 1 FROM facts WHERE facts.content = {table}.content)",
            str(list(contents)),
        )


def subtract_totals(index: Index, folder: int, ids: Sequence[int]) -> int:
    """Take the messages off the folder's totals; how many octets they have."""
    octets: int = index.one("SELECT ifnull(sum(octets), 0) FROM facts WHERE id IN " + chosen(), str(list(ids)))[0]
    index.execute(
        "UPDATE folders SET messages = messages - ?, octets = octets - ? WHERE id = ?", len(ids), octets, folder
    )
    return octets
