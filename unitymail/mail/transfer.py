"""Content-Transfer-Encoding taken off, leniently (RFC 2045 6): what is broken is skipped, nothing raises.

Knows base64 and quoted-printable; refuses to know parts and charsets.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_OUTSIDE_ALPHABET = bytes(set(range(256)) - set(_ALPHABET))
_BASE64_AND_SPACE = _ALPHABET + b"\r\n \t"
_PADDING = re.compile(rb"=++")


def from_base64(octets: bytes) -> bytes:
    """Characters outside the alphabet are dropped, a broken last quantum is cut (RFC 2045 6.8).

    Padding in the middle (two encodings joined, as some gateways do) ends one piece and begins the next.
    """
    bare = only_base64(octets).rstrip(b"=")
    if b"=" not in bare:
        return _quanta(bare)
    return b"".join(_quanta(piece) for piece in _PADDING.split(bare))


def only_base64(octets: bytes) -> bytes:
    """Without the characters outside the alphabet; padding stays."""
    return octets.translate(None, _OUTSIDE_ALPHABET)


def _quanta(clean: bytes) -> bytes:
    over = len(clean) % 4
    if over == 1:
        clean = clean[:-1]
    elif over:
        clean += b"=" * (4 - over)
    try:
        return a2b_base64(clean)
    except Error:
        return b""


def from_quoted_printable(octets: bytes) -> bytes:
    """White space that a relay put after a soft line break is forgiven."""
    if b"= " in octets or b"=\t" in octets:
        octets = b"\n".join(line.rstrip(b" \t\r") for line in octets.split(b"\n"))
    return a2b_qp(octets)


def without_encoding(octets: bytes, encoding: str) -> bytes:
    """`octets` decoded by a Content-Transfer-Encoding in lower case; unknown ones leave them as they are."""
    if encoding == "base64":
        return from_base64(octets)
    if encoding == "quoted-printable":
        return from_quoted_printable(octets)
    return octets


def has_junk(octets: bytes) -> bool:
    """Whether base64 holds characters that are neither of its alphabet nor white space."""
    return bool(octets.translate(None, _BASE64_AND_SPACE))
