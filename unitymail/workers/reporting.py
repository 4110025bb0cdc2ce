"""What a worker tells its parent with each beat: values by name, from whoever has some. Knows none of them.

*Note: a parent that does not listen.* It may be stopped, or busy for long. Once the line to it is full a worker holds
its beats back: each tells all there is to tell, so nothing is missing in the first that is heard again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import implementer

BEAT_EVERY_S = 1.0


@implementer(IPushProducer)
class Reporting:
    """`say` gets what was gathered, once a second from `start` to `stop`; as a producer of the line it waits for it."""

    _log = Logger()

    def __init__(self, say: Callable[[dict[str, Any]], object], clock: Any) -> None:
        self._say = say
        self._gatherers: dict[str, Callable[[], Any]] = {}
        self._heard = True
        self._beating = LoopingCall(self.beat)
        self._beating.clock = clock

    def add(self, name: str, gather: Callable[[], Any]) -> None:
        """`gather()` gives a value that JSON can hold, in the reactor thread."""
        self._gatherers[name] = gather

    def start(self) -> None:
        self._beating.start(BEAT_EVERY_S)

    def stop(self) -> None:
        if self._beating.running:
            self._beating.stop()

    def beat(self) -> None:
        if self._heard:
            self._say(self._gather())

    def _gather(self) -> dict[str, Any]:
        """What there is to report now. Who fails reports nothing: the beat goes on."""
        reports = {}
        for name, gather in self._gatherers.items():
            try:
                reports[name] = gather()
            except Exception:
                self._log.failure("gathering the report {name}", name=name)
        return reports

    def pauseProducing(self) -> None:
        self._heard = False

    def resumeProducing(self) -> None:
        self._heard = True

    def stopProducing(self) -> None:
        """The line is gone, and the worker soon is."""
        self.stop()
