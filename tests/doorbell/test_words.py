"""What is said at the doorbell survives the wire, and garbage is not understood."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.doorbell.words import (
    ITEMS_A_LINE,
    LONGEST_HOP,
    MAX_LINE,
    Ask,
    Count,
    DirectoryChanged,
    NewItems,
    Ring,
    Rings,
    Taken,
    Told,
    lines_of,
    spoken,
    understood,
)
from unitymail.interfaces.doorbell import NewItem

TIMES = st.floats(0, 2**40)
ITEMS = st.builds(NewItem, st.text(max_size=64), TIMES, st.integers(0, 2), st.text(max_size=LONGEST_HOP))
WORDS = st.one_of(
    st.builds(Ring, st.text(), st.text()), st.builds(DirectoryChanged, st.integers(0)),
    st.builds(Taken, st.integers(0)), st.builds(Ask), st.builds(Told), st.builds(Count, st.text()),
    st.lists(ITEMS, max_size=ITEMS_A_LINE).map(lambda items: NewItems(tuple(items))),
)  # fmt: skip


@given(WORDS)
def test_said_is_heard(word):
    """Whatever a folder is called, line breaks included, one word is one line."""
    line = spoken(word)
    assert line.count(b"\n") == 1
    assert understood(line[:-1]) == word


@given(st.binary())
def test_garbage_is_nothing(line):
    """Octets that mean nothing are no error."""
    understood(line)


def test_what_a_later_version_says_is_left_alone():
    """Unknown words, other shapes and deep nesting are not understood."""
    for line in (b"[]", b'["ring"]', b'["ring",1,2]', b'["new","word"]', b'{"a":1}', b"[" * 5000, b'["directory","x"]'):
        assert understood(line) is None


def test_a_line_has_room_for_its_items():
    """However long the names of hops are: too long a one is left out, for it only helps to choose."""
    items = tuple(NewItem("t" * 64, 1e10, 1, "\u2603" * length) for length in (LONGEST_HOP, LONGEST_HOP + 1) * 4)
    line = spoken(NewItems(items[:ITEMS_A_LINE]))
    assert len(line) <= MAX_LINE
    assert [len(item.hop) for item in understood(line).items] == [LONGEST_HOP, 0] * 4


def test_items_that_make_no_sense_are_left_out():
    """The others of the line count."""
    line = b'["items",[["t1",1,0,"smart-host"],["t2"],7,["t3","x",0,""],["t4",2.5,2,""]]]'
    assert understood(line) == NewItems((NewItem("t1", 1.0, 0, "smart-host"), NewItem("t4", 2.5, 2, "")))


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=255)), max_size=60))
def test_rings_of_a_turn_fit_their_lines(places):
    """However many there are and whatever their names, each line is short enough, and all arrive in order."""
    lines = lines_of(places).split(b"\n")[:-1]
    assert all(len(line) < MAX_LINE for line in lines)
    assert [place for line in lines for place in understood(line).places] == places


def test_rings_that_make_no_sense():
    """Places that are none are left out, the others heard."""
    assert understood(b'["rings",["a","b"],[1,2],["a"],"ab",null,["c","d"]]') == Rings((("a", "b"), ("c", "d")))
