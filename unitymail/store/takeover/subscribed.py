"""The folders that a user is subscribed to at Dovecot or Courier, by our names. Refuses to know which folders exist.

Dovecot's `subscriptions` has a name a line, its levels between tabs after a first line `V 2` (a tab between), else
between dots or slashes; Courier's `courierimapsubscribed` has names as it shows them, `INBOX.Sent`.
"""

from __future__ import annotations

from unitymail.store.names import INBOX
from unitymail.store.takeover.naming import name_for

DOVECOT, COURIER = b"subscriptions", b"courierimapsubscribed"
_SECOND = b"V\t2"


def dovecot(text: bytes) -> list[str]:
    lines = text.replace(b"\r\n", b"\n").split(b"\n")
    if lines[0] == _SECOND:
        return _names([[_unescaped(level) for level in line.split(b"\t")] for line in lines[1:]])
    separator = b"/" if any(b"/" in line for line in lines) else b"."
    return _names([line.split(separator) for line in lines])


def courier(text: bytes) -> list[str]:
    """Below INBOX there are all of its folders; ours are not."""
    names = []
    for line in text.replace(b"\r\n", b"\n").split(b"\n"):
        levels = line.split(b".")
        names.append(levels[1:] if len(levels) > 1 and levels[0].upper() == b"INBOX" else levels)
    return _names(names)


def _names(lines: list[list[bytes]]) -> list[str]:
    """Levels as directories have them, with each dot escaped, so that one place says what a name is."""
    found = [b"." + b".".join(level.replace(b".", b"\\2e") for level in levels) for levels in lines if any(levels)]
    return list(dict.fromkeys(INBOX if name.upper() == b".INBOX" else name_for(name) for name in found))


def _unescaped(level: bytes) -> bytes:
    """Dovecot writes a tab, a line end and \\x01 in a name as \\x01 and a letter."""
    return (
        level.replace(b"\x01t", b"\t").replace(b"\x01n", b"\n").replace(b"\x01r", b"\r").replace(b"\x011", b"\x01")
    )
