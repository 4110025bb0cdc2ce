"""The base subject (RFC 5256, 2.1): what is left of a subject without what replying and forwarding put around it.

Knows that grammar to the letter; refuses to know SORT and THREAD, which compare what comes out here. Linear, and
nothing raises.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_BLANKS = re.compile(r"[ \t]{2,}|\t")
_BLOBS = re.compile(r"(?:\[[^\[\]]*+\][ \t]*+)+")
_REPLY = re.compile(r"(?:re|fwd?)[ \t]*+(?:\[[^\[\]]*+\][ \t]*+)?:", re.ASCII | re.IGNORECASE)


class BaseSubject(NamedTuple):
    """`reply`: something was taken off that says reply or forward (RFC 5256, 3: THREAD=REFERENCES asks for it)."""

    text: str
    reply: bool


def base_subject(subject: str) -> BaseSubject:
    """Of a subject that is unfolded and decoded already."""
    text = _BLANKS.sub(" ", subject)
    start, end, reply = 0, len(text), False
    while True:
        end, forwarded = _without_trailers(text, start, end)
        start, replied = _without_leaders(text, start, end)
        reply = reply or forwarded or replied
        if not _is_wrapped(text, start, end):
            return BaseSubject(text[start:end], reply)
        start, end, reply = start + len("[fwd:"), end - 1, True


def _without_trailers(text: str, start: int, end: int) -> tuple[int, bool]:
    """Step 2: `(fwd)` and white space, as often as they come."""
    forwarded = False
    while end > start:
        if text[end - 1] == " ":
            end -= 1
        elif end - start >= 5 and text[end - 5 : end].lower() == "(fwd)":
            end -= 5
            forwarded = True
        else:
            break
    return end, forwarded


def _without_leaders(text: str, start: int, end: int) -> tuple[int, bool]:
    """Steps 3 to 5. Blobs go with the `Re:` behind them, or as long as something else is left."""
    replied = False
    while start < end:
        if text[start] == " ":
            start += 1
            continue
        blobs = _BLOBS.match(text, start, end)
        behind = blobs.end() if blobs else start
        found = _REPLY.match(text, behind, end)
        if found is None:
            return (behind if behind < end else text.rindex("[", start, end)), replied
        start, replied = found.end(), True
    return start, replied


def _is_wrapped(text: str, start: int, end: int) -> bool:
    """Step 6: `[fwd: …]`."""
    return end - start >= 6 and text[end - 1] == "]" and text[start : start + 5].lower() == "[fwd:"
