"""Notes in the commit journal: what has become of an item since its record, or its envelope file, was written.

A note is one line, `outcomes {…}`, `item {…}` or `finished {…}`, and costs no flush of its own. Knows how a note
follows from two states of an item and leads from one to the other; refuses to know when notes are written or read.

Note *Revisions*. Every state of an item that is noted has the next number. A note counts for an item of a lower one
only, so it does not matter how often, or beside which envelope file, it is read.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from unitymail.interfaces.spool import Item, StepState
from unitymail.mail.value import value
from unitymail.spool.form import Unreadable, of_state, read_form, to_state, write_line

_OUTCOMES, _ITEM, _FINISHED = b"outcomes ", b"item ", b"finished "
_text = json.JSONEncoder(ensure_ascii=False).encode


@value
class Note:
    """`steps` are (number, state) pairs that changed; with `item` these are all. `intake` tells whose it is."""

    trace: str
    intake: str
    revision: int
    finished: bool = False
    steps: tuple[tuple[int, StepState], ...] = ()
    item: Item | None = None


def finished(item: Item, revision: int) -> Note:
    """Nothing is left to do."""
    return Note(item.trace, item.intake, revision, finished=True)


def outcomes(before: Item | None, item: Item, revision: int) -> Note:
    """What makes `item` of `before`; everything, when nobody can be sure to have that."""
    if before is None:
        return _of_item(replace(item, revision=revision))
    old = before.steps
    changed = (
        (n, state) for n, state in enumerate(item.steps)
        if n >= len(old) or (old[n] is not state and old[n] != state)
    )  # fmt: skip
    return Note(item.trace, item.intake, revision, steps=tuple(changed))


def _of_item(item: Item) -> Note:
    return Note(item.trace, item.intake, item.revision, steps=tuple(enumerate(item.steps)), item=item)


def updated(item: Item, note: Note) -> Item:
    """The item as the note says; the item itself when that is no news."""
    if note.revision <= item.revision or note.finished:
        return item
    steps = list(item.steps)
    for number, state in note.steps:
        if state.outcome is None and number < len(steps) and steps[number].outcome is not None:
            continue  # an administrator returned or deleted it after the crash
        steps[number : number + 1] = [state]
    return replace(item, steps=tuple(steps), revision=note.revision)


def write_note(note: Note) -> bytes:
    if note.item is not None:
        return _ITEM + write_line(note.item)
    form: dict[str, Any] = {"trace": note.trace, "intake": note.intake, "revision": note.revision}
    if not note.finished:
        form["steps"] = [[number, of_state(state)] for number, state in note.steps]
    return (_FINISHED if note.finished else _OUTCOMES) + _text(form).encode("utf-8", "surrogatepass")


def read_note(payload: bytes) -> Note | None:
    """None when it is another kind of record. Raises Unreadable."""
    if payload.startswith(b"{"):
        return None
    try:
        kind, _, text = payload.partition(b" ")
        if kind + b" " == _ITEM:
            return _of_item(read_form(text, ""))
        form = json.loads(text.decode("utf-8", "surrogatepass"))
        facts = form["trace"], form["intake"], form["revision"]
        if kind + b" " == _FINISHED:
            return Note(*facts, finished=True)
        if kind + b" " == _OUTCOMES:
            return Note(*facts, steps=tuple((n, to_state(state)) for n, state in form["steps"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unreadable(f"a note in the commit journal: {error!r}") from error
    raise Unreadable(f"a record of an unknown kind in the commit journal: {payload[:20]!r}")
