"""Marks that combine with the character before them: how many in a row anybody puts in order at once.

Knows why: that takes time with the square of how many there are, holds up the whole process meanwhile, and any stranger
can write a megabyte of them. Refuses to know what a text is compared with.
"""

from __future__ import annotations

import re
import unicodedata

MOST = 30
"""Unicode's Stream-Safe Text Format (UAX 15, section 13): no language has as many on one character."""
_JOINER = "\u034f"
"""COMBINING GRAPHEME JOINER: nobody sees it, and marks on its two sides are not put in order with each other."""
_suspect = re.compile(rf"[^\w\x00-\x7f]{{{MOST},}}")
"""No mark is a letter or a digit."""


def parted(text: str) -> str:
    """`text` with no more than `MOST` marks in a row; unchanged where it has none so many."""
    return text if text.isascii() else _suspect.sub(_parted, text)


def _parted(found: re.Match[str]) -> str:
    characters, row = [], 0
    for character in found[0]:
        row = row + 1 if unicodedata.combining(character) else 0
        if row > MOST:
            characters.append(_JOINER)
            row = 1
        characters.append(character)
    return "".join(characters)
