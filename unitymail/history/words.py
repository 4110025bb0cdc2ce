"""Words by which a message is found again: its Message-ID, its addresses, its name at a peer.

Knows what makes two spellings one word; refuses to know where words are kept. A word is a number of 64 bits: small, and
two that differ do not meet by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from hashlib import blake2b

from unitymail.mail.address import key_of

LONGEST_KEPT = 320
"""What is longer (a field may have 64 KiB) is not remembered: strangers do not fill the memory."""


def _remembering(most: int) -> Callable[[Callable[[str], int]], Callable[[str], int]]:
    """The same words are asked for again and again."""

    def decorated(word: Callable[[str], int]) -> Callable[[str], int]:
        kept = lru_cache(maxsize=most)(word)

        @wraps(word)
        def of(text: str) -> int:
            return kept(text) if len(text) <= LONGEST_KEPT else word(text)

        return of

    return decorated


@_remembering(16_384)
def from_address(address: str) -> int:
    """Who sent it."""
    return _word("f", key_of(address))


@_remembering(16_384)
def to_address(address: str) -> int:
    """Whom it is for: an address, or the id of an account that got it through a list."""
    return _word("t", key_of(address))


@_remembering(1_024)
def message_id(text: str) -> int:
    """The Message-ID, with or without its angle brackets. Each is asked for as it is received, and as it is decided."""
    return _word("m", text.strip().removeprefix("<").removesuffix(">"))


def elsewhere(trace: str) -> int:
    """The trace id of the same message at the peer that handed it over."""
    return _word("x", trace)


def _word(kind: str, text: str) -> int:
    octets = f"{kind} {text}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(octets, digest_size=8).digest(), "big", signed=True)
