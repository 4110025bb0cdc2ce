"""Messages of the queue as facts: what is left of each to do, for whom, when, and why it has not been done yet.

Knows what a list and a page of one message show, and which messages an administrator means; refuses to know how they
are changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from unitymail.admin.operations.moments import utc
from unitymail.admin.operations.outcome import Facts
from unitymail.interfaces.spool import Changed, Item, Outcome, StepState
from unitymail.mail.address import key_of, split
from unitymail.routing.hops import waits_for
from unitymail.routing.steps import Report, Step
from unitymail.routing.telling import name_of, step_facts


def left(item: Item) -> tuple[StepState, ...]:
    """The steps that are still to be done."""
    return tuple(state for state in item.steps if state.outcome is None)


def recipient_of(step: Step) -> str:
    """Whom it is for, as the sender wrote it; "" for steps of our own."""
    if isinstance(step, Report):
        return ""
    return getattr(step, "original", "") or getattr(step, "to", "")


def recipients_left(item: Item) -> list[str]:
    """Who does not have it yet; before anything is decided, everybody."""
    if not item.steps:
        return [recipient.address for recipient in item.envelope.recipients]
    return [address for state in left(item) if (address := recipient_of(state.step))]


def is_for(item: Item, domain: str) -> bool:
    """Whether somebody at this domain (or with this whole address) does not have it yet."""
    wanted = key_of(domain.removeprefix("@"))
    addresses = {key_of(address) for address in recipients_left(item)}
    addresses |= {key_of(to) for state in left(item) if isinstance(to := getattr(state.step, "to", None), str)}
    return wanted in addresses or wanted in {split(address)[1] for address in addresses}


def chosen(items: Iterable[Item], domain: str | None, *, held: bool = False) -> Iterator[Item]:
    """Those that are meant: for a domain, when given; only held ones, when asked."""
    return (item for item in items if (domain is None or is_for(item, domain)) and (item.held or not held))


def item_facts(item: Item, now: float, *, tried: bool) -> Facts:
    """A line of the list; `tried` says that somebody works on it."""
    waiting = left(item)
    return {
        "trace": item.trace,
        "sender": item.envelope.sender or "<>",
        "recipients": recipients_left(item),
        "steps": sorted({name_of(state.step) for state in waiting}) or ["decide"],
        "next_hop": waits_for(state.step for state in waiting),
        "attempts": max((state.attempts for state in waiting), default=0),
        "next_at": None if item.held else _moment(min((state.next_at for state in waiting), default=0.0)),
        "being_tried": tried,
        "age": int(max(0.0, now - item.arrived)),
        "size": item.size,
        "held": item.held,
        "last_error": last_error(item),
        "subject": item.subject,
        "priority": priority_of(item),
    }


def item_page(item: Item, now: float, *, tried: bool) -> Facts:
    """Everything about one message: the list's facts, what it is, and each step with what has come of it."""
    envelope = item.envelope
    return item_facts(item, now, tried=tried) | {
        "arrived": _moment(item.arrived),
        "message_id": item.message_id,
        "category": item.category,
        "sensitivity": item.sensitivity,
        "secure": item.secure,
        "origin_user": item.origin_user,
        "hold_until": _moment(envelope.hold_until or 0.0),
        "deliver_by": _moment(envelope.deliver_by or 0.0),
        "envelope": [
            {"address": one.address, "notify": sorted(one.notify) if one.notify is not None else None}
            for one in envelope.recipients
        ],
        "step_states": [_state_facts(state) for state in item.steps],
        "path": item.path,
    }


def last_error(item: Item) -> str:
    """Why what is left has not been done yet, as the newest attempts say."""
    reasons = [_in_words(state.last) for state in left(item) if state.last is not None]
    return "; ".join(dict.fromkeys(reasons))


def priority_of(item: Item) -> str:
    return "urgent" if item.priority > 0 else "low" if item.priority < 0 else "normal"


def change_facts(change: Changed, word: str) -> Facts:
    """What became of one message that an administrator named."""
    refusal = "" if change.refusal is None else str(change.refusal)
    return {"trace": change.trace, word: change.refusal is None, "refusal": refusal}


def _state_facts(state: StepState) -> Facts:
    facts: Facts = {
        "step": name_of(state.step),
        "to": recipient_of(state.step),
        "state": "waits" if state.outcome is None else state.outcome.kind,
        "attempts": state.attempts,
        "next_at": _moment(state.next_at) if state.outcome is None else None,
    }
    if state.outcome is not None:
        facts["outcome"] = _outcome_facts(state.outcome)
    if state.last is not None:
        facts["last"] = _outcome_facts(state.last)
    return facts | {"about": step_facts(state.step)}


def _outcome_facts(outcome: Outcome) -> dict[str, Any]:
    facts = {
        "status": outcome.status, "why": outcome.why, "diagnostic": outcome.diagnostic,
        "remote_mta": outcome.remote_mta,
    }  # fmt: skip
    return {name: value for name, value in facts.items() if value}


def _in_words(outcome: Outcome) -> str:
    """The remote system's own words where there are some; ours name it where it matters."""
    if outcome.diagnostic:
        return f"{outcome.remote_mta}: {outcome.diagnostic}" if outcome.remote_mta else outcome.diagnostic
    return outcome.why or outcome.status


def _moment(seconds: float) -> str | None:
    """None for no certain time."""
    return utc(seconds) if seconds else None
