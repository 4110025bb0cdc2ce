"""The ties of many messages, read at once: what `mail.ties` packed for each.

Knows the layout; refuses to know what is linked.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise

from unitymail.mail.ties import REPLY

NUMBER = 8
"""Octets of one."""


class Tied:
    """Of messages 0 … n-1: `ids` (0 for none), `subjects` (0 for the empty one), and whether they are `replies`."""

    __slots__ = ("_numbers", "_starts", "ids", "replies", "subjects")

    def __init__(self, ties: Sequence[bytes]) -> None:
        self._numbers = array("Q", b"".join(ties))
        self._starts = list(accumulate((len(packed) // NUMBER for packed in ties), initial=0))
        first = self._starts[:-1]
        numbers = self._numbers
        self.ids = [numbers[start] for start in first]
        marked = [numbers[start + 1] for start in first]
        self.subjects = [subject & ~REPLY for subject in marked]
        self.replies = [subject & REPLY for subject in marked]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def size(self) -> int:
        """All numbers together."""
        return len(self._numbers)

    def references(self) -> list[Sequence[int]]:
        """Of each message the ids it refers to, its parent last."""
        numbers, starts = self._numbers, self._starts
        return [
            numbers[start + 2 : end] if end - start > 2 else ()
            for start, end in pairwise(starts)
        ]
