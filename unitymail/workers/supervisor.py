"""The parent's watch over its workers: all serve before the node is ready, who dies is replaced, who hangs is ended.

Knows when a worker begins, ends, and is told what; refuses to know how a process is made (`process`) and what workers
do. Reactor thread only.

Note *Balance*. Each worker accepts at sockets of its own, bound with SO_REUSEPORT, among which the kernel deals out
connections. One socket for all was measured: 200 connections in a burst or under load came out 98 to 102, but 200 that
came one after the other to idle workers 8 to 192: for mail programs that stay for a day that decides who has all the
work. With sockets of their own it was 96 to 104 either way. What speaks for one socket is that nobody waits for a
worker that is dead or hangs. So workers hold the sockets of all places, and those that are well accept for those that
are not (`berth.covers`); the parent keeps all sockets open, so that no connection is lost that waits in one.

Note *Signals* go to processes that this parent began and has not seen the end of, by their id.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from unitymail.interfaces.journal import IJournal
from unitymail.ledger.lending import Lending
from unitymail.ledger.local import LocalLedger
from unitymail.workers.berth import Berth, Worker, covers
from unitymail.workers.words import Beat, Cover, Leaving, OfLedger, Ready, Reload, Stop, Word

STOPS_WITHIN_S = 30.0
"""A little longer than doors wait for their clients (`doors.PATIENCE_S`)."""

Begin = Callable[[int, Callable[[Word], None], Callable[[str], None]], Worker]
Heard = Callable[[int, Any], None]


class CannotServe(Exception):
    """A worker ended before it was ready, in one sentence."""


class Supervisor:
    """`begin(berth, heard, ended)` starts a process (OSError when it cannot); `mend(pid)` sees to what a dead one left.

    `changed` is called when one has begun to serve or ended. Call `start` once and wait; `stop` ends all workers.
    """

    def __init__(
        self, berths: int, *, begin: Begin, mend: Callable[[int], Awaitable[None]], ledger: LocalLedger,
        journal: IJournal, clock: Any, changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._berths = [Berth(number, Lending(ledger)) for number in range(berths)]
        self._begin_process = begin
        self._mend = mend
        self._changed = changed
        self._journal = journal
        self._clock = clock
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock
        self._starting: Deferred[None] | None = None
        self._stopping = False
        self._gone: list[Deferred[None]] = []
        self._started = False
        self._mending = 0
        self._calls: dict[int, Any] = {}
        self._patience: Any = None
        self._listeners: dict[str, list[Heard]] = {}

    # What others ask

    def start(self) -> Deferred[None]:
        """Begin them all; fires when each serves, fails with CannotServe when one ends before."""
        waiting: Deferred[None] = Deferred()
        self._starting = waiting
        self._journal.guard(self._looking.start(1.0, now=False), "watching over the workers")
        for berth in self._berths:
            self._begin(berth)
        return waiting

    def stop(self) -> Deferred[None]:
        """Nobody is replaced any more, each finishes or is ended after a while; fires when all are gone."""
        if not self._stopping:
            self._stopping = True
            for call in self._calls.values():
                call.cancel()
            self._calls.clear()
            for berth in self._living():
                berth.worker.say(Stop())  # type: ignore[union-attr]
            self._patience = self._clock.callLater(STOPS_WITHIN_S, self._lose_patience)
        gone: Deferred[None] = Deferred()
        self._gone.append(gone)
        self._look_whether_gone()
        return gone

    def reload(self) -> None:
        """Renewed certificates, rotated log files."""
        for berth in self._living():
            berth.worker.say(Reload())  # type: ignore[union-attr]

    def on_report(self, name: str, heard: Heard) -> None:
        """`heard(pid, value)` each second for each worker that reports it, `heard(pid, None)` once that is gone."""
        self._listeners.setdefault(name, []).append(heard)

    def workers(self) -> list[dict[str, Any]]:
        """Those that live: process id, since when (Unix seconds), how many had the place before."""
        return [
            {"pid": berth.worker.pid, "since": round(berth.since), "restarts": berth.restarts}  # type: ignore[union-attr]
            for berth in self._living()
        ]

    # Beginning and ending

    def _living(self) -> list[Berth]:
        return [berth for berth in self._berths if berth.worker is not None]

    def _begin(self, berth: Berth) -> None:
        self._calls.pop(berth.number, None)
        try:
            berth.taken_by(
                self._begin_process(
                    berth.number, lambda word: self._heard(berth, word), lambda how: self._ended(berth, how)
                )
            )
        except OSError as error:
            what = f"{error.filename}: " if error.filename else ""
            if self._cannot_start(f"a worker cannot be started: {what}{error.strerror}"):
                return
            self._journal.trouble("starting a worker", error)
            self._begin_later(berth, berth.left())

    def _begin_later(self, berth: Berth, seconds: int) -> None:
        if not self._stopping:
            self._calls[berth.number] = self._clock.callLater(seconds, self._begin, berth)

    def _ended(self, berth: Berth, how: str) -> None:
        pid = berth.worker.pid if berth.worker is not None else 0
        berth.lending.give_all_back()
        for name in berth.reports:
            self._tell(name, pid, None)
        asked = berth.leaving or self._stopping
        wait = berth.left()
        self._journal.worker_ended(pid, how, None if self._stopping else wait, asked=asked)
        self._see_who_is_well()
        self._tell_of_change()
        self._cannot_start(f"worker {pid} ended before it was ready ({how}); what it said stands above")
        self._mending += 1
        Deferred.fromCoroutine(self._after(pid)).addCallback(lambda _: self._mended(berth, wait))

    async def _after(self, pid: int) -> None:
        try:
            await self._mend(pid)
        except Exception as error:
            self._journal.trouble(f"seeing to what worker {pid} left; the next start of the node does it", error)

    def _mended(self, berth: Berth, wait: int) -> None:
        self._mending -= 1
        self._begin_later(berth, wait)
        self._look_whether_gone()

    def _cannot_start(self, why: str) -> bool:
        """Whether that is the end of the node's start."""
        if self._started:
            return False
        waiting, self._starting = self._starting, None
        self.stop()
        if waiting is not None:
            waiting.errback(CannotServe(why))
        return True

    def _look_whether_gone(self) -> None:
        if not self._stopping or self._living() or self._mending:
            return
        if self._patience.active():
            self._patience.cancel()
        if self._looking.running:
            self._looking.stop()
        gone, self._gone = self._gone, []
        for waiting in gone:
            waiting.callback(None)

    def _lose_patience(self) -> None:
        for berth in self._living():
            assert berth.worker is not None
            self._journal.trouble(f"worker {berth.worker.pid} did not end by itself, so it is ended")
            berth.worker.kill()

    # What workers say

    def _heard(self, berth: Berth, word: Word) -> None:
        match word:
            case OfLedger(about):
                answer = berth.lending.hear(about)
                if answer is not None and berth.worker is not None:
                    berth.worker.say(OfLedger(answer))
                return
            case Beat(reports):
                berth.reports.update(dict.fromkeys(reports))
                for name, value in reports.items():
                    self._tell(name, berth.worker.pid if berth.worker is not None else 0, value)
            case Ready():
                berth.ready = True
                berth.since = self._clock.seconds()
                if berth.worker is not None:
                    self._journal.worker_ready(berth.worker.pid)
                    self._tell_of_change()
            case Leaving():
                berth.leaving = True
        berth.silent = 0
        self._see_who_is_well()

    def _tell(self, name: str, pid: int, value: Any) -> None:
        for heard in self._listeners.get(name, ()):
            try:
                heard(pid, value)
            except Exception as error:
                self._journal.trouble(f"taking the report {name} of worker {pid}", error)

    def _tell_of_change(self) -> None:
        try:
            self._changed()
        except Exception as error:
            self._journal.trouble("telling that a worker came or went", error)

    def _see_who_is_well(self) -> None:
        if not self._started:
            if self._starting is None or not all(berth.ready for berth in self._berths):
                return
            self._started = True
            waiting, self._starting = self._starting, None
            waiting.callback(None)
        for number, others in covers(self._berths).items():
            berth = self._berths[number]
            if berth.covers != others:
                berth.covers = others
                berth.worker.say(Cover(others))  # type: ignore[union-attr]

    def _look(self) -> None:
        """Once a second, or less often when this process itself is held up: nobody is blamed for that."""
        for berth in self._living():
            berth.silent += 1
            berth.age += 1
            if (why := berth.hangs()) and berth.worker is not None:
                self._journal.trouble(f"worker {berth.worker.pid} {why}, so it is ended")
                berth.worker.kill()
        self._see_who_is_well()
