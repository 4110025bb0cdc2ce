"""BODY out of BODYSTRUCTURE: the same list without its extension data (RFC 3501 7.4.2).

Knows the shape of ready-made BODYSTRUCTURE octets, so that FETCH BODY and FULL need no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(rb'[()]|"(?:[^"\\]|\\.)*"|\{(\d+)\}\r\n|[^ ()"{]+', re.DOTALL)
_STRING = rb'(?:"[^"\\(){]*"|NIL)'
_SIMPLE = re.compile(
    rb'\((?:"TEXT" %(s)b %(p)b(?: %(s)b){3} \d+ \d+|(?!"(?:TEXT|MESSAGE)")%(s)b %(s)b %(p)b(?: %(s)b){3} \d+)(?=[ )])'
    % {b"s": _STRING, b"p": rb"(?:NIL|\(%b(?: %b)*\))" % (_STRING, _STRING)},
    re.IGNORECASE,
)
"""Most messages: one part, no quoting inside its strings."""


@dataclass(slots=True)
class Node:
    """A list, or a single token, at [start, end) of the octets."""

    start: int
    end: int = 0
    is_list: bool = False
    inside: list[Node] = field(default_factory=list)


def body_of(bodystructure: bytes) -> bytes:
    """The non-extensible form. Iterative: what a peer nests cannot exhaust the stack."""
    simple = _SIMPLE.match(bodystructure)
    if simple is not None:
        return simple.group() + b")"
    kept: list[bytes] = []
    position = 0
    for start, end in sorted(_extensions(bodystructure, _read(bodystructure))):
        kept.append(bodystructure[position:start])
        position = end
    kept.append(bodystructure[position:])
    return b"".join(kept)


def _read(octets: bytes) -> Node:
    stack = [Node(0, is_list=True)]
    position = 0
    while found := _TOKEN.search(octets, position):
        position = found.end()
        node = Node(found.start(), position)
        if found.group(1) is not None:
            node.end = position = position + int(found.group(1))
            stack[-1].inside.append(node)
        elif found.group() == b"(":
            node.is_list = True
            stack[-1].inside.append(node)
            stack.append(node)
        elif found.group() == b")":
            stack.pop().end = position
        else:
            stack[-1].inside.append(node)
    return stack[0].inside[0]


def _extensions(octets: bytes, root: Node) -> list[tuple[int, int]]:
    """The stretches to leave out, each from the end of what stays to the closing parenthesis."""
    gone = []
    waiting = [root]
    while waiting:
        part = waiting.pop()
        inside = part.inside
        if inside[0].is_list:
            count = next(place for place, node in enumerate(inside) if not node.is_list)
            waiting += inside[:count]
            keep = count + 1
        else:
            kind = tuple(octets[node.start : node.end].strip(b'"').lower() for node in inside[:2])
            encloses = kind in ((b"message", b"rfc822"), (b"message", b"global")) and inside[7].is_list
            if encloses and inside[8].is_list:
                waiting.append(inside[8])
            keep = 10 if encloses else 8 if kind[0] == b"text" else 7
        if len(inside) > keep:
            gone.append((inside[keep - 1].end, part.end - 1))
    return gone
