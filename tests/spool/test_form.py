"""Items as readable JSON: nothing is lost on the way there and back."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.interfaces.spool import Item, Outcome, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.routing.steps import BadMail, Convert, Deliver, HandOver, RelayToSmartHost, RelayToUser, Report
from unitymail.spool.form import STEP_NAMES, Unreadable, read_form, write_form, write_line

text = st.text(st.characters(codec=None), max_size=30)
numbers = st.floats(0, 4e9, allow_nan=False)
fates = st.builds(Fate, text, st.sampled_from(["failed", "delayed", "relayed"]), text, text, text, text, text)
steps = st.one_of(
    st.builds(Deliver, text, text), st.builds(Convert, text, text, text, text), st.builds(RelayToSmartHost, text),
    st.builds(RelayToUser, text, text, text), st.builds(HandOver, text, text, text), st.builds(BadMail, text),
    st.builds(Report, text, st.lists(fates, max_size=3).map(tuple)),
)
outcomes = st.none() | st.builds(Outcome, st.sampled_from(["done", "failed"]), text, text, text, text, numbers)
states = st.builds(StepState, steps, st.integers(0, 99), numbers, outcomes)
recipients = st.builds(
    Recipient, text, st.none() | st.frozensets(st.sampled_from(["NEVER", "SUCCESS", "FAILURE"])), st.none() | text
)
envelopes = st.builds(
    Envelope, text, st.lists(recipients, max_size=3).map(tuple), st.sampled_from(["7bit", "8bitmime"]), st.booleans(),
    st.sampled_from([None, "FULL", "HDRS"]), st.none() | text, st.none() | st.integers(0, 10**9), st.booleans(),
    priority=st.integers(-9, 9),
)
items = st.builds(
    Item, trace=text, path=st.just("here"), arrived=numbers, envelope=envelopes, category=text, sensitivity=text,
    secure=st.booleans(), subject=text, message_id=text, origin_user=text, size=st.integers(0), head=st.integers(0),
    steps=st.lists(states, max_size=4).map(tuple), priority=st.integers(0, 1), held=st.booleans(), name=text,
    sha256=text, intake=text, silent=st.booleans(), fresh=st.just(False), received=st.binary(max_size=40),
)


@given(items)
def test_there_and_back(item):
    """Every field of every item comes back, whatever is in it (lone surrogates of odd addresses too)."""
    assert read_form(write_form(item), "here") == item
    assert read_form(write_line(item), "here") == item
    assert b"\n" not in write_line(item)


@given(items)
def test_a_priority_only_where_there_is_one(item):
    """Whoever looks at an envelope file sees a priority where a client asked for one."""
    form = json.loads(write_form(item).decode("utf-8", "surrogatepass"))
    assert form["envelope"].get("priority", 0) == item.envelope.priority
    assert ("priority" in form["envelope"]) == bool(item.envelope.priority)


@given(items)
def test_it_is_plain_json(item):
    """Any JSON reader can look at it, and a step is one line."""
    octets = write_form(item)
    form = json.loads(octets.decode("utf-8", "surrogatepass"))
    assert form["trace"] == item.trace
    assert len(form["steps"]) == len(item.steps)
    lines = octets.decode("utf-8", "surrogatepass").split("\n")
    assert sum(line.startswith('  {"step": ') for line in lines) == len(item.steps)


@given(st.binary(max_size=200))
def test_garbage_is_unreadable(octets):
    """What is no form is said to be none, and nothing else happens."""
    with pytest.raises(Unreadable):
        read_form(octets, "x")


@given(items, st.data())
def test_damage_is_unreadable_or_harmless(item, data):
    """A form cut short is unreadable."""
    octets = write_form(item)
    cut = data.draw(st.integers(0, len(octets) - 3))
    with pytest.raises(Unreadable):
        read_form(octets[:cut], "x")


def test_names_of_steps():
    """The names are those of `unitymail explain`."""
    assert set(STEP_NAMES.values()) == {
        "deliver", "convert", "relay-to-smart-host", "relay-to-user", "hand-over", "report", "bad-mail",
        "learn-contact",
    }


def test_the_path_and_freshness_are_not_kept():
    """Where the file lies and whether it is fresh belong to the process, not to the item."""
    item = Item("t", "/a", 1.0, Envelope("", ()), "email", "normal", False, "", "", "", 1, 1, (), fresh=True)
    assert read_form(write_form(item), "/b") == replace(item, path="/b", fresh=False)
