"""What comes in from several that work side by side, for one who waits for it. Refuses to know what they do."""

from __future__ import annotations

from typing import Generic, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


class Arrivals(Generic[T]):
    """`missing` counts those that have not come yet."""

    def __init__(self, expected: int) -> None:
        self.missing = expected
        self._here: list[T] = []
        self._waiter: Deferred[None] | None = None

    def bring(self, thing: T) -> None:
        self.missing -= 1
        self._here.append(thing)
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(None)

    async def some(self) -> bool:
        """Wait until something is here; False when nothing more will come."""
        if not self._here and self.missing:
            self._waiter = Deferred()
            await self._waiter
        return bool(self._here)

    def take(self) -> list[T]:
        here, self._here = self._here, []
        return here
