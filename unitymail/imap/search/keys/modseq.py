"""MODSEQ (RFC 7162, 3.1.5): what has changed since a mod-sequence.

One mod-sequence counts all metadata of a message here, so the name and kind of an entry change nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from unitymail.imap.search.key import Arguments, key
from unitymail.imap.search.leaf import Probe, Verdicts, ViewProbe
from unitymail.imap.search.tree import Key, leaves
from unitymail.imap.view import View
from unitymail.imap.wire.lexer import BadSyntax

MOST = 2**63 - 1
_ENTRY = re.compile(rb"/flags/\\?[^\x00-\x20(){%*\"\\\]\x7f-\xff]+", re.IGNORECASE)
_KINDS = ("priv", "shared", "all")


@dataclass(frozen=True, slots=True)
class ChangedSince:
    """Its mod-sequence is this one or a higher one."""

    modseq: int

    def probes(self) -> tuple[Probe, ...]:
        return (ViewProbe(self._judge),)

    def _judge(self, view: View) -> Verdicts:
        return bytes(map(self.modseq.__le__, view.modseqs))


def asks_modseq(tree: Key) -> bool:
    """Whether the answer is to tell the highest mod-sequence of what is found."""
    return any(isinstance(leaf, ChangedSince) for leaf in leaves(tree))


@key("MODSEQ")
def _modseq(arguments: Arguments, name: str) -> ChangedSince:
    reader = arguments.reader
    reader.space()
    if reader.peek() == b'"':
        if _ENTRY.fullmatch(reader.string()) is None:
            raise BadSyntax('An entry of MODSEQ is spelled like "/flags/\\\\seen"')
        reader.space()
        if reader.word().lower() not in _KINDS:
            raise BadSyntax("The kind of an entry of MODSEQ is priv, shared or all")
        reader.space()
    return ChangedSince(reader.number(high=MOST))
