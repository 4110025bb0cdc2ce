"""What was begun is ended in the reverse order, each whatever became of the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any


class Closing:
    """A stack of endings. `trouble(what, error)` hears of those that fail."""

    def __init__(self) -> None:
        self._endings: list[tuple[str, Callable[[], Any]]] = []

    def add(self, what: str, end: Callable[[], Any]) -> None:
        """`end` may give an awaitable; the endings after it wait for that."""
        self._endings.append((what, end))

    async def close(self, trouble: Callable[[str, BaseException], None]) -> None:
        while self._endings:
            what, end = self._endings.pop()
            try:
                result = end()
                if isinstance(result, Awaitable):
                    await result
            except Exception as error:
                trouble(f"stopping {what}", error)
