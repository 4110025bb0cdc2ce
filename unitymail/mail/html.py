"""The words of an HTML text without its markup. Refuses to render, and to load anything.

What is only hidden stays: the line that newsletters want shown in a list of messages is hidden in the message. One
pass over the tokens, linear whatever the source holds; nothing raises.
"""

from __future__ import annotations

import html
import re
import sys

_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<unseen>script|style|title|template|svg)\b[^>]*+(?:>.*?</(?P=unseen)\s*+>|>.*\Z|\Z)"
    r"|<(?P<close>/?)(?P<name>[a-z][a-z0-9]*+)[^>]*+(?:>|\Z)"
    r"|<[!?/][^>]*+(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
})  # fmt: skip
_QUOTE = "blockquote"


def words_of(source: str, *, quoted: bool = False, most: int = sys.maxsize) -> str:
    """The text, a space where a block begins or ends; what it quotes (`blockquote`) only with `quoted`.

    Once there are `most` characters besides white space around them, it ends.
    """
    pieces: list[str] = []
    at = depth = size = 0
    for token in _TOKEN.finditer(source):
        if not depth and token.start() > at:
            pieces.append(html.unescape(source[at : token.start()]))
            size += len(pieces[-1].strip())
            if size >= most:
                return "".join(pieces)
        at = token.end()
        name = (token["name"] or "").lower()
        if name == _QUOTE and not quoted:
            depth = max(depth - 1, 0) if token["close"] else depth + 1
        if name and name not in _INLINE:
            pieces.append(" ")
    if not depth:
        pieces.append(html.unescape(source[at:]))
    return "".join(pieces)
