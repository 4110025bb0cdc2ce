"""A large mapping that changes a little at a time without copying: a base and a small layer of changes over it.

Knows nothing of what it holds. Note *Immutable*: a Layers object never changes once made; `changed` gives a new one
that shares the base, so that a reader in another thread keeps a whole picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

V = TypeVar("V")
FOLD_ABOVE = 4_096
"""Changes kept in the upper layer before it is folded into a new base (copying a large dict takes milliseconds)."""


class Layers(Generic[V]):
    """`get` costs one look-up of a plain dict, two while there are changes."""

    __slots__ = ("_base", "_top")

    def __init__(self, base: dict[str, V], top: dict[str, V | None] | None = None) -> None:
        self._base = base
        self._top = top

    def get(self, key: str) -> V | None:
        if self._top is not None and key in self._top:
            return self._top[key]
        return self._base.get(key)

    def changed(self, gone: Iterable[str], new: Mapping[str, V]) -> Layers[V]:
        """This mapping without the keys `gone`, then with `new`."""
        top: dict[str, V | None] = dict(self._top or {})
        top.update(dict.fromkeys(gone))
        top.update(new)
        if not top:
            return self
        return self._folded(top) if len(top) > FOLD_ABOVE else Layers(self._base, top)

    def _folded(self, top: dict[str, V | None]) -> Layers[V]:
        base = dict(self._base)
        for key, value in top.items():
            if value is None:
                base.pop(key, None)
            else:
                base[key] = value
        return Layers(base)

    def values(self) -> Iterator[V]:
        if self._top is None:
            yield from self._base.values()
            return
        for key, value in self._base.items():
            if key not in self._top:
                yield value
        yield from (value for value in self._top.values() if value is not None)

    def __len__(self) -> int:
        if self._top is None:
            return len(self._base)
        return sum(1 for _ in self.values())
