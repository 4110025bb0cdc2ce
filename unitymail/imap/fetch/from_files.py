"""FETCH of message octets: small sections are read in batches and joined, large ones are handed on as extents.

Knows when a batch is full; refuses to know the connection. Whoever takes a batch sends its pieces and closes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from unitymail.imap.fetch.attribute import Piece
from unitymail.imap.fetch.block import Block
from unitymail.imap.fetch.decoding import UnknownEncoding
from unitymail.imap.fetch.plan import LINE_END, Plan, Row
from unitymail.imap.letter import Letters
from unitymail.interfaces.store import IContent, IFolder

BLOCK = 200
BATCH_OCTETS = 262_144
MOST_COPIED = 2 * BATCH_OCTETS
"""Who asks for the same octets many times gets more of a message than it has: then the rest is opened once more."""


@dataclass(slots=True)
class Batch:
    """Pieces ready to send; `open` are the contents that its extents point into.

    `gone`: messages that are not there any more. `undecodable`: those left out for a transfer encoding nobody knows.
    """

    pieces: list[Piece] = field(default_factory=list)
    open: list[IContent] = field(default_factory=list)
    gone: int = 0
    undecodable: int = 0
    last: bool = False

    def close(self) -> None:
        while self.open:
            self.open.pop().close()


class Reading:
    """The messages of one block, read batch by batch. Each `read` blocks on the disk: call it in a thread."""

    def __init__(self, folder: IFolder, plan: Plan, block: Block, letters: Letters) -> None:
        self._folder, self._plan, self._block, self._letters = folder, plan, block, letters
        self._heads: list[bytes] | None = None
        self._gone = 0
        self._next = 0

    def read(self) -> Batch:
        """Up to `BATCH_OCTETS` of copied octets, or up to the first message with a long section."""
        if self._heads is None:
            self._heads = self._begin()
        batch = Batch(gone=self._gone)
        self._gone = 0
        try:
            self._fill(batch, self._heads)
        except BaseException:
            batch.close()
            raise
        batch.last = self._next == len(self._block)
        return batch

    def _begin(self) -> list[bytes]:
        plan, block = self._plan, self._block
        rows: list[Row] = list(zip(block.uids))
        if plan.columns:
            rows = self._folder.rows(block.uids, plan.columns)
            self._gone = len(block) - len(rows)
            if self._gone:
                self._block = block = block.only({row[0] for row in rows})
        return plan.heads(block.sequences, block.flags, rows)

    def _fill(self, batch: Batch, heads: list[bytes]) -> None:
        copied: list[bytes] = []
        size = 0
        while self._next < len(self._block) and size < BATCH_OCTETS and not batch.open:
            contents = self._folder.contents(self._block.uids[self._next :], BATCH_OCTETS - size)
            batch.open += [content for content in contents if content is not None]
            for content in contents:
                if size > MOST_COPIED:
                    break
                at, self._next = self._next, self._next + 1
                if content is None:
                    batch.gone += 1
                    continue
                for piece in self._message(heads[at], self._block.uids[at], content, batch):
                    if isinstance(piece, bytes):
                        copied.append(piece)
                        size += len(piece)
                    else:
                        batch.pieces += [b"".join(copied), piece]
                        copied = []
            if not batch.pieces:
                batch.close()
        if copied:
            batch.pieces.append(b"".join(copied))

    def _message(self, head: bytes, uid: int, content: IContent, batch: Batch) -> list[Piece]:
        """Nothing of a message that is left out."""
        letter = self._letters.letter(uid, content)
        pieces: list[Piece] = [head]
        try:
            for number, item in enumerate(self._plan.contents):
                if number:
                    pieces.append(b" ")
                pieces += item.pieces(letter)
        except UnknownEncoding:
            batch.undecodable += 1
            return []
        pieces.append(LINE_END)
        return pieces
