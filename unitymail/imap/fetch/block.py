"""The messages of a FETCH in blocks, each a slice of the session's view: sequence numbers, UIDs, flags, MODSEQs.

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
    """Parallel columns. `flags` are ready octets, `FLAGS (...)` or `MODSEQ (...)`, empty where none are to be shown."""

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


@dataclass(frozen=True, slots=True)
class Shown:
    """What of the view is told: of every message, and of those whose flags the command itself has changed (`marked`).

    marked_modseq: the latter with their MODSEQ. follow: what stands behind. uid_only: UIDs take the place of numbers.
    """

    flags: bool = False
    modseq: bool = False
    marked: Collection[int] = ()
    marked_modseq: bool = False
    follow: bytes = b""
    uid_only: bool = False


def cut_out(view: View, spans: list[Span], shown: Shown) -> Block:
    """The block at these indexes."""
    uids = gathered(view.uids, spans)
    if shown.uid_only:
        sequences: Sequence[int] = uids
    elif len(spans) == 1:
        sequences = range(spans[0][0] + 1, spans[0][1] + 1)
    else:
        sequences = list(chain.from_iterable(range(begin + 1, end + 1) for begin, end in spans))
    return Block(sequences, uids, _values(view, spans, uids, shown))


def _values(view: View, spans: list[Span], uids: array[int], shown: Shown) -> list[bytes]:
    values = _wording(view, spans, uids, shown, flags=shown.flags, modseq=shown.modseq)
    told_already = shown.flags and (shown.modseq or not shown.marked_modseq)
    if told_already or not shown.marked:
        return values
    of_marked = _wording(view, spans, uids, shown, flags=True, modseq=shown.modseq or shown.marked_modseq)
    return [m if uid in shown.marked else v for uid, v, m in zip(uids, values, of_marked, strict=True)]


def _wording(
    view: View, spans: list[Span], uids: array[int], shown: Shown, *, flags: bool, modseq: bool
) -> list[bytes]:
    if not modseq:
        return _flags(view, spans, uids, shown.follow) if flags else [b""] * len(uids)
    follow = b"MODSEQ (%d)" + shown.follow
    modseqs = gathered(view.modseqs, spans)
    if not flags:
        return [follow % modseq for modseq in modseqs]
    lines = _flags(view, spans, uids, b" " + follow, template=True)
    return [line % modseq for line, modseq in zip(lines, modseqs, strict=True)]


def _flags(view: View, spans: list[Span], uids: array[int], follow: bytes, *, template: bool = False) -> list[bytes]:
    """template: what comes out is to be formatted once more."""

    def worded(combination: int, recent: bool) -> bytes:
        octets = view.flags_octets(combination, recent)
        return b"FLAGS " + (octets.replace(b"%", b"%%") if template else octets) + follow

    combinations = gathered(view.flags, spans)
    wording = {c: worded(c, False) for c in set(combinations)}
    flags = list(map(wording.__getitem__, combinations))
    for first, last in view.recent:
        for at in range(bisect_left(uids, first), bisect_right(uids, last)):
            flags[at] = worded(combinations[at], True)
    return flags
