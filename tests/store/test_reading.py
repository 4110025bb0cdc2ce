"""Rows that the index narrows itself are the rows that a plain look keeps."""

from array import array

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unitymail.mail.text import fold

SUBJECTS = ["lunch", "Lunch [urgent]", "50% off*", "what?", "a[b]c", "Äpfel und ß", "日本語", "x" * 300, ""]
SOUGHT = ("lunch", "[", "]", "*", "?", "[URGENT]", "%", "_", "ä", "ß", "ss", "本", "A[B]", "50% OFF*", "robin", "\n",
          "x" * 200, "^", "-", "[^a]")
NEEDLES = st.lists(st.sampled_from(SOUGHT).map(fold), min_size=1, max_size=8)


@pytest.fixture
def filled(house):
    for subject in SUBJECTS:
        octets = f"From: robin@vm1.example.com\r\nSubject: {subject}\r\n\r\nx\r\n".encode()
        house.deliver(octets=octets)
    house.inbox.refresh()
    return house


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NEEDLES, st.sets(st.integers(1, len(SUBJECTS) + 2), min_size=1).map(sorted))
def test_terms_holding_equals_the_plain_look(filled, needles, uids):
    """No sign is special, and only the messages asked about are given; those that are not there are left out."""
    folder = filled.inbox
    plain = [row for row in folder.rows(uids, ["terms"]) if any(needle in row[1] for needle in needles)]
    assert folder.terms_holding(array("L", uids), needles) == plain


def test_never_rendered(filled):
    """What was never rendered is rendered first."""
    assert [uid for uid, _ in filled.inbox.terms_holding(filled.inbox.snapshot.uids, ["LUNCH"])] == [1, 2]


def test_gone(filled):
    """A message that was expunged is not given, although its file is still there."""
    folder = filled.inbox
    stretch = folder.snapshot.uids[:]
    folder.rows(stretch, ["terms"])
    folder.store([1], "add", ["\\Deleted"])
    folder.expunge()
    assert [uid for uid, _ in folder.terms_holding(stretch, ["LUNCH"])] == [2]
    assert [uid for uid, _ in folder.rows(stretch, ["size"])] == list(stretch[1:])
