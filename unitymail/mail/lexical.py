"""The ground rules every header field shares (RFC 5322 2.2.3, 3.2): folding, comments, quoted strings.

Knows octets only; refuses to know what a field means. Everything here is linear, and nothing raises.
"""

from __future__ import annotations

import re

LONGEST_FIELD = 64 * 1024
LONGEST_HEADER = 256 * 1024
"""Octets of one field and of one header that are interpreted (message-formats.md section 1). All are stored and served.

A field that begins within the limit of the header is read up to the limit of a field.
"""

_FOLD = re.compile(rb"\r?\n[ \t]?")
_COMMENT_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|\\.|[()]|[^"\\()]++|\\', re.DOTALL)
_UNESCAPED = re.compile(rb"\\?(.[^\\]*+)", re.DOTALL)


def unfold(raw: bytes) -> bytes:
    """The field body on one line: each fold becomes one space, the ends are stripped, over-long ones are cut."""
    if len(raw) > LONGEST_FIELD:
        raw = raw[:LONGEST_FIELD]
    value = raw.strip()
    return _FOLD.sub(b" ", value) if b"\n" in value else value


def without_comments(value: bytes) -> bytes:
    """`value` with each comment, nested ones too, replaced by nothing; quoted strings are left alone."""
    if b"(" not in value:
        return value
    kept = []
    depth = 0
    for token in _COMMENT_TOKEN.findall(value):
        if token == b"(":
            depth += 1
        elif token == b")":
            depth = max(0, depth - 1)
        elif not depth:
            kept.append(token)
    return b"".join(kept)


def unquoted(value: bytes) -> bytes:
    """The content of a quoted string, a missing end quote tolerated; anything else as it is."""
    if value[:1] != b'"':
        return value
    inner = value[1:-1] if len(value) > 1 and value[-1:] == b'"' else value[1:]
    return b"".join(_UNESCAPED.findall(inner)) if b"\\" in inner else inner
