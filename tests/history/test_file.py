"""Batches go into the file whole, old days go out of it, and a damaged file is put aside."""

import os
import sqlite3

import pytest

from tests.history.letters import CHRIS, NOON, batch_of, trace_of
from unitymail.disk import Disk
from unitymail.history import file as history_file
from unitymail.history.file import HistoryFile
from unitymail.history.schema import DAY_S
from unitymail.history.stories import Stories


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "history.sqlite")


@pytest.fixture
def file(path):
    file = HistoryFile(path, Disk())
    yield file
    file.close()


def count(path, table):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    finally:
        connection.close()


def test_a_row_for_each_message_and_batch(file, path):
    """Three events of one message are one row, found by three words; later ones are another row."""
    file.write(batch_of(1, NOON))
    assert (count(path, "part"), count(path, "word")) == (1, 3)
    file.write({trace_of(1): [(NOON + 60, "read", {"account": "u-chris"})]})
    assert (count(path, "part"), count(path, "word")) == (2, 3)


def test_more_than_a_statement_takes(file, path):
    """A batch of any size is written, and each of its messages found."""
    batch = {}
    for n in range(257):
        batch |= batch_of(n, NOON)
    file.write(batch)
    assert (count(path, "part"), count(path, "word")) == (257, 3 * 257)
    for n in (0, 99, 100, 256):
        assert [story.trace for story in Stories(path).find(message_id=f"m{n}@example.com")] == [trace_of(n)]


def test_many_deliveries_are_several_rows(file, path, monkeypatch):
    """A message to thousands is no single long row; its story is whole."""
    monkeypatch.setattr(history_file, "EVENTS_IN_A_PART", 10)
    batch = batch_of(1, NOON)
    batch[trace_of(1)] += [(NOON + 1, "delivered", {"account": f"u{n}", "address": CHRIS}) for n in range(25)]
    file.write(batch)
    assert count(path, "part") == 3
    assert len(Stories(path).story(trace_of(1)).events) == 28


def test_an_event_that_cannot_be_told(file, path):
    """It stands as a gap; the rest of the batch is kept."""
    batch = batch_of(1, NOON)
    batch["x"] = [(NOON, "decided", {}), (NOON, "read", {"account": object()})]
    file.write(batch)
    events = Stories(path).story("x").events
    assert "KeyError" in events[0].facts["untold"]
    assert "object object" in events[1].facts["account"]
    assert Stories(path).story(trace_of(1)) is not None


def test_all_or_nothing(file, path, monkeypatch):
    """What fails in the middle leaves nothing, and can be written again."""
    file.write(batch_of(1, NOON))
    real = history_file._insert_rows

    def failing(connection, table, *rest):
        if table == "word":
            raise sqlite3.OperationalError("database or disk is full")
        real(connection, table, *rest)

    monkeypatch.setattr(history_file, "_insert_rows", failing)
    with pytest.raises(sqlite3.OperationalError):
        file.write(batch_of(2, NOON))
    assert count(path, "part") == 1
    monkeypatch.undo()
    file.write(batch_of(2, NOON))
    assert (count(path, "part"), count(path, "word")) == (2, 6)


def test_several_processes_write(path):
    """Two writers of one file lose nothing."""
    one, two = HistoryFile(path, Disk()), HistoryFile(path, Disk())
    for n in range(20):
        (one, two)[n % 2].write(batch_of(n, NOON))
    one.close()
    two.close()
    assert len(Stories(path).find(recipient=CHRIS)) == 20


def test_old_days_go_in_slices(file, path, monkeypatch):
    """Whole days before the given one are removed, a slice a time, words first; the others stay."""
    monkeypatch.setattr(history_file, "PRUNED_WORDS", 6)
    monkeypatch.setattr(history_file, "PRUNED_PARTS", 2)
    today = NOON // DAY_S * DAY_S
    for n in range(5):
        file.write(batch_of(n, today - DAY_S + 60 * n))
    file.write(batch_of(9, today + 60))
    slices = 0
    while file.prune(today + 3_600):
        slices += 1
    assert slices == 3 + 3
    assert (count(path, "part"), count(path, "word")) == (1, 3)
    assert [story.trace for story in Stories(path).find(recipient=CHRIS)] == [trace_of(9)]


@pytest.mark.parametrize("octets", [b"no database at all" * 100, b""])
def test_a_damaged_file(path, octets):
    """It is put aside under another name, and a new one begins; an empty one is simply begun."""
    with open(path, "wb") as opened:
        opened.write(octets)
    file = HistoryFile(path, Disk())
    try:
        file.write(batch_of(1, NOON))
    except sqlite3.Error as error:
        assert file.set_aside(error) == path + ".damaged"
        file.write(batch_of(1, NOON))
    file.close()
    assert os.path.exists(path + ".damaged") == bool(octets)
    assert Stories(path).story(trace_of(1)) is not None


def test_a_full_disk_is_no_damage(file, path):
    """Nothing is put aside for what passes."""
    file.write(batch_of(1, NOON))
    assert file.set_aside(sqlite3.OperationalError("database or disk is full")) == ""
    assert file.set_aside(sqlite3.OperationalError("database is locked")) == ""
    assert os.path.exists(path)
