"""What a worker tells its parent with each beat: values by name, from whoever has some. Knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger


class Reporting:
    """`gather()` gives a value that JSON can hold, in the reactor thread, once a second."""

    _log = Logger()

    def __init__(self) -> None:
        self._gatherers: dict[str, Callable[[], Any]] = {}

    def add(self, name: str, gather: Callable[[], Any]) -> None:
        self._gatherers[name] = gather

    def gather(self) -> dict[str, Any]:
        """What there is to report now. Who fails reports nothing: the beat goes on."""
        reports = {}
        for name, gather in self._gatherers.items():
            try:
                reports[name] = gather()
            except Exception:
                self._log.failure("gathering the report {name}", name=name)
        return reports
