"""Whether a change of flags explains what became of a message: what STORE.SILENT did is not told, the rest is.

Knows combinations of flags; refuses to know messages.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Literal

Change = Literal["add", "remove", "replace"]


class Expectation:
    """Asked for one pair (combination before, combination now) at a time, and remembered. Without `change`: always."""

    def __init__(
        self, combinations: Sequence[frozenset[str]], change: Change | None, flags: frozenset[str]
    ) -> None:
        self._combinations = combinations
        self._change = change
        self._flags = {flag.lower() for flag in flags}
        self._known: dict[tuple[int, int], bool] = {}

    def meets(self, old: int, new: int) -> bool:
        if self._change is None:
            return True
        found = self._known.get((old, new))
        if found is None:
            found = self._known[old, new] = self._after(old) == self._lowered(new)
        return found

    def meets_all(self, old: array[int], new: array[int]) -> bool:
        return all(self.meets(*pair) for pair in set(zip(old, new, strict=True)))

    def _lowered(self, combination: int) -> set[str]:
        return {flag.lower() for flag in self._combinations[combination]}

    def _after(self, combination: int) -> set[str]:
        before = self._lowered(combination)
        if self._change == "replace":
            return self._flags
        return before | self._flags if self._change == "add" else before - self._flags
