"""Mailbox names on the wire: modified UTF-7 (RFC 3501, 5.1.3), both ways, remembered.

Knows one spelling for each name and refuses every other; refuses to know which mailboxes exist. (Twisted's codec
turns TAB into "&-", takes spellings that are not canonical, and builds a set for every call.)
"""

from __future__ import annotations

import re
import unicodedata
from binascii import a2b_base64, b2a_base64
from functools import lru_cache

_SHIFTED_TEXT = re.compile(r"[^\x20-\x7e]+")
_SHIFTED_OCTETS = re.compile(rb"&([A-Za-z0-9+,]*)-")
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")
_LONGEST_REMEMBERED = 256
"""Longer ones are hardly folders': a client may name anything, as long as a command can be."""


class BadName(ValueError):
    """Octets that are no mailbox name in modified UTF-7."""


def encode(name: str) -> bytes:
    """The one spelling of `name`."""
    return _encode_again(name) if len(name) <= _LONGEST_REMEMBERED else _encode(name)


def _encode(name: str) -> bytes:
    return _SHIFTED_TEXT.sub(_shift, name.replace("&", "&-")).encode("ascii")


def _shift(run: re.Match[str]) -> str:
    packed = b2a_base64(run.group().encode("utf-16-be"), newline=False)
    return "&" + packed.rstrip(b"=").replace(b"/", b",").decode("ascii") + "-"


def decode(octets: bytes) -> str:
    """The name that `octets` spell; raises BadName for anything that `encode` would not have written."""
    return _decode_again(octets) if len(octets) <= _LONGEST_REMEMBERED else _decode(octets)


def _decode(octets: bytes) -> str:
    if _PRINTABLE.fullmatch(octets) is None:
        raise BadName("Mailbox name has octets outside printable US-ASCII")
    try:
        name = _SHIFTED_OCTETS.sub(_unshift, octets).decode("utf-8")
        canonical = encode(name)
    except ValueError:
        canonical = b""
        name = ""
    if canonical != octets:
        raise BadName("Mailbox name is not valid modified UTF-7")
    return name


def _unshift(run: re.Match[bytes]) -> bytes:
    packed = run.group(1)
    if not packed:
        return b"&"
    padded = packed.replace(b",", b"/") + b"=" * (-len(packed) % 4)
    return a2b_base64(padded).decode("utf-16-be").encode("utf-8")


_encode_again = lru_cache(maxsize=8192)(_encode)
_decode_again = lru_cache(maxsize=8192)(_decode)


def canonical(name: str) -> str:
    """INBOX is case-blind, also as the parent of others: a second `Inbox` beside it breaks clients.

    A separator at the end means nothing: Thunderbird leaves one, and CREATE announces children with it.
    """
    name = name.removesuffix("/")
    first, slash, rest = name.partition("/")
    return f"INBOX{slash}{rest}" if first.upper() == "INBOX" else name


def normalised(name: str) -> str:
    """In Unicode's form NFC: names that look the same are the same (RFC 5198; 9051, 5.1)."""
    return unicodedata.normalize("NFC", name)
