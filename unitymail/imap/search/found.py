"""What was found, as indexes of a view: a set, told in the order of the mailbox, or a list in an order of its own.

Knows how numbers are counted and spelled; refuses to know who asked for which of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unitymail.imap.search import mask
from unitymail.imap.view import View
from unitymail.imap.wire.sequence import compressed


@dataclass(frozen=True, slots=True)
class Matches:
    """What SEARCH finds: a `mask`."""

    mask: int

    def __len__(self) -> int:
        return self.mask.bit_count()

    def ends(self) -> tuple[int, int]:
        """The indexes of the first and the last; there must be one."""
        return mask.first(self.mask), mask.last(self.mask)

    def page(self, begin: int, end: int) -> Ordered:
        """Those at the half-open span of positions."""
        return Ordered(mask.chosen(self.mask, range(self.mask.bit_length()))[begin:end])

    def numbers(self, view: View, *, by_uid: bool) -> list[int]:
        return mask.chosen(self.mask, view.uids if by_uid else range(1, len(view) + 1))

    def set_octets(self, view: View, *, by_uid: bool) -> bytes:
        """The numbers as a sequence set."""
        spans = mask.spans(self.mask)
        if not by_uid:
            return b",".join([b"%d" % end if end - begin == 1 else b"%d:%d" % (begin + 1, end) for begin, end in spans])
        uids = view.uids
        pieces = []
        for begin, end in spans:
            first, last = uids[begin], uids[end - 1]
            if first == last:
                pieces.append(b"%d" % first)
            elif last - first == end - 1 - begin:
                pieces.append(b"%d:%d" % (first, last))
            else:
                pieces.append(compressed(uids[begin:end]))
        return b",".join(pieces)


@dataclass(frozen=True, slots=True)
class Ordered:
    """What SORT finds: indexes in the order asked for."""

    indexes: Sequence[int]

    @property
    def mask(self) -> int:
        return mask.from_indexes(self.indexes, max(self.indexes, default=-1) + 1)

    def __len__(self) -> int:
        return len(self.indexes)

    def ends(self) -> tuple[int, int]:
        return self.indexes[0], self.indexes[-1]

    def page(self, begin: int, end: int) -> Ordered:
        return Ordered(self.indexes[begin:end])

    def numbers(self, view: View, *, by_uid: bool) -> list[int]:
        if by_uid:
            return list(map(view.uids.__getitem__, self.indexes))
        return [index + 1 for index in self.indexes]

    def set_octets(self, view: View, *, by_uid: bool) -> bytes:
        return compressed(self.numbers(view, by_uid=by_uid))


Found = Matches | Ordered
