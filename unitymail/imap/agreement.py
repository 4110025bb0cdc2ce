"""Where what a client believes of its messages agrees with the folder, after a STORE.

Pure: arrays in, spans out; refuses to know why they might differ. Messages side by side cost one comparison.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence

from unitymail.imap.view import View
from unitymail.imap.wire.sequence import Span
from unitymail.interfaces.store import Snapshot


def settled(uids: array[int], failed: Sequence[int], snapshot: Snapshot) -> tuple[array[int], bool]:
    """Those of `uids` (ascending) that a STORE has reached, and whether some of them have left the folder."""
    if not failed and _run_of(snapshot.uids, uids) is not None:
        return uids, False
    known, left_alone = snapshot.uids, set(failed)
    reached, at, some_left = array(uids.typecode), 0, False
    for uid in uids:
        at = bisect_left(known, uid, at)
        if at == len(known) or known[at] != uid:
            some_left = True
        elif uid not in left_alone:
            reached.append(uid)
    return reached, some_left


def agreeing(view: View, snapshot: Snapshot, uids: array[int]) -> list[Span]:
    """Where in the view those of `uids` (ascending) stand whose MODSEQ is what `snapshot` has."""
    mine, theirs = _run_of(view.uids, uids), _run_of(snapshot.uids, uids)
    if mine and theirs and view.modseqs[slice(*mine)] == snapshot.modseqs[slice(*theirs)]:
        return [mine]
    spans: list[Span] = []
    at = there = 0
    for uid in uids:
        at = bisect_left(view.uids, uid, at)
        there = bisect_left(snapshot.uids, uid, there)
        if at == len(view.uids) or there == len(snapshot.uids):
            break
        if view.uids[at] == uid == snapshot.uids[there] and view.modseqs[at] == snapshot.modseqs[there]:
            if spans and spans[-1][1] == at:
                spans[-1] = (spans[-1][0], at + 1)
            else:
                spans.append((at, at + 1))
    return spans


def _run_of(known: array[int], uids: array[int]) -> Span | None:
    """Where `uids` stand in `known`, if they stand side by side."""
    begin = bisect_left(known, uids[0]) if uids else 0
    end = begin + len(uids)
    return (begin, end) if uids and known[begin:end] == uids else None
