"""How long a step may wait, and when somebody must look at it whatever its hop does: expiry, delay notice. Pure.

Knows the site's patience, future release (RFC 4865) and deliver-by (RFC 2852); refuses to know attempts and reports.

Note *The clock starts at the release*. A message that was to be held back until a moment has waited for nobody before.
"""

from __future__ import annotations

from unitymail.interfaces.spool import Item, StepState
from unitymail.routing.steps import BadMail, Deliver, LearnContact, Report, Step
from unitymail.settings.site import SiteSettings

OWN_PATIENCE_S = 2 * 24 * 3600
"""How long steps on this node are retried at least: our own trouble is no reason to return mail at once."""
OWN_STEPS = (Deliver, Report, BadMail, LearnContact)
UNTOLD = (Report, BadMail, LearnContact)
"""Steps of which the sender hears nothing."""


def began(item: Item) -> float:
    return max(item.arrived, item.envelope.hold_until or 0.0)


def patience(step: Step, site: SiteSettings) -> float:
    """For how many seconds a message is worth another attempt at this step."""
    if isinstance(step, OWN_STEPS):
        return max(site.relay_retry_for, OWN_PATIENCE_S)
    return site.relay_retry_for


def must_return_at(item: Item, step: Step) -> float | None:
    """When the sender wants the message back rather than delivered late."""
    if isinstance(step, UNTOLD) or item.envelope.deliver_by_mode != "R":
        return None
    return item.envelope.deliver_by


def deadline(item: Item, step: Step, site: SiteSettings) -> float:
    """After this no further attempt is made."""
    expiry = began(item) + patience(step, site)
    by = must_return_at(item, step)
    return expiry if by is None else min(expiry, by)


def tried_until(item: Item, site: SiteSettings) -> float:
    """Until when those of its steps that wait are tried, as a notice of delay says."""
    waiting = (state.step for state in item.steps if state.outcome is None and not isinstance(state.step, UNTOLD))
    ends = (deadline(item, step, site) for step in waiting)
    return max(ends, default=began(item) + site.relay_retry_for)


def notices_at(item: Item, step: Step, site: SiteSettings) -> tuple[float, ...]:
    """The moments at which the sender may hear that the step waits: after some hours, and one of the sender's own.

    Who wants no notices of delay wants that of a deliver-by time none the less: either may be the one that is due.
    """
    if isinstance(step, UNTOLD):
        return ()
    after_hours = began(item) + site.relay_delay_notice if site.relay_delay_notice else None
    own = item.envelope.deliver_by if item.envelope.deliver_by_mode == "N" else None
    return tuple(moment for moment in (after_hours, own) if moment is not None)


def look_at(item: Item, state: StepState, site: SiteSettings, now: float) -> float:
    """The next moment after `now` when the waiting step must be looked at even if it cannot be tried; 0.0 for none."""
    moments = (deadline(item, state.step, site), *notices_at(item, state.step, site))
    return min((moment for moment in moments if moment > now), default=0.0)
