"""Looking through large messages in windows finds the same, and keeps little of a mapped file in memory."""

import mmap
import re
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail import windows

PATTERNS = [re.compile(rb"\n--([^\n]{0,1024})"), re.compile(rb"\n\r?\n")]
SIZE = 32


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    monkeypatch.setattr(windows, "WINDOW", SIZE)


def spans(search):
    """The spans of all matches, one after the other."""
    found, at = [], 0
    while one := search(at):
        found.append(one.span())
        at = one.end()
    return found


@pytest.mark.parametrize("pattern", PATTERNS)
@given(st.lists(st.sampled_from([b"\n--", b"\n", b"\r\n", b"-", b"x", b"y" * 9]), max_size=60).map(b"".join))
def test_a_search_in_windows_finds_the_same(pattern, octets):
    """Wherever the windows end, the first match and all that follow are those of a search in one go."""
    assert spans(lambda at: windows.search(pattern, octets, at, len(octets))) == spans(
        lambda at: pattern.search(octets, at, len(octets))
    )


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"x" * 7, b"x"]), max_size=60).map(b"".join), st.integers(0, 9))
def test_blocks_are_the_whole(octets, start):
    """Blocks joined are what they were cut from, and no CR is parted from its LF."""
    found = list(windows.blocks(octets, start, len(octets)))
    assert b"".join(found) == octets[start:]
    assert sum(block.count(b"\r\n") for block in found) == octets[start:].count(b"\r\n")


@given(
    st.lists(st.sampled_from([b"\n--", b"\n", b"ab", b"a", b"x" * 9]), max_size=60).map(b"".join),
    st.sampled_from([b"\n--ab", b"\n", b"aba", b"a" * 40]), st.integers(0, 40), st.integers(0, 300),
)  # fmt: skip
def test_octets_are_found_and_counted_in_windows(octets, sought, start, end):
    """Wherever the windows end, they stand where they stand, and as often."""
    assert windows.find(octets, sought, start, end) == octets.find(sought, start, end)
    assert windows.holds(octets, sought) == (sought in octets)
    for buffer in (octets, mapped(octets)) if octets else (octets,):
        assert windows.count(buffer, sought[-1:], start, min(end, len(octets))) == octets.count(sought[-1:], start, end)


def mapped(octets):
    """A map of memory with these octets."""
    view = mmap.mmap(-1, len(octets))
    view[:] = octets
    return view


def resident():
    """Octets of mapped files in this process's memory."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssFile:"))


def test_a_mapped_file_stays_out_of_memory(monkeypatch):
    """Of 30 MB looked through twice, few are in memory at any moment."""
    monkeypatch.setattr(windows, "WINDOW", 1 << 20)
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 63 * 480_000)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            before = resident()
            assert windows.search(PATTERNS[0], view, 0, len(view)) is None
            assert resident() - before < 10_000_000
            for _ in windows.blocks(view, 0, len(view)):
                assert resident() - before < 10_000_000
