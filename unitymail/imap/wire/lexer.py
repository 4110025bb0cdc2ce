"""The words of one assembled command: `Reader` hands them out one by one, as the grammar of RFC 3501, 9 has them.

Knows tokens; refuses to know what a command does with them. Raises `BadSyntax` with words for the client, and stops at
nesting that no honest client needs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from unitymail.imap.wire import names, sequence
from unitymail.imap.wire.names import BadName
from unitymail.imap.wire.sequence import MAX_NUMBER, SequenceSet
from unitymail.interfaces.store import SYSTEM_FLAGS

MAX_NESTING = 50
NO_NAME = b"\0"
"""A pattern that no name has anything of."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# Octets from 0x80 up are let through in atoms: what a client spells in UTF-8 gets a useful answer, not BAD.
_ATOM = re.compile(rb"[^\x00-\x20(){%*\"\\\]\x7f]+")
_ASTRING = re.compile(rb"[^\x00-\x20(){%*\"\\\x7f]+")
_PATTERN = re.compile(rb"[^\x00-\x20(){\"\\\x7f]+")
_QUOTED = re.compile(rb"\"((?:[^\"\\\r\n\x00]++|\\[^\r\n\x00])*+)\"")
_ESCAPE = re.compile(rb"\\(.)")
_NUMBER = re.compile(rb"[0-9]+")
_SET = re.compile(rb"[0-9*:,]+|\$")
_FLAG = re.compile(rb"\\?[^\x00-\x20(){%*\"\\\]\x7f-\xff]+")
_WORD = re.compile(rb"[A-Za-z0-9]+")
_DATE = re.compile(rb"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})")
_DATE_TIME = re.compile(
    rb"([ 0-9]?[0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"
)
_SYSTEM = {flag.lower(): flag for flag in SYSTEM_FLAGS}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadSyntax(Exception):
    """The command cannot be read; the text is for the client."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal of a command; `binary` when it came as literal8 (`~{n}`)."""

    octets: bytes
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Announced:
    """A literal that a command will stream in (APPEND): its size is known, its octets are still with the client."""

    size: int
    synchronising: bool
    binary: bool = False


Part = bytes | Literal | Announced


class Reader:
    """`parts` are text and literals in turn, without the `{n}` marks.

    utf8: names and quoted strings come in UTF-8 (RFC 6855, 3).
    """

    def __init__(self, parts: Sequence[Part], *, utf8: bool = False) -> None:
        self._parts = [part for part in parts if part != b""]
        self._index = 0
        self._at = 0
        self._depth = 0
        self.utf8 = utf8

    # Where we are

    @property
    def count(self) -> int:
        """How many parts there are: one for a command without literals."""
        return len(self._parts)

    def _text(self) -> bytes | None:
        """The text part we stand in, None before a literal or at the end."""
        if self._index >= len(self._parts):
            return None
        part = self._parts[self._index]
        return part if isinstance(part, bytes) else None

    def _step(self, to: int) -> None:
        text = self._parts[self._index]
        if isinstance(text, bytes) and to < len(text):
            self._at = to
        else:
            self._index += 1
            self._at = 0

    def at_end(self) -> bool:
        return self._index >= len(self._parts)

    def end(self) -> None:
        """Raise unless everything has been read; spaces that some clients leave at the end do not count."""
        while self.take(b" "):
            pass
        if not self.at_end():
            raise BadSyntax("Unexpected text after the arguments")

    def peek(self) -> bytes:
        """The next octet; `{` before a literal, empty at the end."""
        text = self._text()
        if text is None:
            return b"" if self.at_end() else b"{"
        return text[self._at : self._at + 1]

    def rest(self) -> bytes:
        """What is left of the current text, unread (for messages and look-ahead)."""
        text = self._text()
        return b"" if text is None else text[self._at :]

    # Single octets and words

    def take(self, token: bytes) -> bool:
        """Read `token` if it comes next, letter case aside. Parentheses are counted against `MAX_NESTING`."""
        text = self._text()
        if text is None or text[self._at : self._at + len(token)].upper() != token.upper():
            return False
        if token == b"(":
            self._depth += 1
            if self._depth > MAX_NESTING:
                raise BadSyntax(f"Lists nested deeper than {MAX_NESTING}")
        elif token == b")":
            self._depth -= 1
        self._step(self._at + len(token))
        return True

    def expect(self, token: bytes) -> None:
        if not self.take(token):
            raise BadSyntax(f"Expected {token.decode('ascii', 'replace')!r}")

    def space(self) -> None:
        if not self.take(b" "):
            raise BadSyntax("Missing argument" if self.at_end() else "Expected a space")

    def _match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        text = self._text()
        found = pattern.match(text, self._at) if text is not None else None
        if found is None:
            raise BadSyntax(f"Missing {what}" if self.at_end() else f"Expected {what}")
        self._step(found.end())
        return found

    def word(self) -> str:
        """Letters and digits, in upper case: the name of an item, key or option."""
        return self._match(_WORD, "a word").group().decode("ascii").upper()

    def atom(self) -> str:
        octets = self._match(_ATOM, "an atom").group()
        try:
            return octets.decode("ascii")
        except UnicodeDecodeError:
            raise BadSyntax("An atom has octets outside US-ASCII") from None

    # Strings

    def astring(self) -> bytes:
        if self.peek() in (b'"', b"{"):
            return self.string()
        return self._match(_ASTRING, "a string").group()

    def string(self) -> bytes:
        if not self.at_end() and self._text() is None:
            return self.literal().octets
        inside = self._match(_QUOTED, "a string").group(1)
        if self.utf8 and not _is_utf8(inside):
            raise BadSyntax("A quoted string is not valid UTF-8")
        return _ESCAPE.sub(rb"\1", inside) if b"\\" in inside else inside

    def nstring(self) -> bytes | None:
        if self.peek() in (b'"', b"{"):
            return self.string()
        if self._match(_ATOM, "a string or NIL").group().upper() != b"NIL":
            raise BadSyntax("Expected a string or NIL")
        return None

    def literal(self) -> Literal:
        part = None if self.at_end() else self._parts[self._index]
        if not isinstance(part, Literal):
            raise BadSyntax("Expected a literal")
        self._index += 1
        return part

    def announced(self) -> Announced:
        """The literal that is still with the client, for commands that stream (`registry.command(uploads_after=…)`)."""
        part = None if self.at_end() else self._parts[self._index]
        if not isinstance(part, Announced):
            raise BadSyntax("Expected a literal")
        self._index += 1
        return part

    def is_binary(self) -> bool:
        """Whether the literal that comes next is a literal8 (`~{n}`)."""
        part = None if self.at_end() else self._parts[self._index]
        return isinstance(part, Literal | Announced) and part.binary

    # Names

    def mailbox(self) -> str:
        """A decoded mailbox name; INBOX in any case is `INBOX`. Raises BadName when it is not spelled as it must be."""
        octets = self.astring()
        try:
            name = octets.decode("utf-8") if self.utf8 else names.decode(octets)
        except UnicodeDecodeError:
            raise BadSyntax("Mailbox name is not valid UTF-8") from None
        if "\0" in name:
            raise BadName("Mailbox name has a NUL, which no response could show")
        return names.canonical(name)

    def list_pattern(self) -> bytes:
        """A pattern of LIST or LSUB in UTF-8, however the client spells names; see `wire.pattern`.

        In bad UTF-7 it is `NO_NAME`.
        """
        octets = self.string() if self.peek() in (b'"', b"{") else self._match(_PATTERN, "a mailbox pattern").group()
        if not self.utf8:
            try:
                return names.decode(octets).encode()
            except BadName:
                return NO_NAME
        try:
            octets.decode("utf-8")
        except UnicodeDecodeError:
            raise BadSyntax("Mailbox pattern is not valid UTF-8") from None
        return octets

    # Numbers and sets

    def number(self, *, low: int = 0, high: int = MAX_NUMBER) -> int:
        digits = self._match(_NUMBER, "a number").group()
        number = int(digits) if len(digits) <= 20 else high + 1
        if not low <= number <= high:
            raise BadSyntax(f"Number outside {low} to {high}")
        return number

    def sequence_set(self) -> SequenceSet:
        octets = self._match(_SET, "a sequence set").group()
        try:
            return sequence.parse(octets)
        except ValueError as error:
            raise BadSyntax(str(error)) from None

    # Flags

    def _flag(self) -> str | None:
        """System flags in their usual case; None for \\Recent, which clients cannot set."""
        octets = self._match(_FLAG, "a flag").group().decode("ascii")
        if not octets.startswith("\\"):
            return octets
        if octets.lower() == "\\recent":
            return None
        known = _SYSTEM.get(octets.lower())
        if known is None:
            raise BadSyntax(f"There is no system flag {octets}")
        return known

    def flag_list(self) -> list[str]:
        """`(\\Seen work)`; no flag twice, \\Recent left out."""
        self.expect(b"(")
        flags: dict[str, None] = {}
        if not self.take(b")"):
            self._flags_into(flags)
            self.expect(b")")
        return list(flags)

    def flags_until_end(self) -> list[str]:
        """The flags of STORE: in parentheses or bare, at the end of the command."""
        if self.peek() == b"(":
            found = self.flag_list()
        else:
            flags: dict[str, None] = {}
            self._flags_into(flags)
            found = list(flags)
        self.end()
        return found

    def _flags_into(self, flags: dict[str, None]) -> None:
        while True:
            flag = self._flag()
            if flag is not None:
                flags[flag] = None
            if not self.take(b" "):
                return

    # Dates

    def date(self) -> date:
        """`1-Feb-1994`, quoted or not."""
        quote = self.take(b'"')
        day, month, year = self._match(_DATE, "a date like 1-Feb-1994").groups()
        if quote:
            self.expect(b'"')
        try:
            return date(int(year), _month(month), int(day))
        except ValueError:
            raise BadSyntax("There is no such date") from None

    def date_time(self) -> float:
        """`"17-Jul-1996 02:44:25 -0700"` as Unix seconds."""
        found = _DATE_TIME.fullmatch(self.string())
        if found is None:
            raise BadSyntax('Expected a date like "17-Jul-1996 02:44:25 -0700"')
        day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
        zone = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        try:
            # A leap second is told as the second before it.
            local = datetime(
                int(year), _month(month), int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC
            )
            return (local - EPOCH - (zone if sign == b"+" else -zone)).total_seconds()
        except ValueError:
            raise BadSyntax("There is no such date") from None


def _is_utf8(octets: bytes) -> bool:
    if octets.isascii():
        return True
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _month(octets: bytes) -> int:
    """1 to 12; 0, which no date has, for other words."""
    name = octets.decode("ascii").lower()
    return MONTHS.index(name) + 1 if name in MONTHS else 0
