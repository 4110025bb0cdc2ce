"""Lists of UIDs as Dovecot and Courier write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.store.takeover.uid_list import HIGHEST, UidList, read

NAMES = st.binary(min_size=1).filter(lambda name: not set(name) & set(b"\n:"))


@pytest.mark.parametrize(
    "text",
    [
        b"3 V15 N9 Gab\n3 :a\n7 W12 S3 :b,S=1:2,S\n8 G1 Px:y :c\n",
        b"3 N9 Gab V15\n3 :a\n7 :b,S=1\n8 :c\n",
        b"1 15 9\n3 a\n7 b,S=1\n8 c:2,F\n",
        b"3 V15 N1 Gab\n3 :a\n7 :b,S=1\n8 :c\n",
        b"3 V15 N9 Gab\n3 :a\n7 :b,S=1\n8 :c\n9",
    ],
)
def test_versions(text):
    """All give the same: fields in any order, a first line that is out of date, a last line that is on its way."""
    assert read(text) == UidList(15, 9, {b"a": 3, b"b,S=1": 7, b"c": 8})


def test_a_name_twice():
    """The later line counts."""
    assert read(b"3 V1 N1\n1 :a\n2 :b\n3 :a\n") == UidList(1, 4, {b"b": 2, b"a": 3})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "first line"),
        (b"4 V1 N1\n", "first line"),
        (b"3 V1\n1 :a\n", "first line"),
        (b"3 V1 N1\n2 :a\n1 :b\n", "line 3"),
        (b"1 1 1\n1 a\n1 b\n", "line 3"),
        (b"3 V1 N1\nnonsense\n2 :b\n", "line 2 is damaged"),
        (b"3 V0 N1\n1 :a\n", "numbers"),
        (b"3 V%d N1\n1 :a\n" % (HIGHEST + 1), "numbers"),
        (b"3 V1 N1\n%d :a\n" % HIGHEST, "numbers"),
    ],
)
def test_what_cannot_be_used(text, why):
    """It is said why, so that an administrator can look."""
    assert why in read(text)


@given(st.one_of(st.binary(), st.binary().map(lambda rest: b"3 V7 N3 Gx\n" + rest)))
def test_any_octets(text):
    """Whatever a file holds, UIDs ascend, fit in 32 bits and stay below the next."""
    found = read(text)
    if isinstance(found, UidList):
        uids = list(found.uids.values())
        assert uids == sorted(set(uids)) and max(uids, default=0) < found.uidnext <= HIGHEST


@given(st.lists(st.tuples(st.integers(1, 1000), NAMES)))
def test_what_was_written_is_read(gaps):
    """Each file has the UID that its line says."""
    uid, lines, expected = 0, [], {}
    for gap, name in gaps:
        uid += gap
        lines.append(b"%d :%b\n" % (uid, name))
        expected[name] = uid
    assert read(b"3 V7 N1\n" + b"".join(lines)).uids == expected
