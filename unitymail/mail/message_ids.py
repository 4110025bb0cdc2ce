"""The message ids of a Message-ID, References or In-Reply-To field, normalised so that equal ones are equal octets.

Knows quoting, comments and folds (RFC 5322 3.6.4, 4.5.4); refuses to know what refers to what. Case counts. Linear, and
nothing raises.
"""

from __future__ import annotations

import re

from unitymail.mail.lexical import unfold, unquoted, without_comments

_PLAIN = re.compile(rb'<([^\s<>"()\\@]++@[^\s<>"()\\@]++)>')
_ANY = re.compile(rb'<((?:[^<>"\\]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")+)>', re.DOTALL)
_WORDS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^"\s]++', re.DOTALL)


def message_ids(raw: bytes) -> list[bytes]:
    """Those of a field body as stored, in order, without their brackets; what lacks an `@` is none."""
    value = unfold(raw)
    plain = _PLAIN.findall(value)
    if len(plain) == value.count(b"<") and b"(" not in value:
        return plain
    found = (_normalised(inner) for inner in _ANY.findall(without_comments(value)))
    return [one for one in found if one]


def _normalised(inner: bytes) -> bytes:
    """Without the quotes and white space that may stand in it; b"" for no message id."""
    whole = b"".join(unquoted(word) for word in _WORDS.findall(inner))
    left, _, right = whole.rpartition(b"@")
    return whole if left and right else b""
