"""xtext (RFC 3461 4), the form in which values of parameters go over the wire. Refuses to know the parameters."""

from __future__ import annotations

import re

_xtext = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+").fullmatch
_hex = re.compile(rb"\+([0-9A-F]{2})")


def from_xtext(text: str, longest: int) -> str | None:
    """The text meant (UTF-8 octets, RFC 6533 has none better); None when it is no xtext, too long or not printable."""
    if len(text) > longest or not _xtext(text):
        return None
    octets = _hex.sub(lambda found: bytes((int(found[1], 16),)), text.encode("ascii"))
    try:
        plain = octets.decode()
    except UnicodeDecodeError:
        return None
    return plain if plain.isprintable() else None
