"""What is asked of the history of messages, and what is told to scripts. Refuses to know how people read it.

Addresses are people: whoever has an address here is looked for under all of them, and as the owner of a mailbox that a
list reached.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from unitymail.admin.operations.moments import utc
from unitymail.admin.operations.outcome import Facts
from unitymail.interfaces.directory import IDirectoryView, Refused
from unitymail.interfaces.history import Event, Story
from unitymail.interfaces.spool import Item, StepState
from unitymail.routing.telling import step_facts

UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_AGO = re.compile(r"([0-9]{1,6})\s*([mhdw])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Search:
    """`since` in Unix seconds, 0.0 for as far as the history goes back."""

    message_id: str = ""
    sender: str = ""
    recipient: str = ""
    since: float = 0.0

    def in_words(self) -> str:
        """What was searched, and how far back."""
        parts = [
            f"{words} {value}"
            for words, value in (
                ("with the Message-ID", self.message_id), ("from", self.sender), ("to", self.recipient),
            )
            if value
        ]
        return " ".join(parts) + (f" since {local(self.since)}" if self.since else "")


def moment(text: str, now: float) -> float:
    """`90m`, `2h`, `3d`, `1w` ago, or a date and time, local where it names no zone. Raises ValueError."""
    if ago := _AGO.fullmatch(text.strip()):
        return now - int(ago[1]) * UNITS[ago[2].lower()]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is no time: 90m, 2h, 3d, 1w (ago), 2026-11-25 or 2026-11-25T13:07") from None


def local(when: float) -> str:
    """A time as people here read it."""
    return datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M:%S")


def search(history: Any, view: IDirectoryView, wanted: Search, most: int) -> list[Story]:
    """The newest stories that fit, newest first."""
    senders, recipients = _all_names(view, wanted.sender), _all_names(view, wanted.recipient)
    found: list[Story] = history.find(
        message_id=wanted.message_id, sender=senders, recipient=recipients, since=wanted.since, most=most
    )
    return found


def _all_names(view: IDirectoryView, address: str) -> tuple[str, ...]:
    """All addresses of who has this one (an alias will do), and the id that names the mailbox."""
    if not address:
        return ()
    owner = view.owner_of(address) if "@" in address else view.entry_named(address)
    if owner is None:
        return (address if "@" in address else f"{address}@{view.identity.domain}",)
    return tuple(dict.fromkeys([address, *(owned.address for owned in view.addresses_of(owner.id)), owner.id]))


def nothing_found(what: str, days: int) -> Refused:
    """The sentence for an empty answer."""
    return Refused(f"Nothing is known of {what}. Stories are kept for {days} days (site setting trace_days).")


def event_facts(event: Event) -> Facts:
    """One event for scripts: time (ISO 8601, UTC), event, then what is known of it."""
    return {"time": utc(event.time, "milliseconds"), "event": event.event, **event.facts}


def waiting(item: Item, now: float, *, tried: bool) -> Event:
    """What has still to happen to a message in the queue, as if it were an event of now.

    `tried` says that somebody works on it: on the steps that are due at least.
    """
    open_steps = [state for state in item.steps if state.outcome is None]
    steps = [_waiting(state, tried=tried and state.next_at <= now) for state in open_steps]
    facts: Facts = {"trace": item.trace, "held": item.held, "being_tried": tried, "steps": steps}
    return Event(now, "waiting", facts)


def _waiting(state: StepState, *, tried: bool) -> Facts:
    facts = next(iter(step_facts(state.step)), {"step": "report"})
    next_at = utc(state.next_at) if state.next_at else None
    facts |= {"attempts": state.attempts, "next_at": next_at, "being_tried": tried}
    last = getattr(state, "last", None)
    return facts | ({"last": f"{last.status} {last.why}"} if last is not None else {})


def summary(story: Story) -> Facts:
    """A line of the table of several matches."""
    decided = next((event.facts for event in story.events if event.event == "decided"), {})
    return {
        "time": local(story.events[0].time),
        "trace": story.trace,
        "from": story.sender or "<>",
        "to": _few(story.recipients),
        "subject": decided.get("subject", ""),
        "latest": story.events[-1].event,
    }


def _few(recipients: tuple[str, ...]) -> str:
    more = f" and {len(recipients) - 2} more" if len(recipients) > 2 else ""
    return " ".join(recipients[:2]) + more
