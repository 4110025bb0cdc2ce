"""CONDSTORE (RFC 7162, 3.1): every change of a message has a number, MODSEQ, and clients ask for what came after one.

Whoever shows that it knows of these numbers is told of them from then on (`session.learn_modseq`); to others nothing is
different but the HIGHESTMODSEQ of SELECT.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from unitymail.imap.fetch.items.view import MODSEQ
from unitymail.imap.fetch.modifiers import Asked, Modifier
from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.sequence import Span

if TYPE_CHECKING:
    from unitymail.imap.commands.select import Opened
    from unitymail.imap.session import Session
    from unitymail.imap.view import View

MAX_MODSEQ = 2**63 - 1
BLOCK = 512


def enable(session: Session) -> None:
    session.learn_modseq()


async def selected(session: Session, reader: Reader) -> Opened:
    """SELECT (CONDSTORE): HIGHESTMODSEQ was among the lines anyway."""
    return _opened


async def _opened(session: Session) -> None:
    session.knows_modseq = True


def modseq(reader: Reader) -> int:
    """A mod-sequence, 0 included (RFC 7162, 7: mod-sequence-valzer)."""
    return reader.number(high=MAX_MODSEQ)


def changed_since(reader: Reader) -> Modifier:
    """FETCH … (CHANGEDSINCE n): MODSEQ is told besides."""
    reader.space()
    since = modseq(reader)
    return Modifier(since, prepare=_know, narrow=partial(changed_after, since), items=(MODSEQ,))


async def _know(session: Session, asked: Asked) -> None:
    """What changed counts up to now, not up to what the client was told last."""
    session.learn_modseq()
    await session.catch_up(expunges=asked.by_uid)


def changed_after(since: int, view: View, spans: list[Span]) -> list[Span]:
    """What is left of the spans when only messages with a higher MODSEQ count; a block without any costs one max()."""
    left: list[Span] = []
    for begin, end in spans:
        for start in range(begin, end, BLOCK):
            modseqs = view.modseqs[start : min(start + BLOCK, end)]
            if max(modseqs) <= since:
                continue
            for at, one in enumerate(modseqs, start):
                if one <= since:
                    continue
                if left and left[-1][1] == at:
                    left[-1] = (left[-1][0], at + 1)
                else:
                    left.append((at, at + 1))
    return left


def unchanged_since(reader: Reader) -> int:
    """STORE … (UNCHANGEDSINCE n)"""
    reader.space()
    return modseq(reader)


def highest_modseq(session: Session) -> bytes:
    return b"* OK [HIGHESTMODSEQ %d] Changes are counted\r\n" % session.view.highest_modseq


CAPABILITIES = ("CONDSTORE",)
ENABLES = {"CONDSTORE": enable}
SELECT_PARAMETERS = {"CONDSTORE": selected}
SELECT_LINES = {"HIGHESTMODSEQ": highest_modseq}
STATUS_ITEMS = {"HIGHESTMODSEQ": lambda status: b"%d" % status.highest_modseq}
STATUS_ASKED = {"HIGHESTMODSEQ": enable}
FETCH_MODIFIERS = {"CHANGEDSINCE": changed_since}
STORE_MODIFIERS = {"UNCHANGEDSINCE": unchanged_since}
