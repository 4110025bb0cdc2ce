"""A named pool of threads for what may block. Refuses to know what runs in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from unitymail.interfaces.threads import IThreads


@implementer(IThreads)
class Threads:
    """`size` threads at most; work beyond that waits its turn."""

    def __init__(self, reactor: Any, name: str, size: int) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(0, size, name=name)

    def start(self) -> None:
        self._pool.start()

    def stop(self) -> None:
        """Finish what is queued, then end the threads."""
        self._pool.stop()

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
        return threads.deferToThreadPool(self._reactor, self._pool, function, *args, **kwargs)
