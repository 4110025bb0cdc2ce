"""One run over one item: perform what is due, write each outcome before the next, see to reports, let go.

Knows the order and what an exception means; refuses to know how steps are performed or which item is next.

Note *Told, then asked*. A performer may be asked again for what it has done, after a crash between the deed and the
writing of its outcome. Twice is harmless: names, traces and ids are derived from the item.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from unitymail.courier import outcomes
from unitymail.courier.reports import with_reports
from unitymail.interfaces.book import IBook
from unitymail.interfaces.errors import Never, Trouble
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import IManyStepsPerformer, IQueue, IStepPerformer, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.routing.steps import Report, Step

SPOOL_TROUBLE_S = 60.0
MANY = 100
"""Steps whose outcomes are noted in a thread: a turn of the reactor stays short."""


class Surprise(Exception):
    """A performer raised what nobody expected."""


class Run:
    """`decide` gives the steps of an item that nobody has decided on yet (blocking)."""

    def __init__(
        self, trace: str, *, queue: IQueue, performers: Mapping[type[Any], IStepPerformer], threads: IThreads,
        book: IBook, journal: IJournal, now: Callable[[], float], decide: Callable[[Item], tuple[Step, ...]],
    ) -> None:
        self.trace = trace
        self._queue = queue
        self._performers = performers
        self._threads = threads
        self._book = book
        self._journal = journal
        self._now = now
        self._decide = decide

    async def perform(self) -> None:
        """From claim to release. Raises nothing: what goes wrong is in the journal."""
        try:
            item = await self._threads.run(self._queue.claim, self.trace)
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
            await self._threads.run(self._queue.release, self.trace, self._now() + SPOOL_TROUBLE_S)
        except Exception as error:
            await self._shunt(error)

    async def _carry_out(self, item: Item) -> None:
        if not item.steps:
            steps = await self._threads.run(self._decide, item)
            item = replace(item, steps=tuple(StepState(step) for step in steps))
            if steps:
                await self._threads.run(self._queue.record, item)
        fresh = item.fresh
        item = await self._perform_due(item, reports=False)
        item = await self._see_to_reports(item, first_run=fresh)
        item = await self._perform_due(item, reports=True)
        if any(state.outcome is None for state in item.steps):
            next_at = min(state.next_at for state in item.steps if state.outcome is None)
            await self._threads.run(self._queue.release, self.trace, next_at)
        else:
            await self._threads.run(self._queue.finish, item)

    async def _see_to_reports(self, item: Item, *, first_run: bool) -> Item:
        fuller = with_reports(item, self._now(), self._book, first_run=first_run)
        if fuller is item:
            return item
        await self._threads.run(self._queue.record, fuller)
        return await self._perform_due(fuller, reports=False)

    async def _perform_due(self, item: Item, *, reports: bool) -> Item:
        """Each due step in turn; many of one kind together where their performer wants it so."""
        while True:
            due = self._due(item, reports)
            if not due:
                return item
            first = item.steps[due[0]]
            performer = self._performers.get(type(first.step))
            if performer is not None and IManyStepsPerformer.providedBy(performer):
                together = [n for n in due if type(item.steps[n].step) is type(first.step)]
            else:
                together = due[:1]
            states = [item.steps[n] for n in together]
            results = await self._attempt(performer, item, states)
            item = await self._note(item, together, results)
            if any(state.outcome is None for state in item.steps) or _may_need_reports(item):
                await self._threads.run(self._queue.record, item)

    def _due(self, item: Item, reports: bool) -> list[int]:
        now = self._now()
        return [
            number
            for number, state in enumerate(item.steps)
            if state.outcome is None and state.next_at <= now and isinstance(state.step, Report) is reports
        ]

    async def _attempt(
        self, performer: IStepPerformer | None, item: Item, states: Sequence[StepState]
    ) -> Sequence[Outcome]:
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
        if state.outcome is None:
            self._journal.postponed(trace, state.step, attempt.why, state.next_at)
        elif state.outcome.kind == "failed":
            self._journal.failed(trace, state.step, state.outcome.status, state.outcome.why)

    async def _shunt(self, error: Exception) -> None:
        self._journal.trouble(f"working on {self.trace}: shunted", error)
        why = "".join(traceback.format_exception(error))
        try:
            await self._threads.run(self._queue.shunt, self.trace, why)
        except OSError as trouble:
            self._journal.trouble(f"shunting {self.trace}", trouble)
            await self._threads.run(self._queue.release, self.trace, self._now() + SPOOL_TROUBLE_S)
        else:
            self._journal.shunted(self.trace, str(error))


def _may_need_reports(item: Item) -> bool:
    return any(state.outcome is not None and state.outcome.kind == "failed" for state in item.steps)
