"""The messages of a FETCH in blocks, each a slice of the session's view: sequence numbers, UIDs, flags.

Knows the view's arrays; refuses to know what is asked of the messages.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from unitymail.imap.view import View
from unitymail.imap.wire.sequence import Span, gathered


@dataclass(frozen=True, slots=True)
class Block:
    """Parallel columns. `flags` are ready `FLAGS (...)` octets, empty where none are to be shown."""

    sequences: Sequence[int]
    uids: Sequence[int]
    flags: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.uids)

    def only(self, uids: Collection[int]) -> Block:
        """Without the messages that are gone meanwhile."""
        kept = [at for at, uid in enumerate(self.uids) if uid in uids]
        return Block(
            [self.sequences[at] for at in kept], [self.uids[at] for at in kept], [self.flags[at] for at in kept]
        )


def split(spans: Sequence[Span], size: int) -> Iterator[list[Span]]:
    """The spans of view indexes in portions of at most `size` messages, order kept."""
    portion: list[Span] = []
    room = size
    for begin, end in spans:
        while begin < end:
            taken = min(room, end - begin)
            portion.append((begin, begin + taken))
            begin += taken
            room -= taken
            if not room:
                yield portion
                portion, room = [], size
    if portion:
        yield portion


def cut_out(view: View, spans: list[Span], *, shown: Collection[int] | None, follow: bytes) -> Block:
    """The block at these indexes. `shown`: the UIDs whose flags are to be told (None for all); `follow` ends them."""
    if len(spans) == 1:
        sequences: Sequence[int] = range(spans[0][0] + 1, spans[0][1] + 1)
    else:
        sequences = list(chain.from_iterable(range(begin + 1, end + 1) for begin, end in spans))
    uids = gathered(view.uids, spans)
    if shown is not None and not shown:
        return Block(sequences, uids, [b""] * len(uids))
    flags = _flags(view, uids, gathered(view.flags, spans), follow)
    if shown is not None:
        flags = [octets if uid in shown else b"" for uid, octets in zip(uids, flags, strict=True)]
    return Block(sequences, uids, flags)


def _flags(view: View, uids: array[int], combinations: array[int], follow: bytes) -> list[bytes]:
    wording = {c: b"FLAGS " + view.flags_octets(c, False) + follow for c in set(combinations)}
    flags = list(map(wording.__getitem__, combinations))
    for first, last in view.recent:
        for at in range(bisect_left(uids, first), bisect_right(uids, last)):
            flags[at] = b"FLAGS " + view.flags_octets(combinations[at], True) + follow
    return flags
