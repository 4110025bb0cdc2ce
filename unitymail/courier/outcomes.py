"""What an attempt means for its step: done, failed, again at a certain time, or given up. Pure.

Knows the schedule and when patience ends; refuses to know how a step is performed or who is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from operator import attrgetter

from unitymail.courier.patience import began, deadline, must_return_at
from unitymail.courier.retry import delay
from unitymail.courier.scratch import FULL
from unitymail.interfaces.errors import DISK_FULL, Trouble, TryAgain
from unitymail.interfaces.spool import Item, Outcome, StepState
from unitymail.mail.duration import in_words
from unitymail.settings.site import SiteSettings

EXPIRED = "4.4.7"
FINAL = {"4.7.4": "5.7.4"}
"""Passing causes that have another name once they are final (message-formats.md 7)."""
NO_PERFORMER = Outcome("failed", "5.3.5", "This mail system is not set up to send messages to this destination.")
TOO_LATE = Outcome("failed", "5.4.7", "The message could not be delivered in the time that its sender gave for it.")


def noted(item: Item, numbers: Sequence[int], results: Sequence[Outcome], now: float, site: SiteSettings) -> Item:
    """The item once these of its steps were attempted."""
    steps = list(item.steps)
    for number, outcome in zip(numbers, results, strict=True):
        steps[number] = after(steps[number], outcome, item, now, site)
    return _with_steps(item, tuple(steps))


_NAMES = tuple(field.name for field in fields(Item))
_values = attrgetter(*_NAMES)
_STEPS, _FRESH = _NAMES.index("steps"), _NAMES.index("fresh")


def _with_steps(item: Item, steps: tuple[StepState, ...]) -> Item:
    """As `replace` in a third of its time: every attempt makes a new item."""
    values = list(_values(item))
    values[_STEPS], values[_FRESH] = steps, False
    return Item(*values)


def after(state: StepState, outcome: Outcome, item: Item, now: float, site: SiteSettings) -> StepState:
    """The step as it is once this attempt is over."""
    if outcome.kind == "later":
        return _waits(state, outcome, item, now, site)
    attempts = state.attempts + 1
    if outcome.kind != "try-again":
        return StepState(state.step, attempts, 0.0, outcome, state.last)
    end = deadline(item, state.step, site)
    if now >= end:
        return replace(state, attempts=attempts, next_at=0.0, outcome=_at_the_end(state, outcome, item, now))
    again = outcome.again_at or now + delay(attempts)
    return replace(state, attempts=attempts, next_at=min(again, end), last=outcome)


def _waits(state: StepState, outcome: Outcome, item: Item, now: float, site: SiteSettings) -> StepState:
    """Not attempted. Who waits for a hop that is down is given up in time; who waits for room is not."""
    if is_cause(outcome) and now >= deadline(item, state.step, site):
        return replace(state, next_at=0.0, outcome=_at_the_end(state, outcome, item, now))
    return replace(state, next_at=outcome.again_at or state.next_at)


def _at_the_end(state: StepState, outcome: Outcome, item: Item, now: float) -> Outcome:
    if too_late(state, item, now):
        return replace(TOO_LATE, diagnostic=outcome.diagnostic, remote_mta=outcome.remote_mta)
    return given_up(outcome, now - began(item))


def waits_for_hop(state: StepState) -> bool:
    """Whether its time is a guess at when its hop, which is down, may be tried: it goes as soon as that is open."""
    return state.last is not None and 0.0 < state.last.again_at == state.next_at


def is_due(state: StepState, now: float) -> bool:
    return state.next_at <= now or waits_for_hop(state)


def too_late(state: StepState, item: Item, now: float) -> bool:
    """Whether the sender wants the message back by now (RFC 2852, mode R)."""
    by = must_return_at(item, state.step)
    return by is not None and now >= by


def is_cause(outcome: Outcome) -> bool:
    """Whether the outcome says what is wrong."""
    return outcome.status[:2] in ("4.", "5.")


def given_up(outcome: Outcome, waited_s: float) -> Outcome:
    """The failure after too many passing ones: it keeps the status of the real cause (message-formats.md 7)."""
    why = f"{outcome.why} This mail system tried for {in_words(waited_s)}." if waited_s >= 60 else outcome.why
    specific = is_cause(outcome) and outcome.status != "4.0.0"
    status = FINAL.get(outcome.status, outcome.status) if specific else EXPIRED
    return replace(outcome, kind="failed", status=status, why=why.strip(), again_at=0.0)


def of_trouble(trouble: Trouble | OSError) -> Outcome:
    """A performer that raised an infrastructure failure meant this; a disk that fails is no fault of the message."""
    if isinstance(trouble, OSError):
        trouble = TryAgain(DISK_FULL if trouble.errno in FULL else None)
    kind = "try-again" if isinstance(trouble, TryAgain) else "failed"
    return Outcome(kind, trouble.reply.enhanced, trouble.reply.text)  # type: ignore[arg-type]
