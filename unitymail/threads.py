"""A named pool of threads for what may block. Refuses to know what runs in it.

Note *Not Twisted's pool*. That one asks a team of objects for each job that is handed over; here it is one entry in a
queue of C. Whoever commits mail or claims items does so hundreds of times a second.

Note *One is woken*. Each idle thread waits at a queue of its own, and the one that became idle last gets the job. Where
all wait at the same queue, whoever gets something wakes another one, which finds nothing: with eight idle threads a
job cost four times the CPU, most of it for handing the interpreter round.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
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
        self._threads: list[Thread] = []
        self._lock = Lock()
        self._waiting: deque[Job] = deque()
        self._idle: list[SimpleQueue[Job | None]] = []
        self._started = self._ended = False

    def start(self) -> None:
        """Begin with what was asked for so far."""
        self._started = True
        for _ in range(min(len(self._waiting), self._size)):
            self._begin_thread()

    def stop(self) -> None:
        """Finish what is queued, then end the threads. What is asked for afterwards is never done."""
        with self._lock:
            self._ended = True
            for queue in self._idle:
                queue.put(None)
        for thread in self._threads:
            thread.join()

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
        answer: Deferred[Any] = Deferred()
        if self._ended:
            return answer
        if self._started and not self._idle and len(self._threads) < self._size:
            try:
                self._begin_thread()
            except RuntimeError:  # the system gives no more: those that are there do it, later
                if not self._threads:
                    return fail()
        job: Job = (function, args, kwargs, answer)
        with self._lock:
            if self._idle:
                self._idle.pop().put(job)
            else:
                self._waiting.append(job)
        return answer

    def _next(self, mine: SimpleQueue[Job | None]) -> Job | None:
        """What waits; else this thread is idle, and something, or None for the end, comes to its own queue."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._ended:
                mine.put(None)
            else:
                self._idle.append(mine)
        return None

    def _begin_thread(self) -> None:
        thread = Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        mine: SimpleQueue[Job | None] = SimpleQueue()
        job = self._next(mine) or mine.get()
        while job is not None:
            function, args, kwargs, answer = job
            try:
                found = function(*args, **kwargs)
            except BaseException:
                found = Failure()
            # Idle before the answer is known, so that what the answer leads to comes to this thread, which is awake.
            job = self._next(mine)
            self._reactor.callFromThread(answer.callback, found)  # a Failure goes the way of errors
            del function, args, kwargs, answer, found  # an idle thread keeps nothing alive
            job = job or mine.get()
