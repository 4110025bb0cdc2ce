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
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from errno import ENOENT
from functools import partial
from typing import Any

from twisted.internet.defer import ensureDeferred

from unitymail.courier import outcomes
from unitymail.courier.arrivals import Arrivals
from unitymail.courier.perform import Performers
from unitymail.courier.reports import addressed_as, owes_nothing, why_undeliverable, with_reports
from unitymail.courier.waiting import waiting
from unitymail.interfaces.book import IBook
from unitymail.interfaces.errors import Never, Trouble
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import IQueue, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.routing.decision import Decision
from unitymail.routing.steps import Deliver, Report
from unitymail.routing.telling import name_of
from unitymail.routing.undeliverable import keeper_of

SPOOL_TROUBLE_S = 60.0
LASTING = (None, ENOENT)
"""A file that is gone, or not what it was (said by ourselves, without a number), will not mend by waiting."""
MANY = 100
"""More steps are looked at in a thread, and told of so many in a turn: turns of the reactor stay short."""

DELIVERIES, WAYS_ON, REPORTS = range(3)
"""The phases of a run."""
_PHASES: dict[type[Any], int] = {Deliver: DELIVERIES, Report: REPORTS}


class Surprise(Exception):
    """A performer raised what nobody expected."""


@dataclass(frozen=True, slots=True)
class Means:
    """What all runs of a courier work with.

    `decide` gives the decision about an item that has no steps yet (blocking); `opens_at` as of Destinations. `done`
    hears when nothing is left to do but to write that. `rest` gives others a turn of the reactor.
    """

    queue: IQueue
    performers: Performers
    threads: IThreads
    book: IBook
    journal: IJournal
    now: Callable[[], float]
    decide: Callable[[Item], Decision]
    opens_at: Callable[[str, float], float]
    done: Callable[[str], None]
    rest: Callable[[], Awaitable[Any]]


class Run:
    def __init__(self, trace: str, means: Means) -> None:
        self.trace = trace
        self._means = means
        self._queue = means.queue
        self._journal = means.journal
        self._tried: set[int] = set()
        self._written: tuple[StepState, ...] = ()
        self._known: Item | None = None

    async def perform(self) -> None:
        """From claim to release. What goes wrong with the item is in the journal."""
        item = await self._claimed()
        if item is None:
            return
        try:
            await self._carry_out(item)
        except OSError as error:
            # The spool itself cannot be written: nothing is wrong with the item.
            self._journal.trouble(f"writing what became of {self.trace}", error)
            await self._queue.release(self.trace, self._means.now() + SPOOL_TROUBLE_S)
        except Exception as error:
            await self._put_aside(error)

    async def _claimed(self) -> Item | None:
        try:
            return await self._queue.claim(self.trace)
        except Never as error:
            await self._shunt(error)
        except OSError as error:
            self._journal.trouble(f"claiming {self.trace}", error)
        except Exception as error:
            # Nobody expected it, so the queue has not taken the item back.
            self._journal.trouble(f"claiming {self.trace}", error)
            await self._queue.release(self.trace, self._means.now() + SPOOL_TROUBLE_S)
        return None

    async def _carry_out(self, item: Item) -> None:
        self._written, self._known, first_run = item.steps, item, item.fresh
        if not item.steps:
            item = await self._decided(item)
        item = await self._perform(item, DELIVERIES, WAYS_ON)
        if not await self._quickly(item, partial(owes_nothing, item)):
            item = await self._see_to_reports(item, first_run=first_run)
            item = await self._perform(item, REPORTS)
            if any(state.outcome is None for state in item.steps):
                return await self._let_go(item)
        self._means.done(self.trace)
        await self._queue.finish(item)

    async def _decided(self, item: Item) -> Item:
        """What came back from bad mail is decided anew."""
        decision: Decision = await self._means.threads.run(self._means.decide, item)
        self._journal.decided(item.trace, decision)
        item = replace(item, steps=tuple(map(StepState, decision.steps)))
        await self._write(item)
        return item

    async def _see_to_reports(self, item: Item, *, first_run: bool) -> Item:
        """Add what is to be told and kept; who keeps the undeliverable may fail as well."""
        while True:
            seeing = partial(with_reports, item, self._means.now(), self._means.book, first_run=first_run)
            fuller: Item = await self._quickly(item, seeing)
            self._known = fuller
            if any(state.outcome is None for state in fuller.steps):
                await self._write(fuller)
            if keeper := keeper_of(state.step for state in fuller.steps[len(item.steps) :]):
                self._journal.undeliverable(item.trace, why_undeliverable(item), keeper)
            if len(fuller.steps) == len(item.steps):
                return fuller
            item = await self._perform(fuller, DELIVERIES, WAYS_ON)

    async def _let_go(self, item: Item) -> None:
        await self._write(item)
        now, means = self._means.now(), self._means
        when = await self._quickly(item, partial(waiting, item, now, means.book, means.opens_at))
        await self._queue.release(self.trace, when.next_at, when.hop, when.at_latest)

    async def _write(self, item: Item) -> None:
        if item.steps != self._written:
            await self._queue.record(item)
            self._written = item.steps

    async def _quickly(self, item: Item, work: Callable[[], Any]) -> Any:
        """In a thread for an item that would take long."""
        return work() if len(item.steps) <= MANY else await self._means.threads.run(work)

    async def _perform(self, item: Item, *phases: int) -> Item:
        """What is due, phase after phase; what its sender wants back by now has failed.

        Of this phase only: what fails while reports are under way is for the next run to tell.
        """
        for phase in phases:
            now = self._means.now()
            late, due, groups = await self._quickly(item, partial(self._chosen, item, phase, now))
            self._tried.update(due)
            if late:
                item = await self._note(item, late, [outcomes.TOO_LATE] * len(late))
            if len(groups) == 1:
                item = await self._note(item, due, await self._attempt(item, due))
            elif groups:
                item = await self._side_by_side(item, groups)
        return item

    def _chosen(self, item: Item, phase: int, now: float) -> tuple[list[int], list[int], Sequence[Sequence[int]]]:
        """Of the open steps of a phase who comes too late, who is due, and the groups that these go in."""
        late, due = [], []
        returns = item.envelope.deliver_by_mode == "R"
        for number in self._open(item, phase):
            state = item.steps[number]
            if returns and outcomes.too_late(state, item, now):
                late.append(number)
            elif outcomes.is_due(state, now):
                due.append(number)
        return late, due, self._means.performers.grouped(item.steps, due) if due else ()

    def _open(self, item: Item, phase: int) -> list[int]:
        """Each step once in a run."""
        return [
            number
            for number, state in enumerate(item.steps)
            if state.outcome is None
            and _PHASES.get(type(state.step), WAYS_ON) == phase
            and number not in self._tried
        ]

    async def _side_by_side(self, item: Item, groups: Sequence[Sequence[int]]) -> Item:
        arrivals: Arrivals[tuple[Sequence[int], Sequence[Outcome] | Surprise]] = Arrivals(len(groups))
        for numbers in groups:
            ensureDeferred(self._bring(item, numbers, arrivals))
        surprise: Surprise | None = None
        noted = 0
        while await arrivals.some():
            for numbers, results in arrivals.take():
                if isinstance(results, Surprise):
                    surprise = results
                    continue
                if noted >= MANY:
                    noted = 0
                    await self._means.rest()
                item = await self._note(item, numbers, results)
                noted += len(numbers)
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

    async def _attempt(self, item: Item, numbers: Sequence[int]) -> Sequence[Outcome]:
        states = [item.steps[number] for number in numbers]
        try:
            results = await self._means.performers.perform(item, states)
        except (Trouble, OSError) as error:
            if isinstance(error, OSError) and error.errno in LASTING:
                raise Surprise(_performing(states)) from error
            self._journal.trouble(f"{_performing(states)} of {item.trace}", error)
            return [outcomes.of_trouble(error)] * len(states)
        except Exception as error:
            raise Surprise(_performing(states)) from error
        if len(results) != len(states):
            raise Surprise(f"{_performing(states)}: {len(results)} outcomes for {len(states)} steps")
        return results

    async def _note(self, item: Item, numbers: Sequence[int], results: Sequence[Outcome]) -> Item:
        noting = partial(outcomes.noted, item, numbers, results, self._means.now(), self._means.book.site)
        noted: Item = noting() if len(numbers) <= MANY else await self._means.threads.run(noting)
        self._known = noted
        told = 0
        for number, result in zip(numbers, results, strict=True):
            if result.kind != "done":
                if told and told % MANY == 0:
                    await self._means.rest()
                self._tell(noted.steps[number], result)
                told += 1
        return noted

    def _tell(self, state: StepState, attempt: Outcome) -> None:
        """What went well was told by who did it."""
        outcome = state.outcome
        if outcome is not None:
            self._journal.failed(self.trace, state.step, outcome.status, outcome.why)
        elif attempt.kind == "try-again":
            self._journal.postponed(self.trace, state.step, attempt.why, state.next_at)

    async def _put_aside(self, error: Exception) -> None:
        """With what was done written in it: who sends it back in does not have it done again."""
        if self._known is not None:
            # Perhaps it is this writing that fails in a way nobody expected.
            with suppress(Exception):
                await self._write(self._known)
        await self._shunt(error)

    async def _shunt(self, error: Exception) -> None:
        self._journal.trouble(f"working on {self.trace}: shunted", error)
        why = "".join(traceback.format_exception(error))
        try:
            await self._queue.shunt(self.trace, why)
        except OSError as trouble:
            self._journal.trouble(f"shunting {self.trace}", trouble)
            await self._queue.release(self.trace, self._means.now() + SPOOL_TROUBLE_S)
        else:
            self._journal.shunted(self.trace, str(error))


def _performing(states: Sequence[StepState]) -> str:
    """For the journal: of a group its first."""
    step = states[0].step
    others = f" and {len(states) - 1} more" if len(states) > 1 else ""
    return f"performing {name_of(step)} {addressed_as(step)}".rstrip() + others
