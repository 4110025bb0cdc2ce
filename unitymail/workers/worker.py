"""A worker: a process that serves the doors of a node, told by its parent what to do, and not for a moment without it.

    python -m unitymail.workers.worker      (begun by the parent only: see `process` and `brief` for its descriptors)

Knows its own beginning and end; refuses to know its brethren.

Note *The end of the parent*. The line to the parent ends with it, however that happened, and the worker stops as if it
had been told to, only sooner: what is under way and durable is answered, everybody else is cut off. Should even that
hang, a thread that waits for the same end (`lifeline`) ends the process. So a new start of the node soon has the
folder to itself.

Note *Signals*. SIGTERM to a worker alone lets it finish and be replaced. SIGINT is for the parent, which gets it from
the same terminal.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import Any

from twisted.internet import stdio
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol
from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    eventAsText,
    globalLogBeginner,
)
from twisted.python.failure import Failure

from unitymail.ledger.remote import RemoteLedger
from unitymail.measuring import Measuring
from unitymail.rooms import Builder, Company
from unitymail.running import Running, allow_descriptors
from unitymail.serving import Serving
from unitymail.tls import of_words
from unitymail.workers import brief, lifeline
from unitymail.workers.channel import Channel
from unitymail.workers.process import FROM_WORKER, TO_WORKER
from unitymail.workers.reporting import Reporting
from unitymail.workers.words import Beat, Begin, Cover, Leaving, OfLedger, Ready, Reload, Stop, Word

ORPHANED_S = 10.0
"""A worker whose parent is gone has ended after so long, whatever it was about."""


class Worker:
    """`line` is what carries its words to the parent; give what comes from there to `receive`."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.line: Any = None
        self._channel = Channel(
            write=lambda octets: self.line.write(octets), heard=self._hear, confused=self._confused, clock=reactor
        )
        self.receive = self._channel.receive
        self._ledger = RemoteLedger(lambda word: self._channel.say(OfLedger(word)), reactor)
        self.reports = Reporting(lambda reports: self._channel.say(Beat(reports)), reactor)
        self._running: Running | None = None
        self._serving: Serving | None = None
        self._started: Deferred[None] = succeed(None)
        self._stopping = False
        self._covered: tuple[int, ...] = ()
        self.exit_code = 0

    # What the parent says

    def _hear(self, word: Word) -> None:
        match word:
            case OfLedger(about):
                self._ledger.hear(about)
            case Begin(facts):
                self._begin(brief.read(facts))
            case Cover(berths):
                self._covered = berths
                if self._serving is not None and not self._stopping:
                    self._serving.doors.cover(berths)
            case Reload():
                self.reload()
            case Stop():
                self.stop()

    def orphaned(self) -> None:
        """The parent is gone."""
        self._channel.close()
        self._ledger.lost()
        if self._serving is not None:
            self._serving.hurry()
        self.stop()

    def _confused(self, why: str) -> None:
        _say(f"the parent said something that is not understood ({why})")
        self.orphaned()

    # Beginning

    def _begin(self, told: brief.Brief) -> None:
        self._started = Deferred.fromCoroutine(self._start(told))
        self._started.addErrback(self._cannot_start)

    async def _start(self, told: brief.Brief) -> None:
        self.reports.start()
        shown = [of_words(*words) for words in told.certificates]
        running = self._running = Running(told.settings, self._reactor, otherwise=_say, shown=shown)
        company = Company(len(told.sockets) + 1, os.getppid())
        builder = Builder(told.settings, self._reactor, running.journal, running.closing, company)
        rooms = await builder.build()
        builder.settle_in(rooms)
        running.renewals.append(rooms.watcher.take)
        measuring = Measuring(running)
        serving = Serving(running, rooms, self._ledger, measuring.metrics)
        await serving.prepare()
        builder.watch(rooms)
        self.reports.add("metrics", measuring.report)
        sets = [{door: _adopted(fd) for door, fd in place.items()} for place in told.sockets]
        serving.open(sets[told.berth])
        for berth, bound in enumerate(sets):
            if berth != told.berth:
                serving.doors.stand_by(berth, bound)
        serving.doors.cover(self._covered)
        self._serving = serving
        self.reports.beat()
        self._channel.say(Ready())

    def _cannot_start(self, failure: Failure) -> None:
        _say(failure.getTraceback())
        self.exit_code = 1
        self.stop()

    def reload(self) -> None:
        if self._running is not None:
            self._running.reload()

    # Ending

    def leave(self) -> None:
        """Somebody else than the parent wants this worker to end: let the others take over first."""
        self._channel.say(Leaving())
        self._channel.flush()
        self.stop()

    def stop(self) -> None:
        """Finish what is under way, then end."""
        if not self._stopping:
            self._stopping = True
            Deferred.fromCoroutine(self._stop()).addBoth(lambda _: self._reactor.stop())

    async def _stop(self) -> None:
        await self._started
        if self._running is not None:
            await self._running.closing.close(self._running.journal.trouble)
            self._running.lines.close()
        self.reports.stop()
        self.reports.beat()
        self._channel.flush()


class _Line(Protocol):
    """The two pipes to the parent."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def connectionMade(self) -> None:
        line: Any = self.transport
        line.registerProducer(self._worker.reports, True)
        self._worker.line = line

    def dataReceived(self, data: bytes) -> None:
        self._worker.receive(data)

    def connectionLost(self, reason: Any = None) -> None:
        self._worker.orphaned()


def _adopted(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    listening = socket.socket(fileno=descriptor)
    listening.setblocking(False)
    return listening


def _say(text: str) -> None:
    """By way of the parent, which logs what comes out of here."""
    print(text, file=sys.stderr, flush=True)


def _log_by_way_of_parent() -> None:
    """What Twisted has to tell, such as a failure that nobody expected."""
    observer = FileLogObserver(
        sys.stderr, lambda event: eventAsText(event, includeTimestamp=False, includeSystem=False) + "\n"
    )
    grave = FilteringLogObserver(observer, [LogLevelFilterPredicate(LogLevel.warn)])
    globalLogBeginner.beginLoggingTo([grave], redirectStandardIO=False, discardBuffer=True)


def _listen_to_signals(reactor: Any, worker: Worker) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number, act in ((signal.SIGTERM, worker.leave), (signal.SIGHUP, worker.reload)):
        signal.signal(number, lambda *_, act=act: reactor.callFromThread(act))


def main() -> int:
    from twisted.internet import reactor

    os.umask(0o077)
    allow_descriptors()
    lifeline.hold(0, ORPHANED_S)
    _log_by_way_of_parent()
    the_reactor: Any = reactor
    worker = Worker(the_reactor)
    _listen_to_signals(reactor, worker)
    for descriptor in (TO_WORKER, FROM_WORKER, brief.MARK):
        os.set_inheritable(descriptor, False)
    pipes: Any = stdio.StandardIO
    pipes(_Line(worker), stdin=TO_WORKER, stdout=FROM_WORKER, reactor=the_reactor)
    the_reactor.run(installSignalHandlers=False)
    return worker.exit_code


if __name__ == "__main__":
    sys.exit(main())
