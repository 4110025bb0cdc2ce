"""Maildir file names."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.store.maildir import (
    FLAG_OF,
    Namer,
    arrival,
    flags_of,
    maker_is_gone,
    path_in,
    sizes_in,
    split,
    suffix_for,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "base", "suffix"),
    [
        (b"1.M2P3.h,S=4:2,FS", b"1.M2P3.h,S=4", b":2,FS"),
        (b"1.M2P3.h:2,", b"1.M2P3.h", b":2,"),
        (b"1.M2P3.h", b"1.M2P3.h", b""),
        (b"odd:1,x", b"odd:1,x", b""),
        (b"\xff\xfe:2,S", b"\xff\xfe", b":2,S"),
    ],
)
def test_a_name_is_a_base_and_a_suffix(name, base, suffix):
    """What follows `:2,` are flags; the rest names the message for life, whatever its octets."""
    assert split(name) == (base, suffix)
    assert base + suffix == name


def test_letters_are_flags():
    """D F P R S T are flags; other letters mean nothing to us."""
    assert flags_of(b":2,DFPRSTabZ") == frozenset(FLAG_OF.values())
    assert flags_of(b"") == flags_of(b":2,") == frozenset()


def test_unknown_letters_stay():
    """Dovecot's keyword letters survive our renames, in order, and control characters do not."""
    assert suffix_for(frozenset({"\\Seen", "\\Flagged", "Work"}), b"c:2,aRb\n") == b":2,FSab"


@given(st.frozensets(st.sampled_from(sorted(FLAG_OF.values()))))
def test_flags_come_back_from_letters(flags):
    """The suffix of a set of flags gives the set back."""
    assert flags_of(suffix_for(flags, b"")) == flags


def test_order_of_arrival():
    """The time in the name, then its microseconds, then the name; without a time, that of the file."""
    names = [b"20.M5P1.h", b"3.M900000P1.h", b"20.M40P1.h", b"20.b", b"20.a", b"none", b"3.P1Q1.h"]
    ordered = sorted(names, key=lambda base: arrival(base, 10))
    assert ordered == [b"3.P1Q1.h", b"3.M900000P1.h", b"none", b"20.a", b"20.b", b"20.M5P1.h", b"20.M40P1.h"]


@pytest.mark.parametrize(
    ("base", "sizes"),
    [
        (b"1.h,S=12", (12, -1)),
        (b"1.h,S=12,W=14", (12, 14)),
        (b"1.h,W=14", (-1, -1)),
        (b"1.h,S=x", (-1, -1)),
        (b"1.h", (-1, -1)),
    ],
)
def test_sizes_in_a_name(base, sizes):
    """`,S=` is the file's size and `,W=` that of its CRLF form."""
    assert sizes_in(base) == sizes


def test_names_are_never_made_twice():
    """Names of one process differ even at one moment, and sort in the order they were made."""
    namer = Namer("a/b:c,d", lambda: 1_700_000_000.25)
    names = [namer.name(10, 10) for _ in range(1000)]
    assert len(set(names)) == 1000
    assert all(name.startswith("1700000000.M250000P") and name.endswith(",S=10,W=10") for name in names)
    assert all("/" not in name and ":" not in name for name in names)


def test_whose_temporary_file():
    """A temporary file is abandoned when its maker has ended, also when a new process has the same number."""
    namer = Namer("h", lambda: 1.0)
    assert not maker_is_gone(namer.name(), namer.mark)
    assert maker_is_gone(Namer("h", lambda: 1.0).name(), namer.mark)
    assert maker_is_gone("1.M000001P4194303R01234567Q1.h", namer.mark)
    assert not maker_is_gone(f"1.M000001P{os.getppid()}R01234567Q1.h", namer.mark)
    assert not maker_is_gone("1.M1P4194303.foreign", namer.mark)


def test_where_a_file_is():
    """`seen` says which directory, and the suffix."""
    assert path_in(b"/m", b"x", b"n") == b"/m/new/x"
    assert path_in(b"/m", b"x", b"c:2,S") == b"/m/cur/x:2,S"
