"""The text of a message as SEARCH compares it: bodies decoded, case folded by i;unicode-casemap (RFC 5051).

Knows transfer encodings and charsets through their modules; refuses to know SEARCH.
"""

from __future__ import annotations

import unicodedata

from unitymail.mail.charsets import to_text
from unitymail.mail.marks import parted
from unitymail.mail.part import Octets, Part
from unitymail.mail.transfer import without_encoding

_MOST_REMEMBERED = 20_000


class _Casemap(dict[int, str]):
    """RFC 5051 section 2 for one character: the simple title case, then decomposition. Filled as it is asked."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        title = character.title()
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        folded = unicodedata.normalize("NFKD", title if len(title) == 1 else character)
        self[code] = folded
        return folded


_casemap = _Casemap()


def fold(text: str) -> str:
    """`text` such that substrings compare as i;unicode-casemap asks. Folding twice changes nothing."""
    if text.isascii():
        return text.upper()
    return unicodedata.normalize("NFKD", parted(text.translate(_casemap))).translate(_casemap)


def decoded(buffer: Octets, part: Part) -> bytes:
    """The part's body without its Content-Transfer-Encoding, leniently."""
    return without_encoding(buffer[part.body:part.end], part.encoding)


def first_octets(buffer: Octets, part: Part, raw: int = 512) -> bytes:
    """The beginning of the decoded body, from its first `raw` encoded octets: enough to tell a format."""
    return without_encoding(buffer[part.body:min(part.end, part.body + raw)], part.encoding)


def body_text(buffer: Octets, part: Part) -> str:
    """The text of one leaf: decoded, by its charset or a good guess. HTML comes as its source."""
    return to_text(decoded(buffer, part), part.parameter("charset") or "")
