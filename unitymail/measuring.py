"""The numbers of this process, and in the parent of all of them: gathered, and shown to Prometheus when it asks.

Knows where each number comes from; refuses to know what it means outside (`metrics/families`).

Note *Nobody waits for a collector*. What is counted lies in memory; the disk is looked at, and the page is written, in
a thread of its own, once a second at most, however many ask.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Any

from unitymail import __version__, sockets
from unitymail.doors import CALLED
from unitymail.metrics.counts import Counts
from unitymail.metrics.families import Key
from unitymail.metrics.gathered import Gathered
from unitymail.metrics.kept import Kept
from unitymail.metrics.snapshot import Snapshot, added
from unitymail.rooms import open_threads
from unitymail.running import Running
from unitymail.standing import look

ADDRESS = "127.0.0.1"
DOOR = "metrics"
FRESH_S = 1.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Measuring:
    """`metrics` is for the doors of this process, `report` for the parent; `heard` takes the reports of workers."""

    def __init__(self, running: Running) -> None:
        self._running = running
        listen = running.settings.listen
        self.metrics = Counts(called for door, called in CALLED.items() if getattr(listen, door))
        self._gathered = Gathered()
        self._since = time.time()

    def report(self) -> dict[str, Any]:
        """All that this process counted, as a JSON value."""
        return self._ours().as_json()

    def heard(self, process: int, value: Any) -> None:
        """What a worker counted; None when it is gone."""
        try:
            self._gathered.heard(process, value)
        except ValueError as error:
            self._running.journal.trouble(f"the numbers of worker {process}", error)

    def figures(self) -> dict[str, Any]:
        """For the notice that `unitymail status` reads: what all processes did."""
        found = added(each.without_times() for each in self._each())
        return {
            **_work(found),
            "events": _by_label(found.counters, "events"),
            "open": _by_label(found.gauges, "open"),
            "came": _by_label(found.counters, "connections"),
            "sign_ins_failed": _failed(found.counters),
        }

    def figures_of(self, process: int) -> dict[str, Any]:
        """What one of them did, this one or a worker; that of a worker which said nothing yet is nothing."""
        return _work(self._ours() if process == os.getpid() else self._gathered.of(process))

    def _each(self) -> tuple[Snapshot, ...]:
        return self._ours(), *self._gathered.each()

    def _ours(self) -> Snapshot:
        running = self._running
        journal, turns = running.journal, running.turns
        events = journal.counts
        counters: dict[Key, float] = {
            ("messages",): events["received"],
            ("deliveries",): events["delivered"],
            ("troubles",): events["trouble"],
            ("long-turns",): turns.long_turns,
            ("cpu",): time.process_time(),
            **{("events", event): count for event, count in events.items()},
            **{("relays", outcome): count for outcome, count in journal.relays.items()},
        }
        gauges: dict[Key, float] = {
            ("longest-turn",): turns.longest, ("memory",): _memory(), ("processes",): 1,
        }  # fmt: skip
        return added((self.metrics.snapshot(), Snapshot(counters, gauges)))

    # The page

    def open_page(self, listening: socket.socket, *, usn: Callable[[], int], workers: Callable[[], int]) -> str:
        """Show the numbers at this socket; where that is.

        `usn` gives the newest change of the directory that was taken, `workers` how many processes serve the doors.
        """
        # Workers, who show nothing, are 4 MB smaller without these.
        from unitymail.metrics.page import MetricsPage
        from unitymail.metrics.text import as_text

        running = self._running
        threads = open_threads(running.reactor, running.closing, "metrics", 1)

        async def text() -> bytes:
            gauges: dict[Key, float] = {("usn",): usn(), ("workers",): workers()}
            counted = *self._each(), Snapshot({}, gauges)
            made: bytes = await threads.run(lambda: as_text(added((*counted, self.standing()))))
            return made

        kept = Kept(text, seconds=FRESH_S, clock=running.reactor)
        page = MetricsPage(kept.get, journal=running.journal, clock=running.reactor)
        where = sockets.shown(listening)
        port = sockets.adopt(running.reactor, listening, page)
        running.closing.add("the page of metrics", page.close)
        running.closing.add("the port of metrics", port.stopListening)
        return where

    def standing(self) -> Snapshot:
        """What lies on the disk, and what is of the node as a whole. Blocking."""
        now = time.time()
        stands = look(self._running.settings, now)
        gauges: dict[Key, float] = {
            ("queue",): stands.queue,
            ("oldest",): round(stands.oldest_s, 1),
            ("shunted",): stands.shunted,
            ("bad-mail",): stands.bad_mail,
            ("since",): round(self._since),
            ("version", __version__): 1,
            **{("free-disk", place): octets for place, octets in stands.free.items()},
        }
        for pair in self._running.tls.pairs:
            name = pair.names[0] if pair.names else os.path.basename(pair.file)
            gauges["certificate", name] = pair.ends.timestamp()
        return Snapshot({}, gauges)


def _work(of: Snapshot) -> dict[str, Any]:
    """How much there is to do, and whether it is done in short turns."""
    return {
        "connections": sum(_by_label(of.gauges, "open").values()),
        "longest_turn_ms": round(of.gauges.get(("longest-turn",), 0.0) * 1000, 1),
        "long_turns": int(of.counters.get(("long-turns",), 0)),
    }


def _by_label(numbers: Any, family: str) -> dict[str, int]:
    return {key[1]: int(value) for key, value in numbers.items() if key[0] == family}


def _failed(counters: Any) -> int:
    return int(sum(value for key, value in counters.items() if key[0] == "sign-ins" and key[3] == "bad-credentials"))


def _memory() -> int:
    """Octets of this process that are in memory; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0
