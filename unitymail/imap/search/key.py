"""The register of search keys, and what a key's own grammar may use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unitymail.imap.registry import Bad, No
from unitymail.imap.wire.lexer import MAX_NESTING, BadSyntax, Reader
from unitymail.imap.wire.sequence import SequenceSet
from unitymail.mail.text import fold

if TYPE_CHECKING:
    from unitymail.imap.session import Session

MOST_KEYS = 250
CHARSETS = {"US-ASCII": "utf-8", "ASCII": "utf-8", "UTF-8": "utf-8"}
"""What we can read, and as what: UTF-8 says the same as US-ASCII, and more when a client forgets to say so."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a key may mean and use here.

    now: Unix seconds, for keys about ages. charset: CHARSET may be said (not once UTF8=ACCEPT is enabled, RFC 6855, 3).
    numbers: message sequence numbers may be named (not after ENABLE UIDONLY, RFC 9586, 3). saved: so may `$`.
    """

    now: float = 0.0
    charset: bool = True
    numbers: bool = True
    saved: bool = True

    def of_messages(self, numbers: SequenceSet) -> SequenceSet:
        """The set, unless its numbers have no meaning here."""
        if numbers.dollar:
            return self.of_uids(numbers)
        if not self.numbers:
            raise Bad("Messages are named by UID here; please use the key UID", b"UIDREQUIRED")
        return numbers

    def of_uids(self, uids: SequenceSet) -> SequenceSet:
        if uids.dollar and not self.saved:
            raise Bad("The saved result is one of the selected mailbox; other mailboxes cannot be searched by it")
        return uids


def circumstances(session: Session) -> Circumstances:
    """Those of a search in the selected mailbox."""
    return Circumstances(
        session.clock.seconds(), charset="UTF8=ACCEPT" not in session.enabled, numbers=not session.uid_only
    )


class Arguments:
    """The arguments of SEARCH behind its charset. Keys read theirs through it."""

    def __init__(self, reader: Reader, here: Circumstances) -> None:
        self.reader = reader
        self.here = here
        self._count = 0
        self._depth = 0

    def text(self) -> str:
        """The next string, folded for comparison. What is not text cannot be found, and is no error."""
        self.reader.space()
        return fold(self.reader.astring().decode("utf-8", "surrogateescape"))

    def enter(self) -> None:
        """Count one more key, one level deeper."""
        self._count += 1
        self._depth += 1
        if self._count > MOST_KEYS:
            raise No(f"More than {MOST_KEYS} search keys", b"LIMIT")
        if self._depth > MAX_NESTING:
            raise BadSyntax(f"Search keys nested deeper than {MAX_NESTING}")

    def leave(self) -> None:
        self._depth -= 1


Parser = Callable[[Arguments, str], Any]
KEYS: dict[str, Parser] = {}


def key(*names: str) -> Callable[[Parser], Parser]:
    """Register what reads the rest of a key after its name (upper case)."""

    def register(parser: Parser) -> Parser:
        KEYS.update(dict.fromkeys(names, parser))
        return parser

    return register
