"""SASLprep (RFC 4013): one form for the spellings that keyboards give one password. Refuses to know what it is for."""

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
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in text if c == " " or not stringprep.in_table_b1(c)
    )
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if any(prohibited(c) for c in normal for prohibited in _PROHIBITED):
        raise ValueError("holds a character that SASLprep prohibits")
    if any(stringprep.in_table_d1(c) for c in normal):
        whole = stringprep.in_table_d1(normal[0]) and stringprep.in_table_d1(normal[-1])
        if not whole or any(stringprep.in_table_d2(c) for c in normal):
            raise ValueError("mixes writing directions")
    return normal


def prepared(password: bytes) -> bytes:
    """The octets to hash and compare: prepared where they are text that can be, else as they came."""
    if password.isascii():
        return password
    try:
        return saslprep(password.decode("utf-8")).encode("utf-8")
    except ValueError:
        return password
