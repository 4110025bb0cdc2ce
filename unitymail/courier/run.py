"""One run over one item: perform what is due, side by side, write what came of it, see to reports, let go.

Knows the order and what an exception means; refuses to know how steps are performed or which item is next.

Note *Told, then asked*. A performer may be asked again for what it has done, after a crash between the deed and the
writing of its outcome. Twice is harmless: names, traces and ids are derived from the item.

Note *Side by side*. Steps that share something (`IManyStepsPerformer.group`) are performed together, the groups at the
same time, each step once in a run: a peer that does not answer holds up nobody else. Mailboxes come first, reports
last. Outcomes are written one writing after the other, as groups end, all that have ended meanwhile together.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from twisted.internet.defer import ensureDeferred

from unitymail.courier import outcomes
from unitymail.courier.arrivals import Arrivals
from unitymail.courier.perform import Performers
from unitymail.courier.reports import with_reports
from unitymail.courier.waiting import waiting
from unitymail.interfaces.book import IBook
from unitymail.interfaces.errors import Never, Trouble
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import IManyStepsPerformer, IQueue, IStepPerformer, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.routing.decision import Decision
from unitymail.routing.hops import RULES
from unitymail.routing.steps import Deliver, Report, Step

SPOOL_TROUBLE_S = 60.0
MANY = 100
"""Steps whose outcomes are noted in a thread: a turn of the reactor stays short."""


DELIVERIES, WAYS_ON, REPORTS = range(3)
"""The phases of a run."""
_PHASES: dict[type[Any], int] = {Deliver: DELIVERIES, Report: REPORTS}


class Surprise(Exception):
    """A performer raised what nobody expected."""


class Run:
    """`decide` gives the decision about an item that has no steps yet (blocking); `opens_at` as of Destinations.

    `done` hears when nothing is left to do but to write that.
    """

    def __init__(
        self, trace: str, *, queue: IQueue, performers: Performers, threads: IThreads, book: IBook, journal: IJournal,
        now: Callable[[], float], decide: Callable[[Item], Decision], opens_at: Callable[[str, float], float],
        done: Callable[[str], None],
    ) -> None:
        self.trace = trace
        self._queue = queue
        self._performers = performers
        self._threads = threads
        self._book = book
        self._journal = journal
        self._now = now
        self._decide = decide
        self._opens_at = opens_at
        self._done = done
        self._tried: set[int] = set()
        self._written: tuple[StepState, ...] = ()

    async def perform(self) -> None:
        """From claim to release. Raises nothing: what goes wrong is in the journal."""
        try:
            item = await self._queue.claim(self.trace)
        except Never as error:
            await self._shunt(error)
            return
        except OSError as error:
            self._journal.trouble(f"claiming {self.trace}", error)
            return
        if item is None:
            return
        try:
            await self._carry_out(item)
        except OSError as error:
            # The spool itself cannot be written: nothing is wrong with the item.
            self._journal.trouble(f"writing what became of {self.trace}", error)
            await self._queue.release(self.trace, self._now() + SPOOL_TROUBLE_S)
        except Exception as error:
            await self._shunt(error)

    async def _carry_out(self, item: Item) -> None:
        self._written = item.steps
        if not item.steps:
            item = await self._decided(item)
        fresh = item.fresh
        item = await self._perform(item, DELIVERIES)
        item = await self._perform(item, WAYS_ON)
        item = await self._see_to_reports(item, first_run=fresh)
        item = await self._perform(item, REPORTS)
        if all(state.outcome is not None for state in item.steps):
            self._done(self.trace)
            await self._queue.finish(item)
            return
        await self._write(item)
        when = await self._quickly(item, partial(waiting, item, self._now(), self._book, self._opens_at))
        await self._queue.release(self.trace, when.next_at, when.hop, when.at_latest)

    async def _decided(self, item: Item) -> Item:
        """What came back from bad mail is decided anew."""
        decision: Decision = await self._threads.run(self._decide, item)
        self._journal.decided(item.trace, decision)
        item = replace(item, steps=tuple(map(StepState, decision.steps)))
        await self._write(item)
        return item

    async def _see_to_reports(self, item: Item, *, first_run: bool) -> Item:
        """Add what is to be told and kept; who keeps the undeliverable may fail as well."""
        while True:
            seeing = partial(with_reports, item, self._now(), self._book, first_run=first_run)
            fuller: Item = await self._quickly(item, seeing)
            if any(state.outcome is None for state in fuller.steps):
                await self._write(fuller)
            if len(fuller.steps) == len(item.steps):
                return fuller
            item = await self._perform(fuller, DELIVERIES, WAYS_ON)

    async def _write(self, item: Item) -> None:
        if item.steps != self._written:
            await self._queue.record(item)
            self._written = item.steps

    async def _quickly(self, item: Item, work: Callable[[], Any]) -> Any:
        """In a thread for an item that would take long."""
        return work() if len(item.steps) <= MANY else await self._threads.run(work)

    async def _perform(self, item: Item, *phases: int) -> Item:
        """Each due step of these phases, all groups at once."""
        open_ones = [
            number
            for number, state in enumerate(item.steps)
            if state.outcome is None and phase_of(state.step) in phases and number not in self._tried
        ]
        if not open_ones:
            return item
        item, groups = await self._due_groups(item, open_ones)
        if not groups:
            return item
        if len(groups) == 1:
            return await self._note(item, groups[0], await self._attempt(item, groups[0]))
        arrivals: Arrivals[tuple[Sequence[int], Sequence[Outcome] | Surprise]] = Arrivals(len(groups))
        for numbers in groups:
            ensureDeferred(self._bring(item, numbers, arrivals))
        surprise: Surprise | None = None
        while await arrivals.some():
            for numbers, results in arrivals.take():
                if isinstance(results, Surprise):
                    surprise = results
                else:
                    item = await self._note(item, numbers, results)
            if arrivals.missing or surprise is not None:
                # Without room for it now the end of the run tells: what is still under way must not begin anew.
                with suppress(OSError):
                    await self._write(item)
        if surprise is not None:
            raise surprise
        return item

    async def _bring(self, item: Item, numbers: Sequence[int], arrivals: Arrivals[Any]) -> None:
        try:
            arrivals.bring((numbers, await self._attempt(item, numbers)))
        except Surprise as surprise:
            arrivals.bring((numbers, surprise))

    async def _due_groups(self, item: Item, open_ones: Sequence[int]) -> tuple[Item, list[Sequence[int]]]:
        """What is to be performed now; what its sender wants back by now has failed."""
        now = self._now()
        late = [number for number in open_ones if outcomes.too_late(item.steps[number], item, now)]
        if late:
            item = await self._note(item, late, [outcomes.TOO_LATE] * len(late))
        steps = item.steps
        due = [number for number in open_ones if steps[number].outcome is None and outcomes.is_due(steps[number], now)]
        self._tried.update(due)
        return item, [due] if len(due) == 1 else self._grouped(item, due)

    def _grouped(self, item: Item, numbers: Sequence[int]) -> list[Sequence[int]]:
        groups: dict[Hashable, list[int]] = {}
        most: dict[Hashable, int] = {}
        for number in numbers:
            step = item.steps[number].step
            performer: Any = self._performers.of(step)
            if performer is not None and IManyStepsPerformer.providedBy(performer):
                key: Hashable = performer.group(step)
                most[key] = performer.together or len(numbers)
            else:
                key, most[number] = number, 1
            groups.setdefault(key, []).append(number)
        return [
            group[start : start + most[key]]
            for key, group in groups.items()
            for start in range(0, len(group), most[key])
        ]

    async def _attempt(self, item: Item, numbers: Sequence[int]) -> Sequence[Outcome]:
        states = [item.steps[number] for number in numbers]
        performer: IStepPerformer | None = self._performers.of(states[0].step)
        try:
            if performer is None:
                return [outcomes.NO_PERFORMER] * len(states)
            if len(states) == 1:
                return [await performer.perform(item, states[0])]
            many: Any = performer
            results: Sequence[Outcome] = await many.perform_many(item, states)
            return results
        except Trouble as trouble:
            self._journal.trouble(f"performing {states[0].step!r} of {item.trace}", trouble)
            return [outcomes.of_trouble(trouble)] * len(states)
        except Exception as error:
            raise Surprise(f"performing {states[0].step!r}") from error

    async def _note(self, item: Item, numbers: Sequence[int], results: Sequence[Outcome]) -> Item:
        noting = partial(outcomes.noted, item, numbers, results, self._now(), self._book.site)
        noted: Item = noting() if len(numbers) <= MANY else await self._threads.run(noting)
        for number, outcome in zip(numbers, results, strict=True):
            self._tell(item.trace, noted.steps[number], outcome)
        return noted

    def _tell(self, trace: str, state: StepState, attempt: Outcome) -> None:
        outcome = state.outcome
        if outcome is None:
            if attempt.kind == "try-again":
                self._journal.postponed(trace, state.step, attempt.why, state.next_at)
        elif outcome.kind == "failed":
            self._journal.failed(trace, state.step, outcome.status, outcome.why)
        elif type(state.step) in RULES:
            self._journal.performed(trace, state.step, outcome.remote_mta or outcome.status)

    async def _shunt(self, error: Exception) -> None:
        self._journal.trouble(f"working on {self.trace}: shunted", error)
        why = "".join(traceback.format_exception(error))
        try:
            await self._queue.shunt(self.trace, why)
        except OSError as trouble:
            self._journal.trouble(f"shunting {self.trace}", trouble)
            await self._queue.release(self.trace, self._now() + SPOOL_TROUBLE_S)
        else:
            self._journal.shunted(self.trace, str(error))


def phase_of(step: Step) -> int:
    return _PHASES.get(type(step), WAYS_ON)
