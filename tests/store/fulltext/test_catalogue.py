"""The file of a full-text index: it finds exactly the substrings, and outlives damage, forks of opinion and removal."""

import os
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.disk import Disk
from unitymail.store.fulltext.catalogue import BETWEEN, FILE, Catalogue, Text, Unusable, can_find

LETTERS = st.text(st.sampled_from("ABC \0\"'*:É\ud800" + BETWEEN), max_size=30)
NEEDLES = st.text(st.sampled_from("ABC \"'*:É"), min_size=3, max_size=5)


@pytest.fixture
def catalogue(tmp_path):
    made = Catalogue(Disk(), str(tmp_path))
    yield made
    made.close()


def test_begins_when_used(catalogue):
    """There is no file before somebody puts something in."""
    assert not catalogue.exists
    catalogue.add([Text(5, "SUBJECT: LUNCH", "AT NOON")])
    assert catalogue.exists
    assert catalogue.matching("LUNCH", body_only=False)[1] == {5}
    assert catalogue.matching("LUNCH", body_only=True)[1] == set()
    assert catalogue.matching("T NO", body_only=True)[1] == {5}


@given(st.lists(st.tuples(LETTERS, LETTERS), max_size=12), st.lists(NEEDLES, max_size=20), st.data())
def test_finds_substrings(tmp_path_factory, texts, needles, data):
    """Whatever is put in and taken out, what is found is what Python finds in what is left."""
    catalogue = Catalogue(Disk(), str(tmp_path_factory.mktemp("full")))
    there = {number: texts[number - 1] for number in range(1, len(texts) + 1)}
    try:
        catalogue.add([Text(number, *text) for number, text in there.items()])
        gone = data.draw(st.sets(st.sampled_from([*there]))) if there else set()
        catalogue.remove(gone)
        there = {number: text for number, text in there.items() if number not in gone}
        assert list(catalogue.held().contents) == sorted(there)
        for needle in needles:
            for body_only in (False, True):
                expected = {
                    n for n, (head, body) in there.items() if needle in body or (not body_only and needle in head)
                }
                assert catalogue.matching(needle, body_only=body_only)[1] == expected
    finally:
        catalogue.close()


def test_needles_that_it_cannot_answer():
    """Short ones, and those with code points that it does not hold, are answered by reading."""
    assert [can_find(needle) for needle in ("AB", "ABC", "A\0C", "AB\udc80", "AB" + BETWEEN, "ÉÉÉ")] == [
        False, True, False, False, False, True,
    ]  # fmt: skip


def test_twice(catalogue):
    """What is held already stays as it is: two processes may read the same message."""
    catalogue.add([Text(1, "FIRST", "")])
    catalogue.add([Text(1, "SECOND", ""), Text(2, "SECOND", "", whole=False)])
    assert catalogue.matching("FIRST", body_only=False)[1] == {1}
    assert catalogue.matching("SECOND", body_only=False)[1] == {2}
    assert catalogue.held().partly == {2}


def test_two_processes(catalogue, tmp_path):
    """What one adds or removes, the other knows of at once."""
    other = Catalogue(Disk(), str(tmp_path))
    catalogue.add([Text(1, "", "MORNING")])
    assert list(other.held().contents) == [1]
    other.add([Text(2, "", "MORNING")])
    assert list(catalogue.held().contents) == [1, 2]
    catalogue.remove([1])
    assert other.matching("MORNING", body_only=True)[1] == {2}
    other.close()


def test_removed_words_are_overwritten(catalogue, tmp_path):
    """The packed text of what is removed is not left in the file."""
    secret = "".join(chr(65 + n * 7 % 26) for n in range(40))
    catalogue.add([Text(1, "", secret)])
    with sqlite3.connect(tmp_path / FILE) as plain:
        packed = plain.execute("SELECT body FROM texts").fetchone()[0]
    plain.close()
    catalogue.remove([1])
    catalogue.close()
    assert packed not in (tmp_path / FILE).read_bytes()


def test_damage(catalogue, tmp_path):
    """A damaged file says so once, and then a new one begins."""
    catalogue.add([Text(1, "", "MORNING" * 500)])
    catalogue.close()
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(Unusable):
        catalogue.held()
    assert not catalogue.exists
    assert list(catalogue.held().contents) == []
    catalogue.add([Text(1, "", "MORNING")])
    assert catalogue.matching("MORNING", body_only=False)[1] == {1}


def test_another_version(catalogue, tmp_path):
    """A file of another version is made anew."""
    catalogue.add([Text(1, "", "MORNING")])
    catalogue.close()
    with sqlite3.connect(tmp_path / FILE) as plain:
        plain.execute("PRAGMA user_version = 99")
    plain.close()
    with pytest.raises(Unusable):
        catalogue.held()
    assert list(catalogue.held().contents) == []


def test_replaced_behind_its_back(catalogue, tmp_path):
    """Somebody removes the file while it is open: what is asked and added next goes to a new one."""
    catalogue.add([Text(1, "", "MORNING")])
    for name in os.listdir(tmp_path):
        os.unlink(tmp_path / name)
    assert list(catalogue.held().contents) == []
    catalogue.add([Text(2, "", "EVENING")])
    assert catalogue.exists and catalogue.matching("EVENING", body_only=False)[1] == {2}


def test_much_is_taken_out(catalogue):
    """Long use leaves no remains: a file from which nearly everything was removed is not larger than its content."""
    catalogue.add([Text(number, "", f"WORDS OF MESSAGE {number} " * 50) for number in range(1, 200)])
    catalogue.remove(range(2, 200))
    assert catalogue.matching("WORDS OF", body_only=False)[1] == {1}
    assert catalogue._connection.execute("SELECT count(*) FROM words_data").fetchone()[0] < 10


def test_others_have_a_turn(catalogue, monkeypatch):
    """When very much is taken out at once, who searches meanwhile waits for a part of it at most."""
    catalogue.add([Text(number, "", f"MESSAGE {number}") for number in range(1, 251)])
    begun, begin = [], catalogue._disk.begin

    def counted(connection, *, durable):
        begun.append(durable)
        begin(connection, durable=durable)

    monkeypatch.setattr(catalogue._disk, "begin", counted)
    catalogue.remove(range(1, 251))
    assert len(begun) >= 4 and list(catalogue.held().contents) == []


def test_remains_are_cleared_away_in_steps(catalogue, monkeypatch):
    """Between two steps another process searches and adds; in the end what left is nowhere in the file."""
    monkeypatch.setattr("unitymail.store.fulltext.catalogue._PAGES_AT_ONCE", 5)
    for number in range(1, 41):
        words = [f"{number * word % 4999}{'ЖДИ' if number % 2 else 'STAY'}{word}" for word in range(200)]
        catalogue.add([Text(number, "", " ".join(words))])
    other = Catalogue(Disk(), os.path.dirname(catalogue.path))
    merged, steps = catalogue._merged, []

    def watched(pages):
        there = merged(pages)
        steps.append(there)
        if len(steps) == 2:
            other.add([Text(99, "", "MEANWHILE")])
            assert other.matching("STAY", body_only=False)[1] == set(range(2, 41, 2))
        return there

    def blocks():
        return b"".join(block for (block,) in catalogue._connection.execute("SELECT block FROM words_data"))

    monkeypatch.setattr(catalogue, "_merged", watched)
    assert "Ж".encode() in blocks()
    catalogue.remove(range(1, 41, 2), thoroughly=True)
    assert len(steps) > 3
    assert "Ж".encode() not in blocks()
    assert other.matching("MEANWHILE", body_only=False)[1] == {99}
    assert catalogue.matching("STAY", body_only=False)[1] == set(range(2, 41, 2))
    other.close()
