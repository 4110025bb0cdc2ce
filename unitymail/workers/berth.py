"""One worker's place: who has it, how they fare, and how soon the next one may come. Pure bookkeeping, in seconds that
are counted, so that no clock that is set makes anybody look dead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from unitymail.ledger.lending import Lending
from unitymail.workers.words import Word

STEADY_S = 60
"""Who lived so long did not die of what its predecessor died of."""
LONGEST_WAIT_S = 60
UNWELL_AFTER_S = 3
"""A worker that said nothing for so long is not waited for by new clients."""
HUNG_AFTER_S = 30
SERVES_WITHIN_S = 300
"""A worker that says it is alive, and serves nobody for so long, waits for something that does not come."""


class Worker(Protocol):
    """A process, as `process.WorkerProcess`."""

    pid: int

    def say(self, word: Word) -> None: ...

    def kill(self) -> None: ...


@dataclass(slots=True)
class Berth:
    """`silent` and `age` count seconds of the worker that has it; `deaths` those in a row that came soon."""

    number: int
    lending: Lending
    worker: Worker | None = None
    ready: bool = False
    leaving: bool = False
    since: float = 0.0
    silent: int = 0
    age: int = 0
    deaths: int = 0
    restarts: int = -1
    covers: tuple[int, ...] = ()
    reports: dict[str, Any] = field(default_factory=dict)

    def taken_by(self, worker: Worker) -> None:
        self.worker = worker
        self.ready = self.leaving = False
        self.silent = self.age = 0
        self.covers = ()
        self.restarts += 1

    def is_well(self) -> bool:
        """Whether new clients may be sent there."""
        return self.worker is not None and self.ready and not self.leaving and self.silent < UNWELL_AFTER_S

    def hangs(self) -> str:
        """Why it should be ended; "" while it should not."""
        if self.worker is None:
            return ""
        if self.silent >= HUNG_AFTER_S:
            return f"said nothing for {HUNG_AFTER_S} s"
        if not self.ready and self.age >= SERVES_WITHIN_S:
            return f"did not begin to serve within {SERVES_WITHIN_S} s"
        return ""

    def left(self) -> int:
        """Nobody has it any more; for how many seconds that should stay so: none the first time, then longer."""
        self.worker = None
        self.ready = self.leaving = False
        self.reports = {}
        self.deaths = 1 if self.age >= STEADY_S else self.deaths + 1
        self.age = 0
        return 0 if self.deaths == 1 else int(min(LONGEST_WAIT_S, 2 ** min(self.deaths - 2, 10)))


def covers(berths: list[Berth]) -> dict[int, tuple[int, ...]]:
    """For whom each worker that is well should accept connections besides itself: those are dealt out evenly."""
    well = [berth.number for berth in berths if berth.is_well()]
    others = [berth.number for berth in berths if not berth.is_well()]
    return {number: tuple(others[at :: len(well)]) for at, number in enumerate(well)}
