"""THREAD and UID THREAD (RFC 5256): REFERENCES and ORDEREDSUBJECT.

What is answered by UID is remembered for large folders: clients ask for it whenever they open one.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from unitymail.imap.letter import Letters
from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import SELECTED, Done, command
from unitymail.imap.search.evaluate import search as matching
from unitymail.imap.search.grammar import criteria_after_charset
from unitymail.imap.search.key import circumstances
from unitymail.imap.search.keys.modseq import asks_modseq
from unitymail.imap.sort.columns import Turn, chosen_uids, read_values
from unitymail.imap.sort.remembered import Known, Remembered, name_of
from unitymail.imap.thread.by_subject import by_subject
from unitymail.imap.thread.forest import Forest, spelled
from unitymail.imap.thread.references import by_references
from unitymail.imap.thread.tied import Tied
from unitymail.imap.wire.lexer import BadSyntax, Reader

if TYPE_CHECKING:
    from unitymail.imap.session import Session

ALGORITHMS: dict[str, Callable[[Tied, Sequence[int]], Forest]] = {
    "ORDEREDSUBJECT": by_subject,
    "REFERENCES": by_references,
}
CAPABILITIES = tuple(f"THREAD={name}" for name in ALGORITHMS)
PORTION = 16_384
_NUMBER = re.compile(rb"[0-9]+")


@command("THREAD", states=SELECTED, uid=True, holds_expunges=True)
async def thread(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """One answer, also when nothing is found."""
    algorithm = reader.atom().upper()
    if algorithm not in ALGORITHMS:
        raise BadSyntax(f"THREAD knows REFERENCES and ORDEREDSUBJECT, no {algorithm[:40]}")
    reader.space()
    tree = criteria_after_charset(reader, circumstances(session))
    if asks_modseq(tree):
        session.learn_modseq()
    letters = Letters(session.door.store, session.account.id, session.folder, remembering=False)
    found = await matching(tree, session.view, session.folder, session.run, letters)
    threads = await _threads(session, algorithm, found)
    if not by_uid:
        threads = await reckon(session, len(session.view), _numbered, threads, session.view.uids)
    session.send(b"* THREAD" + b" " * bool(threads))
    for begin in range(0, len(threads), PORTION):
        session.send(threads[begin : begin + PORTION])
        await session.drained()
        await session.breathe()
    session.send(b"\r\n")
    return Done("THREAD completed")


async def _threads(session: Session, algorithm: str, found: int) -> bytes:
    """As THREAD spells them, by UID."""
    uids = await chosen_uids(session, found)
    name = name_of(session.account.id, session.folder, session.view.snapshot.uidvalidity)
    key = (*name, algorithm, uids is session.view.uids)
    remembered = Remembered.of(session.door.store)
    if (threads := _known(remembered, key, uids)) is not None:
        return threads
    async with Turn():
        if (threads := _known(remembered, key, uids)) is not None:
            return threads
        columns, complete = await read_values(session, uids, ["ties", "sent"])
        threads = await session.run(_threaded, algorithm, uids, *columns)
    if complete:
        remembered.keep(key, Known(uids, threads, len(threads) + uids.itemsize * len(uids)))
    return threads


def _known(remembered: Remembered, key: Hashable, uids: array[int]) -> bytes | None:
    known = remembered.last(key)
    return known.result if known is not None and known.uids == uids else None


def _threaded(algorithm: str, uids: Sequence[int], ties: Sequence[bytes], sent: Sequence[int]) -> bytes:
    return spelled(ALGORITHMS[algorithm](Tied(ties), sent), [b"%d" % uid for uid in uids])


def _numbered(threads: bytes, uids: Sequence[int]) -> bytes:
    """The same with sequence numbers."""
    if not uids or uids[-1] == len(uids):
        return threads
    numbers = {b"%d" % uid: b"%d" % number for number, uid in enumerate(uids, 1)}
    return _NUMBER.sub(lambda found: numbers[found[0]], threads)
