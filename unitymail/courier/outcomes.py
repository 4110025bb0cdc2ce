"""What an attempt means for its step: done, failed, again at a certain time, or given up. Pure.

Knows the schedule and the site's patience; refuses to know how a step is performed or who is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unitymail.courier.retry import OWN_PATIENCE_S, delay
from unitymail.interfaces.errors import Trouble, TryAgain
from unitymail.interfaces.spool import Item, Outcome, StepState
from unitymail.routing.steps import BadMail, Deliver, Report, Step
from unitymail.settings.site import SiteSettings

EXPIRED = "4.4.7"
NO_PERFORMER = Outcome("failed", "5.3.5", "This mail system is not set up to send messages to this destination.")
OWN_STEPS = (Deliver, Report, BadMail)


def noted(item: Item, numbers: Sequence[int], results: Sequence[Outcome], now: float, site: SiteSettings) -> Item:
    """The item once these of its steps were attempted."""
    steps = list(item.steps)
    for number, outcome in zip(numbers, results, strict=True):
        steps[number] = after(steps[number], outcome, item, now, site)
    return replace(item, steps=tuple(steps), fresh=False)


def after(state: StepState, outcome: Outcome, item: Item, now: float, site: SiteSettings) -> StepState:
    """The step as it is once this attempt is over."""
    if outcome.kind == "later":
        return replace(state, next_at=outcome.again_at)
    attempts = state.attempts + 1
    if outcome.kind != "try-again":
        return replace(state, attempts=attempts, next_at=0.0, outcome=outcome)
    deadline = item.arrived + patience(state.step, site)
    if now >= deadline:
        return replace(state, attempts=attempts, next_at=0.0, outcome=given_up(outcome))
    return replace(state, attempts=attempts, next_at=min(now + delay(attempts), deadline))


def patience(step: Step, site: SiteSettings) -> float:
    """For how many seconds after its arrival a message is worth another attempt at this step."""
    if isinstance(step, OWN_STEPS):
        return max(site.relay_retry_for, OWN_PATIENCE_S)
    return site.relay_retry_for


def given_up(outcome: Outcome) -> Outcome:
    """The failure after too many passing ones: it keeps the status of the real cause (message-formats.md 7)."""
    specific = outcome.status[:2] in ("4.", "5.") and outcome.status != "4.0.0"
    return replace(outcome, kind="failed", status=outcome.status if specific else EXPIRED, again_at=0.0)


def of_trouble(trouble: Trouble) -> Outcome:
    """A performer that raised an infrastructure failure meant this."""
    kind = "try-again" if isinstance(trouble, TryAgain) else "failed"
    return Outcome(kind, trouble.reply.enhanced, trouble.reply.text)  # type: ignore[arg-type]
