"""What rows of the index say of a block of messages: all rows judged, or only those that the index says hold the words.

Knows how values of rows become verdicts in the order of the messages; refuses to know which messages are asked about.
Everything here runs in threads.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from unitymail.imap.search.leaf import UNSURE, RowColumn, RowProbe, Verdicts
from unitymail.interfaces.store import IFolder


def stand_together(numbers: Sequence[int]) -> bool:
    """Whether ascending numbers, of which there are some, have no gap."""
    return numbers[-1] - numbers[0] == len(numbers) - 1


def judge_rows(
    folder: IFolder, uids: Sequence[int], columns: tuple[RowColumn, ...], probes: Sequence[RowProbe]
) -> list[Verdicts]:
    """Each probe's verdicts on these messages; UNSURE, and so never a match, for those that are gone."""
    rows = folder.internal_days(uids) if columns == ("day",) else folder.rows(uids, columns)  # type: ignore[arg-type]
    values = [row[1] for row in rows] if len(columns) == 1 else [row[1:] for row in rows]
    judged = [probe.judge(values) for probe in probes]
    if len(rows) == len(uids):
        return judged
    there = {row[0]: at for at, row in enumerate(rows)}
    return [bytes([v[there[uid]] if uid in there else UNSURE for uid in uids]) for v in judged]


def judge_holding(
    folder: IFolder, uids: Sequence[int], columns: tuple[RowColumn, ...], probes: Sequence[RowProbe]
) -> list[Verdicts]:
    """As `judge_rows`, where the index says which rows need to be judged at all."""
    found = folder.terms_holding(uids, [probe.holding for probe in probes])
    if stand_together(uids):
        places = [uid - uids[0] for uid, _ in found]
    else:
        places = [bisect_left(uids, uid) for uid, _ in found]
    texts = [text for _, text in found]
    gone = [at for at, uid in enumerate(uids) if uid in missing] if (missing := left(folder, uids)) else ()
    judged: list[Verdicts] = []
    for probe in probes:
        verdicts = bytearray([probe.otherwise]) * len(uids)
        for at, verdict in zip(places, probe.judge(texts), strict=True):
            verdicts[at] = verdict
        for at in gone:
            verdicts[at] = UNSURE
        judged.append(verdicts)
    return judged


def left(folder: IFolder, uids: Sequence[int]) -> set[int]:
    """Those of `uids` (ascending, at least one) that are not in the folder any more."""
    known = folder.snapshot.uids
    stretch = known[bisect_left(known, uids[0]) : bisect_right(known, uids[-1])]
    return set() if stretch == uids else set(uids).difference(stretch)
