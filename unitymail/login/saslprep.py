"""SASLprep (RFC 4013): one form for the spellings that keyboards give one password. Refuses to know what it is for.

Each table is asked once for a character, however often the text holds it. NFKC still takes time that grows with the
square of what marks stand in a row, so callers bound the length.
"""

from __future__ import annotations

import stringprep
import unicodedata

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str:
    """The prepared form; raises ValueError for what RFC 4013 prohibits (section 2.3) and for bad bidi (2.4)."""
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", text.translate({ord(c): _mapped(c) for c in set(text)}))
    characters = set(normal)
    if any(prohibited(c) for c in characters for prohibited in _PROHIBITED):
        raise ValueError("holds a character that SASLprep prohibits")
    if any(stringprep.in_table_d1(c) for c in characters):
        whole = stringprep.in_table_d1(normal[0]) and stringprep.in_table_d1(normal[-1])
        if not whole or any(stringprep.in_table_d2(c) for c in characters):
            raise ValueError("mixes writing directions")
    return normal


def _mapped(character: str) -> str:
    """Section 2.1: what is mapped to nothing, and what to a space."""
    if stringprep.in_table_b1(character):
        return ""
    return " " if stringprep.in_table_c12(character) else character


def prepared(password: bytes) -> bytes:
    """The octets to hash and compare: prepared where they are text that can be, else as they came."""
    if password.isascii():
        return password
    try:
        return saslprep(password.decode("utf-8")).encode("utf-8")
    except ValueError:
        return password
