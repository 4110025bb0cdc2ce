"""How values look in a response: quoted strings, literals, flag lists, mailbox names.

Bytes out and nothing else; refuses to know which response they belong to. What goes out can always be read back:
a string that a quoted string cannot hold becomes a literal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from unitymail.imap.wire import names
from unitymail.interfaces.store import SYSTEM_FLAGS

_QUOTABLE = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]*")
_LINE = re.compile(rb"[^\0\r\n]*")
_ASTRING = re.compile(rb"[!#$&'+,./0-9:;<=>?@A-Z\[\]^_`a-z|}~-]+")
_UNSAFE = re.compile("[^ -~]")
_RANK = {flag: rank for rank, flag in enumerate(("\\Recent", *SYSTEM_FLAGS))}


def quoted(text: str | bytes) -> bytes:
    """A quoted string; a literal where a quoted one cannot hold it (CR, LF, NUL, 8-bit)."""
    octets = text.encode() if isinstance(text, str) else text
    if _QUOTABLE.fullmatch(octets) is None:
        return literal(octets)
    return _in_quotes(octets)


def _in_quotes(octets: bytes) -> bytes:
    return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def literal(octets: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(octets), octets)


def nstring(octets: bytes | None) -> bytes:
    return b"NIL" if octets is None else quoted(octets)


def astring(octets: bytes) -> bytes:
    """As an atom where that is unmistakable, else as a string."""
    if _ASTRING.fullmatch(octets) and octets.upper() != b"NIL":
        return octets
    return quoted(octets)


def mailbox(name: str, *, utf8: bool = False) -> bytes:
    """A decoded name as the client must spell it: modified UTF-7, or UTF-8 once the client has enabled that."""
    if not utf8:
        return astring(names.encode(name))
    octets = name.encode()
    if octets.isascii():
        return astring(octets)
    return _in_quotes(octets) if _LINE.fullmatch(octets) else literal(octets)


def flag_list(flags: Iterable[str]) -> bytes:
    """`(\\Seen work)`: system flags in their usual order, then keywords in alphabetical order."""
    ordered = sorted(flags, key=lambda flag: (_RANK.get(flag, len(_RANK)), flag))
    return b"(" + " ".join(ordered).encode("ascii", "replace") + b")"


def text(words: str) -> bytes:
    """Words for people, made safe for one response line: no controls, nothing outside ASCII."""
    return _UNSAFE.sub("?", words).encode("ascii") or b"?"
