"""EMAILID and THREADID (RFC 8474): messages with the same content, messages of one conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unitymail.imap.search.key import Arguments, key
from unitymail.imap.search.leaf import Probe, RowProbe, Verdicts
from unitymail.imap.wire.lexer import BadSyntax

_OBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Letter case counts."""

    column: Literal["emailid", "threadid"]
    id: str

    def probes(self) -> tuple[Probe, ...]:
        return (RowProbe((self.column,), self._judge),)

    def _judge(self, ids: Sequence[str]) -> Verdicts:
        wanted = self.id
        return bytes([one == wanted for one in ids])


@key("EMAILID")
def _emailid(arguments: Arguments, name: str) -> Identity:
    return Identity("emailid", _object_id(arguments))


@key("THREADID")
def _threadid(arguments: Arguments, name: str) -> Identity:
    return Identity("threadid", _object_id(arguments))


def _object_id(arguments: Arguments) -> str:
    arguments.reader.space()
    found = arguments.reader.astring().decode("latin-1")
    if _OBJECT_ID.fullmatch(found) is None:
        raise BadSyntax("An object id is 1 to 255 letters, digits, '_' and '-'")
    return found
