"""Threads as a value, and how THREAD spells them (RFC 5256, 4 and 5).

Knows positions of messages; refuses to know how they were put together, and to recurse: a thread may be as deep as a
folder has messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_CLOSE = -1


@dataclass(frozen=True, slots=True)
class Forest:
    """Nodes 0 … count-1 are messages, those from `count` on messages that nobody has ("dummies").

    `roots` begin a thread each; only they can be dummies. `children` has the answers to a node, and no entry for none.
    """

    count: int
    roots: list[int]
    children: dict[int, list[int]]


def spelled(forest: Forest, names: Sequence[bytes]) -> bytes:
    """`(2)(3 6 (4 23)(44 7 96))`, where `names[i]` stands for message i."""
    written: list[bytes] = []
    children = forest.children
    for root in forest.roots:
        if root not in children:
            written.append(b"(%b)" % names[root])
        elif root < forest.count:
            _write(root, children, names, written)
        else:
            written.append(b"(")
            for head in children[root]:
                _write(head, children, names, written)
            written.append(b")")
    return b"".join(written)


def _write(head: int, children: dict[int, list[int]], names: Sequence[bytes], written: list[bytes]) -> None:
    waiting = [head]
    while waiting:
        message = waiting.pop()
        if message == _CLOSE:
            written.append(b")")
            continue
        chain = [names[message]]
        answers = children.get(message)
        while answers is not None and len(answers) == 1:
            message = answers[0]
            chain.append(names[message])
            answers = children.get(message)
        if answers is None:
            written.append(b"(%b)" % b" ".join(chain))
        else:
            written.append(b"(%b " % b" ".join(chain))
            waiting.append(_CLOSE)
            waiting.extend(reversed(answers))
