"""Words by which a message is found again: its Message-ID, its addresses, its name at a peer.

Knows what makes two spellings one word; refuses to know where words are kept. A word is a number of 64 bits: small, and
two that differ do not meet by chance.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from unitymail.mail.address import key_of


@lru_cache(maxsize=16_384)
def from_address(address: str) -> int:
    """Who sent it."""
    return _word("f", key_of(address))


@lru_cache(maxsize=16_384)
def to_address(address: str) -> int:
    """Whom it is for: an address, or the id of an account that got it through a list."""
    return _word("t", key_of(address))


@lru_cache(maxsize=1_024)
def message_id(text: str) -> int:
    """The Message-ID, with or without its angle brackets. Each is asked for as it is received, and as it is decided."""
    return _word("m", text.strip().removeprefix("<").removesuffix(">"))


def elsewhere(trace: str) -> int:
    """The trace id of the same message at the peer that handed it over."""
    return _word("x", trace)


def _word(kind: str, text: str) -> int:
    octets = f"{kind} {text}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(octets, digest_size=8).digest(), "big", signed=True)
