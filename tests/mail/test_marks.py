"""However many marks a stranger puts on a character, nobody is held up by them."""

import sys
import unicodedata
from itertools import groupby
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.address import key_of
from unitymail.mail.marks import MOST, parted
from unitymail.mail.text import fold

MARKS = "\u0315\u0300\u05ae\u0318\u3099\u0345\U0001d165"
JOINER = "\u034f"
letters = st.text(st.sampled_from(f"aé-—{JOINER}" + MARKS), max_size=300) | st.text(st.sampled_from(MARKS), min_size=25)


@given(letters)
def test_never_more_in_a_row(text):
    """A joiner stands behind each thirtieth mark that has another behind it, and nothing else changes."""
    rows = [(marks, len(list(row))) for marks, row in groupby(parted(text), lambda c: bool(unicodedata.combining(c)))]
    assert all(count <= MOST for marks, count in rows if marks)
    assert parted(text).replace(JOINER, "") == text.replace(JOINER, "")
    assert len(parted(text)) - len(text) <= len(text) // MOST
    assert parted(parted(text)) == parted(text)


@pytest.mark.parametrize("text", ["", "a" + MARKS[0] * MOST, "—" * 100, "🎉" * 100, "Ångström", "ascii" * 100])
def test_what_people_write_stays(text):
    """No language has so many, and what looks like them is none."""
    assert parted(text) is text or parted(text) == text


def test_no_mark_is_a_letter():
    """Of all of Unicode: so no row of them is overlooked."""
    codes = range(sys.maxunicode + 1)
    assert not [code for code in codes if unicodedata.combining(chr(code)) and chr(code).isalnum()]


@pytest.mark.parametrize("prepare", [fold, key_of])
def test_a_megabyte_of_marks(prepare):
    """A search, a body, an address: its time grows with its length, not with the square of that."""
    text = "a" + MARKS[:4] * 64_000
    began = thread_time()
    prepared = prepare(text)
    assert len(prepared) >= len(text)
    assert thread_time() - began < 2.0


def test_addresses_match_still():
    """However marks are spelled, the address is one."""
    assert key_of("Ångström@x.example") == key_of("a\u030angstro\u0308m@X.example")
    assert key_of("a" + MARKS[:4] * 7 + "@x") == key_of(unicodedata.normalize("NFD", "a" + MARKS[:4] * 7) + "@x")
