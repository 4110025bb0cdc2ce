"""A pool for what may block: SQL, disk flushes, password hashing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from zope.interface import Interface

# mypy: disable-error-code="misc,empty-body"


class IThreads(Interface):
    def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Call `function` in a thread; the Deferred fires in the reactor thread with its result or failure."""
