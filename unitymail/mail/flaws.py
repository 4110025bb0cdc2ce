"""What is wrong with the octets of a message beyond its structure: NUL, bare CR and LF, unreadable headers, junk.

Knows which parts may hold such octets (BINARYMIME); refuses to mend anything.
"""

from __future__ import annotations

from unitymail.mail.part import Octets, Part, walk
from unitymail.mail.structure import Structure
from unitymail.mail.transfer import has_junk
from unitymail.mail.windows import blocks


def content_flaws(buffer: Octets, structure: Structure, *, clean_octets: bool = False) -> tuple[str, ...]:
    """In words for an administrator; () for a clean message. Linear, in blocks: no copy of a large message.

    `clean_octets`: somebody has made sure already that there is neither NUL nor a bare CR or LF.
    """
    parts = list(walk(structure.root))
    found = []
    if not all(_header_reads(buffer, part) for part in parts):
        found.append("a header that is neither ASCII nor UTF-8")
    nul, bare = (False, False) if clean_octets else _loose_octets(buffer, parts, structure.size)
    if nul:
        found.append("NUL")
    if bare:
        found.append("CR or LF alone")
    if any(part.encoding == "base64" and not part.children and _has_junk(buffer, part) for part in parts):
        found.append("base64 with characters outside its alphabet")
    return tuple(found)


def _header_reads(buffer: Octets, part: Part) -> bool:
    header = buffer[part.start:part.body]
    if header.isascii():
        return True
    try:
        header.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _loose_octets(buffer: Octets, parts: list[Part], size: int) -> tuple[bool, bool]:
    """(NUL anywhere, a bare CR or LF anywhere), binary bodies apart."""
    nul = bare = False
    at = 0
    for part in parts:
        if part.encoding == "binary" and not part.children and part.body >= at:
            nul, bare = _judge(buffer, at, part.body, nul, bare)
            at = part.end
    return _judge(buffer, at, size, nul, bare)


def _judge(buffer: Octets, start: int, end: int, nul: bool, bare: bool) -> tuple[bool, bool]:
    for block in blocks(buffer, start, end):
        nul = nul or b"\0" in block
        bare = bare or not block.count(b"\n") == block.count(b"\r") == block.count(b"\r\n")
    return nul, bare


def _has_junk(buffer: Octets, part: Part) -> bool:
    return any(has_junk(block) for block in blocks(buffer, part.body, part.end))
