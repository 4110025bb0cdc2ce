"""Notes about items: from one state to the next and back again, whatever happened in between."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spool.test_form import items, states
from unitymail.interfaces.spool import DONE, Item, StepState
from unitymail.mail.envelope import Envelope
from unitymail.routing.steps import RelayToSmartHost
from unitymail.spool.form import Unreadable
from unitymail.spool.notes import Note, finished, outcomes, read_note, updated, write_note

A, B = StepState(RelayToSmartHost("a@x")), StepState(RelayToSmartHost("b@x"))
ITEM = Item("t", "/a", 1.0, Envelope("", ()), "email", "normal", False, "", "", "", 1, 1, (A, B), intake="t.1")


def later(item, data):
    """The item with some steps changed, those that have not ended yet, and some added."""
    changed = [data.draw(st.just(state) | states) if state.outcome is None else state for state in item.steps]
    steps = changed + data.draw(st.lists(states, max_size=2))
    return replace(item, steps=tuple(steps))


@given(items, st.data())
def test_notes_lead_from_state_to_state(item, data):
    """Read in order, the notes of a whole history give its end; once they are in, again changes nothing."""
    item = replace(item, revision=0)
    states_of_it, notes, before = [item], [], data.draw(st.sampled_from([None, item]))
    for revision in range(1, data.draw(st.integers(1, 4)) + 1):
        now = later(states_of_it[-1], data)
        notes.append(read_note(write_note(outcomes(before, now, revision))))
        states_of_it.append(now)
        before = now
    found = item
    for note in notes:
        found = updated(found, note)
    assert found == replace(states_of_it[-1], revision=len(notes))
    for note in notes:
        assert updated(found, note) is found


def test_only_what_changed_is_written():
    """One outcome among many steps is a short note."""
    many = replace(ITEM, steps=tuple(StepState(RelayToSmartHost(f"p{n}@x")) for n in range(1_000)))
    one = replace(many, steps=(*many.steps[:7], replace(many.steps[7], outcome=DONE), *many.steps[8:]))
    note = outcomes(many, one, 1)
    assert note.steps == ((7, one.steps[7]),)
    assert len(write_note(note)) < 300


def test_everything_where_nobody_is_sure():
    """Without a state to begin with the whole item is in the note: its file may be made again of that alone."""
    note = read_note(write_note(outcomes(None, replace(ITEM, steps=(replace(A, outcome=DONE), B)), 7)))
    assert note.item == replace(ITEM, path="", steps=(replace(A, outcome=DONE), B), revision=7)
    assert (note.trace, note.intake, note.revision, note.finished) == ("t", "t.1", 7, False)


def test_notes_of_an_older_version():
    """It said of each note whether it has all steps."""
    payload = b'outcomes {"trace": "t", "intake": "t.1", "revision": 2, "whole": true, "steps": []}'
    assert read_note(payload) == Note("t", "t.1", 2)


def test_a_note_says_what_it_is():
    """A person who looks into the journal sees a word and JSON; an item's record is no note."""
    assert write_note(finished(ITEM, 3)) == b'finished {"trace": "t", "intake": "t.1", "revision": 3}'
    assert write_note(outcomes(ITEM, replace(ITEM, steps=(replace(A, outcome=DONE), B)), 2)) == (
        b'outcomes {"trace": "t", "intake": "t.1", "revision": 2, '
        b'"steps": [[0, {"step": "relay-to-smart-host", "to": "a@x", "original": "", "outcome": {"kind": "done"}}]]}'
    )
    assert read_note(write_note(finished(ITEM, 3))) == Note("t", "t.1", 3, finished=True)
    assert read_note(b'{"trace": "t"}') is None


@pytest.mark.parametrize(
    "payload", [b"", b"outcomes", b"outcomes {}", b"finished [1]", b"item {}", b"later {}", b"finished {"]
)
def test_what_only_another_version_can_read(payload):
    """It is not passed over in silence: something was done that this version cannot know."""
    with pytest.raises(Unreadable):
        read_note(payload)


def test_the_end_is_no_state():
    """A finished item has no next state."""
    assert updated(ITEM, finished(ITEM, 9)) is ITEM
