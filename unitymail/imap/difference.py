"""How what a client was told of its folder differs from the folder's newest snapshot.

Pure: arrays in, differences out; refuses to know how a difference is worded (``telling``).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from unitymail.imap.view import View
from unitymail.interfaces.store import Snapshot

BLOCK = 512


@dataclass(frozen=True, slots=True)
class Difference:
    """What to tell, and the view's arrays once it is told.

    `expunged` are sequence numbers, descending (each is right at the moment it is sent), `vanished` the UIDs of the
    same messages, ascending. `exists` is None when no message came; the UIDs of those that came are `came`. `changed`
    are indexes into the new arrays whose flags differ (or only their MODSEQs, when those are compared). `keywords` is
    None when none is new. The first `known` of the new arrays are messages that the client knew. `withheld`: some are
    gone that may not be told of yet, or have come. `unheard`: changes of flags are left out because the client does not
    want to hear of them.
    """

    snapshot: Snapshot
    uids: array[int]
    flags: array[int]
    modseqs: array[int]
    expunged: tuple[int, ...] = ()
    vanished: Sequence[int] = ()
    known: int = 0
    exists: int | None = None
    changed: tuple[int, ...] = ()
    keywords: tuple[str, ...] | None = None
    withheld: bool = False
    unheard: bool = False

    @property
    def came(self) -> array[int]:
        """The UIDs of the messages that are new to the client, ascending."""
        return self.uids[self.known :]


def diff(view: View, snapshot: Snapshot, *, expunges: bool, modseqs: bool = False) -> Difference:
    """What the client must be told; with `expunges` false the messages that are gone stay in the new arrays.

    modseqs: a message has changed when its MODSEQ has, even if its flags are by now what the client believes.
    """
    old = view.uids
    gone = gone_from(old, snapshot.uids)
    if gone and not expunges:
        new, told = _with_ghosts(view, snapshot, gone), []
        before = view.modseqs if modseqs else view.flags
    else:
        new, told = (snapshot.uids, snapshot.flags, snapshot.modseqs), gone
        before = without(view.modseqs if modseqs else view.flags, gone)
    known = len(before)
    return Difference(
        snapshot,
        *new,
        expunged=tuple(at + 1 for at in reversed(told)),
        vanished=array(old.typecode, map(old.__getitem__, told)) if told else (),
        known=known,
        exists=len(new[0]) if len(new[0]) > known else None,
        changed=tuple(changed_indexes(before, new[2] if modseqs else new[1])),
        keywords=new_keywords(view, snapshot),
        withheld=bool(gone) and not expunges,
    )


def without_flags(told: Difference) -> Difference:
    """For a client that does not want to hear of flags: they are what they are, without a word."""
    return replace(told, changed=(), unheard=bool(told.changed))


def quietly(view: View, snapshot: Snapshot) -> Difference:
    """For a client that wants to hear of nothing: no message comes or leaves, but the flags of the living are true."""
    told = diff(view, snapshot, expunges=False)
    known = slice(told.known)
    return replace(
        told, uids=told.uids[known], flags=told.flags[known], modseqs=told.modseqs[known], exists=None, changed=(),
        keywords=None, withheld=told.withheld or told.exists is not None, unheard=True,
    )  # fmt: skip


def unheard(view: View) -> Difference:
    """What happened to flags while the client did not want to hear of it."""
    changed = tuple(at for at, modseq in enumerate(view.modseqs) if modseq > view.highest_modseq)
    count = len(view)
    return Difference(view.snapshot, view.uids, view.flags, view.modseqs, known=count, changed=changed)


def new_keywords(view: View, snapshot: Snapshot) -> tuple[str, ...] | None:
    """All keywords of the folder when some are new to the client."""
    return None if set(snapshot.keywords) <= set(view.keywords) else snapshot.keywords


def _with_ghosts(
    view: View, snapshot: Snapshot, gone: list[int]
) -> tuple[array[int], array[int], array[int]]:
    """The old messages, those that are gone too, with the newest flags of the living, and the new messages."""
    living = len(view.uids) - len(gone)
    uids = view.uids + snapshot.uids[living:]
    flags = array(view.flags.typecode)
    modseqs = array(view.modseqs.typecode)
    begin = taken = 0
    for at in (*gone, len(view.uids)):
        run = at - begin
        flags.extend(snapshot.flags[taken : taken + run])
        modseqs.extend(snapshot.modseqs[taken : taken + run])
        if at < len(view.uids):
            flags.append(view.flags[at])
            modseqs.append(view.modseqs[at])
        begin, taken = at + 1, taken + run
    flags.extend(snapshot.flags[living:])
    modseqs.extend(snapshot.modseqs[living:])
    return uids, flags, modseqs


def gone_from(old: array[int], new: array[int]) -> list[int]:
    """Ascending indexes of `old` whose UIDs `new` lacks. Both ascend; what only `new` has is above all of `old`."""
    if new[: len(old)] == old:
        return []
    kept = bisect_right(new, old[-1])
    if len(old) - kept > BLOCK:
        missing = set(old).difference(new)
        return [at for at, uid in enumerate(old) if uid in missing]
    gone: list[int] = []
    i = j = 0
    while i < len(old):
        step = BLOCK
        while step and old[i : i + step] != new[j : j + step]:
            step //= 2
        if step:
            step = min(step, len(old) - i)
            i, j = i + step, j + step
        else:
            gone.append(i)
            i += 1
    return gone


def without(numbers: array[int], gone: list[int]) -> array[int]:
    """`numbers` without the ascending indexes `gone`."""
    if not gone:
        return numbers
    kept = array(numbers.typecode)
    begin = 0
    for at in gone:
        kept.extend(numbers[begin:at])
        begin = at + 1
    kept.extend(numbers[begin:])
    return kept


def changed_indexes(old: array[int], new: array[int]) -> list[int]:
    """Indexes below len(old) where the two differ; equal blocks cost one comparison."""
    count = len(old)
    if old == new[:count]:
        return []
    changed: list[int] = []
    for begin in range(0, count, BLOCK):
        mine, theirs = old[begin : begin + BLOCK], new[begin : min(begin + BLOCK, count)]
        if mine != theirs:
            changed.extend(begin + at for at, pair in enumerate(zip(mine, theirs, strict=True)) if pair[0] != pair[1])
    return changed
