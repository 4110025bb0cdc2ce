"""Annotations as commands and responses name them (RFC 5464): entries, their values, and which lies below which.

Knows spelling; refuses to know whose annotations they are and where they are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import BadSyntax, Reader

Depth = Literal["0", "1", "infinity"]
DEPTHS: Mapping[str, Depth] = {"0": "0", "1": "1", "INFINITY": "infinity"}
MAX_ENTRY_OCTETS = 255
MOST_ENTRIES = 500
ROOTS = ("/private", "/shared")


def entry(reader: Reader) -> str:
    """One entry as the client spells it; letter case means nothing (RFC 5464, 3.2)."""
    octets = reader.astring()
    try:
        spelled = octets.decode("ascii")
    except UnicodeDecodeError:
        raise BadSyntax("The name of an entry has octets outside US-ASCII") from None
    if any(c < " " or c in "*%\x7f" for c in spelled):
        raise BadSyntax("The name of an entry has a wildcard or a control character")
    if "//" in spelled or spelled.endswith("/"):
        raise BadSyntax("The name of an entry has an empty level")
    if not (spelled.lower() + "/").startswith(tuple(root + "/" for root in ROOTS)):
        raise BadSyntax("The name of an entry begins with /private or /shared")
    if len(spelled) > MAX_ENTRY_OCTETS:
        raise BadSyntax(f"The name of an entry can have {MAX_ENTRY_OCTETS} octets")
    return spelled


def entries(reader: Reader) -> dict[str, str]:
    """`/shared/comment`, or several in parentheses: lower case → as spelled."""
    if not reader.take(b"("):
        spelled = entry(reader)
        return {spelled.lower(): spelled}
    found: dict[str, str] = {}
    while True:
        spelled = entry(reader)
        found.setdefault(spelled.lower(), spelled)
        if len(found) > MOST_ENTRIES:
            raise BadSyntax(f"At most {MOST_ENTRIES} entries at once")
        if reader.take(b")"):
            return found
        reader.space()


def value(reader: Reader) -> bytes | None:
    """A string, a literal of any octets, or NIL."""
    return reader.nstring()


def covers(asked: str, name: str, depth: Depth) -> bool:
    """Whether who asks for `asked` down to `depth` asks for `name` too."""
    if name == asked:
        return True
    below = name.removeprefix(asked + "/")
    return depth != "0" and below != name and (depth == "infinity" or "/" not in below)


def values_line(mailbox: str, values: Mapping[str, bytes | None], *, utf8: bool) -> bytes:
    """The METADATA response with values; empty when there are none."""
    if not values:
        return b""
    pairs = b" ".join(_astring(name) + b" " + _value(octets) for name, octets in values.items())
    return b"* METADATA %b (%b)\r\n" % (_mailbox(mailbox, utf8), pairs)


def changes_line(mailbox: str, changed: Iterable[str], *, utf8: bool) -> bytes:
    """The METADATA response that only says what changed (RFC 5464, 4.4.2)."""
    return b"* METADATA %b %b\r\n" % (_mailbox(mailbox, utf8), b" ".join(map(_astring, changed)))


def _mailbox(name: str, utf8: bool) -> bytes:
    return response.mailbox(name, utf8=utf8) if name else b'""'


def _astring(name: str) -> bytes:
    return response.astring(name.encode("ascii"))


def _value(octets: bytes | None) -> bytes:
    if octets is not None and b"\0" in octets:
        return b"~{%d}\r\n%b" % (len(octets), octets)
    return response.nstring(octets)
