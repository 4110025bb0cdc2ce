"""An item as readable JSON, and back: the form of envelope files and of the records in the commit journal.

Knows every field of items, envelopes and steps; refuses to know where the text is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from unitymail.interfaces.spool import Item, Outcome, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.routing.steps import (
    BadMail,
    Convert,
    Deliver,
    HandOver,
    LearnContact,
    RelayToSmartHost,
    RelayToUser,
    Report,
    Step,
)

STEP_NAMES: dict[type[Any], str] = {
    Deliver: "deliver",
    Convert: "convert",
    RelayToSmartHost: "relay-to-smart-host",
    RelayToUser: "relay-to-user",
    HandOver: "hand-over",
    Report: "report",
    BadMail: "bad-mail",
    LearnContact: "learn-contact",
}
"""The names of steps as `unitymail explain` prints them."""

_STEPS = {name: kind for kind, name in STEP_NAMES.items()}
_PLAIN = tuple(
    f.name for f in fields(Item) if f.name not in ("path", "envelope", "steps", "fresh", "received", "content")
)
_KNOWN = frozenset(_PLAIN)
_plain = attrgetter(*_PLAIN)
_compact = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode
_lines = json.JSONEncoder(ensure_ascii=False, separators=(",\n ", ": ")).encode


class Unreadable(ValueError):
    """The text is not an item's form (or one of a later version)."""


def write_form(item: Item) -> bytes:
    """One line a field, one line a recipient and step: a person can read it, grep finds whole steps."""
    facts = _lines(_facts(item))
    text = (
        f'{{\n {facts[1:-1]},\n "envelope": {_compact(_of_envelope(item.envelope))},\n'
        f' "recipients": [{_rows(map(_of_recipient, item.envelope.recipients))}],\n'
        f' "steps": [{_rows(map(of_state, item.steps))}]\n}}\n'
    )
    return text.encode("utf-8", "surrogatepass")


def write_line(item: Item) -> bytes:
    """The same on one line, for the commit journal: every message has one, few are ever read."""
    return _compact({
        **_facts(item),
        "envelope": _of_envelope(item.envelope),
        "recipients": [_of_recipient(recipient) for recipient in item.envelope.recipients],
        "steps": [of_state(state) for state in item.steps],
    }).encode("utf-8", "surrogatepass")


def _facts(item: Item) -> dict[str, Any]:
    facts = dict(zip(_PLAIN, _plain(item), strict=True))
    if item.received:
        facts["received"] = item.received.decode("utf-8", "surrogateescape")
    return facts


def _rows(rows: Iterable[dict[str, Any]]) -> str:
    return ",".join("\n  " + _compact(row) for row in rows)


ContentOf = Callable[[int, int, Sequence[StepState]], bytes]
"""What to keep as `content` of a message of so many octets, with so long a head and these steps."""


def no_content(size: int, head: int, steps: Sequence[StepState]) -> bytes:
    return b""


def read_form(octets: bytes, path: str, content_of: ContentOf = no_content) -> Item:
    """The item whose message file is `path`; what an older version did not know has its default. Raises Unreadable."""
    try:
        form = json.loads(octets.decode("utf-8", "surrogatepass"))
        envelope = _to_envelope(form.pop("envelope"), form.pop("recipients"))
        steps = tuple(map(to_state, form.pop("steps")))
        received = form.pop("received", "").encode("utf-8", "surrogateescape")
        if not _KNOWN.issuperset(form):
            form = {name: form[name] for name in _PLAIN if name in form}
        content = content_of(form["size"], form["head"], steps)
        return Item(path=path, envelope=envelope, steps=steps, received=received, content=content, **form)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unreadable(f"{path}: {error!r}") from error


def _of_envelope(envelope: Envelope) -> dict[str, Any]:
    form = {f: v for f in _ENVELOPE if (v := getattr(envelope, f)) is not None and v is not False}
    if not envelope.priority:
        del form["priority"]
    return form


_ENVELOPE = tuple(f.name for f in fields(Envelope) if f.name != "recipients")


def _to_envelope(form: dict[str, Any], recipients: list[dict[str, Any]]) -> Envelope:
    return Envelope(recipients=tuple(map(_to_recipient, recipients)), **form)


def _of_recipient(recipient: Recipient) -> dict[str, Any]:
    form: dict[str, Any] = {"address": recipient.address}
    if recipient.notify is not None:
        form["notify"] = sorted(recipient.notify)
    if recipient.orcpt is not None:
        form["orcpt"] = recipient.orcpt
    return form


def _to_recipient(form: dict[str, Any]) -> Recipient:
    notify = form.get("notify")
    return Recipient(form["address"], None if notify is None else frozenset(notify), form.get("orcpt"))


def of_state(state: StepState) -> dict[str, Any]:
    """A step and what has happened to it so far, as envelope files and the commit journal hold it."""
    form = of_step(state.step)
    if state.attempts:
        form["attempts"] = state.attempts
    if state.next_at:
        form["next_at"] = state.next_at
    if state.outcome is not None:
        form["outcome"] = _set_fields(state.outcome)
    if state.last is not None:
        form["last"] = _set_fields(state.last)
    return form


def to_state(form: dict[str, Any]) -> StepState:
    outcome, last = _to_outcome(form.pop("outcome", None)), _to_outcome(form.pop("last", None))
    attempts, next_at = form.pop("attempts", 0), form.pop("next_at", 0.0)
    return StepState(to_step(form), attempts, next_at, outcome, last)


def _to_outcome(form: dict[str, Any] | None) -> Outcome | None:
    return None if form is None else Outcome(**form)


def _slots_of(kind: type[Any]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


_SLOTS = {kind: _slots_of(kind) for kind in STEP_NAMES}


def of_step(step: Step) -> dict[str, Any]:
    """{"step": name, field: value …}, as `explain --json` and the envelope files show it."""
    kind = type(step)
    form: dict[str, Any] = {"step": STEP_NAMES[kind]}
    for name in _SLOTS[kind]:
        form[name] = getattr(step, name)
    if isinstance(step, Report):
        form["fates"] = [_set_fields(fate) for fate in step.fates]
    return form


def to_step(form: dict[str, Any]) -> Step:
    kind: Callable[..., Step] = _STEPS[form.pop("step")]
    if kind is Report:
        form["fates"] = tuple(Fate(**fate) for fate in form["fates"])
    return kind(**form)


def _set_fields(value: Any) -> dict[str, Any]:
    """The fields of a flat dataclass, those that have their default left out."""
    return {f.name: v for f in fields(value) if (v := getattr(value, f.name)) != f.default}
