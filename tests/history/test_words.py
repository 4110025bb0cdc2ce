"""Two spellings of one thing are one word; two things are two."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from unitymail.history import words


def test_spellings():
    """Case of an address and brackets of a Message-ID do not matter."""
    assert words.to_address("Chris@Example.COM") == words.to_address("chris@example.com")
    assert words.message_id(" <a@b> ") == words.message_id("a@b")
    assert words.message_id("<A@b>") != words.message_id("<a@b>")


def test_kinds_are_apart():
    """Who sent a message is not found as who got it."""
    makers = (words.to_address, words.from_address, words.message_id, words.elsewhere)
    assert len({make("a@b") for make in makers}) == 4


@given(st.text())
def test_any_text_is_a_word(text):
    """Lone surrogates included; each fits a SQLite integer and is the same in every process."""
    for make in (words.to_address, words.message_id):
        assert -(1 << 63) <= make(text) < 1 << 63


def test_words_are_the_same_tomorrow():
    """They are kept in files: this number may never change."""
    assert words.to_address("chris@example.com") == 8968441487217950922


def test_strangers_do_not_fill_the_memory():
    """A usual address is remembered with its word; what is as long as a field may be is not."""
    usual, long = "".join(["somebody", "@words.example"]), "x" * 60_000
    before = sys.getrefcount(usual), sys.getrefcount(long)
    for word in (words.from_address, words.to_address, words.message_id):
        assert word(usual) == word(usual)
        assert word(long) == word(long)
    after = sys.getrefcount(usual), sys.getrefcount(long)
    assert (after[0] - before[0] >= 3, after[1]) == (True, before[1])
