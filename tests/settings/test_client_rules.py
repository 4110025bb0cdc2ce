"""Rules for programs: how they are written, whom they fit, and what is wrong with others."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.settings.client_rules import hidden, parse
from unitymail.settings.site import Complaint, read_value

RULES = "name=Outlook*: QRESYNC NOTIFY; name=Mac OS X Mail, version=16.*: notify;version=9,name=*bird*7: IDLE"


@pytest.mark.parametrize(("client_id", "expected"), [
    ({"name": "Outlook"}, {"QRESYNC", "NOTIFY"}),
    ({"name": "OUTLOOK 16.0"}, {"QRESYNC", "NOTIFY"}),
    ({"name": "Microsoft Outlook"}, set()),
    ({"name": "Mac OS X Mail", "version": "16.0"}, {"NOTIFY"}),
    ({"name": "Mac OS X Mail", "version": "15"}, set()),
    ({"name": "Mac OS X Mail"}, set()),
    ({"name": "Thunderbird 17", "version": "9"}, {"IDLE"}),
    ({"name": "Thunderbird 17", "version": "9.1"}, set()),
    ({}, set()),
])  # fmt: skip
def test_whom_they_fit(client_id, expected):
    """All conditions of a rule; `*` is anything, letter case nothing."""
    assert hidden(parse(RULES), client_id) == expected


def test_every_rule_that_fits():
    """What several rules hide is hidden together."""
    assert hidden(parse("name=a*: X; name=*b: Y; vendor=v: Z"), {"name": "ab", "vendor": "w"}) == {"X", "Y"}


def test_nothing():
    """No rules hide nothing; separators alone are no rule."""
    assert parse("") == parse(" ; ;") == ()
    assert hidden((), {"name": "x"}) == frozenset()


def test_characters_that_mean_something_elsewhere():
    """A dot, a bracket and a colon stand for themselves."""
    assert hidden(parse("name=a.b[c]:(d): X"), {"name": "a.b[c]:(d)"}) == {"X"}
    assert hidden(parse("name=a.b: X"), {"name": "axb"}) == frozenset()


@pytest.mark.parametrize(("text", "why"), [
    ("name=Outlook", "needs capabilities"),
    ("name=Outlook:", "needs capabilities"),
    ("Outlook: IDLE", "not like"),
    ("name=: IDLE", "not like"),
    (": IDLE", "not like"),
    ("name=a,: IDLE", "not like"),
    ("na me=a: IDLE", "not like"),
    ("name=a: I(DLE", "no capability"),
    ("name=a: STARTTLS", "cannot be hidden"),
    ("name=a: imap4rev1", "cannot be hidden"),
    ("name=a: IDLE logindisabled", "cannot be hidden"),
    ("name=a: IDLE; junk", "needs capabilities"),
])  # fmt: skip
def test_refused(text, why):
    """`site set` says what is wrong; STARTTLS and its like can be hidden from nobody."""
    with pytest.raises(Complaint, match=why):
        read_value("imap.hide_capability", text)


def test_taken():
    """`site set` takes what is right, as it is written."""
    assert read_value("imap.hide_capability", RULES) == RULES


def test_stars_cost_little():
    """A program with a long name and a rule with many stars hold nobody up."""
    rules = parse("name=" + "*a" * 40 + "*b: X")
    began = time.process_time()
    assert hidden(rules, {"name": "a" * 1024}) == frozenset()
    assert time.process_time() - began < 0.5


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_stars_as_everybody_knows_them(pattern, name):
    """A pattern fits where some choice for its stars makes it the name."""

    def fits(pattern, name):
        if not pattern:
            return not name
        if pattern[0] == "*":
            return fits(pattern[1:], name) or (bool(name) and fits(pattern, name[1:]))
        return name[:1] == pattern[0] and fits(pattern[1:], name[1:])

    if pattern:
        assert bool(hidden(parse(f"name={pattern}: X"), {"name": name})) == fits(pattern, name)


@given(st.text(max_size=60))
def test_never_anything_but_a_complaint(text):
    """Whatever is written is taken or complained about."""
    try:
        read_value("imap.hide_capability", text)
    except Complaint as complaint:
        assert str(complaint).startswith("imap.hide_capability: ")
