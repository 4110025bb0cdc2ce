"""FETCH of what the view and the index hold: rows in blocks, one formatting a message, one write a block.

Reads no message. `lines` may run in a thread; it keeps the interpreter for about a millisecond a block.
"""

from __future__ import annotations

from unitymail.imap.fetch.block import Block
from unitymail.imap.fetch.plan import Plan, Row
from unitymail.interfaces.store import IFolder

BLOCK = 500


def known(plan: Plan, block: Block) -> bytes:
    """The lines of a plan without columns: no store, no thread."""
    rows: list[Row] = list(zip(block.uids))
    return b"".join(plan.heads(block.sequences, block.flags, rows))


def lines(folder: IFolder, plan: Plan, block: Block) -> tuple[bytes, int]:
    """The lines of the block's messages, and how many of them are gone. Blocks on the store."""
    rows = folder.rows(block.uids, plan.columns)
    gone = len(block) - len(rows)
    if gone:
        block = block.only({row[0] for row in rows})
    return b"".join(plan.heads(block.sequences, block.flags, rows)), gone
