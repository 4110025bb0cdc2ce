"""A named pool of threads for what may block. Refuses to know what runs in it.

Note *Not Twisted's pool*. That one asks a team of objects for each job that is handed over; here it is one entry in a
queue of C. Whoever commits mail or claims items does so hundreds of times a second.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from zope.interface import implementer

from unitymail.interfaces.threads import IThreads

Job = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Deferred[Any]]


@implementer(IThreads)
class Threads:
    """`size` threads at most, each begun when it is first needed; work beyond that waits its turn. Reactor thread."""

    def __init__(self, reactor: Any, name: str, size: int) -> None:
        self._reactor = reactor
        self._name = name
        self._size = size
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._under_way = 0
        self._started = self._ended = False

    def start(self) -> None:
        """Begin with what was asked for so far."""
        self._started = True
        for _ in range(min(self._under_way, self._size)):
            self._begin_thread()

    def stop(self) -> None:
        """Finish what is queued, then end the threads. What is asked for afterwards is never done."""
        self._ended = True
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
        answer: Deferred[Any] = Deferred()
        if self._ended:
            return answer
        if self._started and len(self._threads) < min(self._under_way + 1, self._size):
            try:
                self._begin_thread()
            except RuntimeError:  # the system gives no more: those that are there do it, later
                if not self._threads:
                    return fail()
        self._under_way += 1
        self._jobs.put((function, args, kwargs, answer))
        return answer

    def _begin_thread(self) -> None:
        thread = Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            function, args, kwargs, answer = job
            try:
                found = function(*args, **kwargs)
            except BaseException:
                found = Failure()
            self._reactor.callFromThread(self._answer, answer, found)
            del job, function, args, kwargs, answer, found  # an idle thread keeps nothing alive

    def _answer(self, answer: Deferred[Any], found: Any) -> None:
        self._under_way -= 1
        answer.callback(found)  # a Failure goes the way of errors
