"""Steps 1 to 3 of THREAD=REFERENCES (RFC 5256, 3): who is whose parent, going by message ids alone.

Knows nodes: 0 … n-1 are the messages in the order of the mailbox, the numbers behind are ids that messages refer to and
nobody has ("dummies"). Refuses to know dates and subjects.

*Note: loops.* A link to a node without children cannot close a loop, and in honest mail nearly all are of that kind.
Else the ancestors of the parent to be are walked. Who fills a mailbox with long chains made to be walked again and
again gets no more than `PATIENCE` steps for a link, once all walks together have taken `WALKS` steps for each number
read; a link that is not proved in that time is not made. So the work is linear in what is read, whatever that is.
"""

from __future__ import annotations

from collections.abc import Sequence

from unitymail.imap.thread.tied import Tied

NONE = -1
PATIENCE = 100
WALKS = 16


def parents_of(tied: Tied) -> list[int]:
    """Each message's parent: a message, or the dummy at the top of its thread, or NONE."""
    nodes = _Nodes(tied)
    for message, references in enumerate(tied.references()):
        if references:
            nodes.place(message, nodes.chain(references))
        else:
            nodes.place(message, NONE)
    return nodes.without_dummies()


class _Nodes:
    """The nodes while messages are taken in, one after the other."""

    def __init__(self, tied: Tied) -> None:
        self._count = len(tied)
        self._parents = [NONE] * self._count
        self._children = [0] * self._count
        self._steps = WALKS * tied.size
        # Of messages with one id only the first has it.
        self._named = dict(zip(reversed(tied.ids), range(self._count - 1, -1, -1), strict=True))
        self._named.pop(0, None)

    def chain(self, references: Sequence[int]) -> int:
        """1.A: link these ids, one below the other, where there is no link yet; the last node."""
        named, parents, children = self._named, self._parents, self._children
        above = NONE
        for number in references:
            below = named.get(number, NONE)
            if below == NONE:
                below = named[number] = len(parents)
                parents.append(NONE)
                children.append(0)
            if (
                parents[below] == NONE
                and above not in (NONE, below)
                and not (children[below] and self._descends(above, below))
            ):
                parents[below] = above
                children[above] += 1
            above = below
        return above

    def place(self, message: int, last: int) -> None:
        """1.B: below the last of its references and nowhere else."""
        parents, children = self._parents, self._children
        if (parent := parents[message]) != NONE:
            parents[message] = NONE
            children[parent] -= 1
        if last not in (NONE, message) and not (children[message] and self._descends(last, message)):
            parents[message] = last
            children[last] += 1

    def _descends(self, node: int, ancestor: int) -> bool:
        """Whether `node` is below `ancestor`, or may be for all we can tell in time."""
        parents = self._parents
        allowed = PATIENCE + max(0, self._steps)
        taken = 0
        while node not in (NONE, ancestor) and taken < allowed:
            node = parents[node]
            taken += 1
        self._steps -= taken
        return node != NONE

    def without_dummies(self) -> list[int]:
        """Steps 2 and 3: what is below a dummy goes to its parent, and to the dummy itself only at the top."""
        count, parents = self._count, self._parents
        for dummy in range(count, len(parents)):
            top = dummy
            path = []
            while top >= count and parents[top] != NONE:
                path.append(top)
                top = parents[top]
            for node in path:
                parents[node] = top
        return [
            parents[above] if above >= count and parents[above] != NONE else above for above in parents[:count]
        ]
