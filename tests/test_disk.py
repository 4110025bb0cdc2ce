"""The real disk: each call does what its promise says."""

import os
import sqlite3

import pytest
from zope.interface.verify import verifyObject

from unitymail.disk import Disk
from unitymail.interfaces.disk import IDisk

FULL, NORMAL = 2, 1


@pytest.fixture
def connection(tmp_path):
    connection = Disk().connect(str(tmp_path / "a.sqlite"))
    connection.execute("CREATE TABLE t (x)")
    yield connection
    connection.close()


def test_keeps_its_interface():
    """Every call that tests may record is there."""
    verifyObject(IDisk, Disk())


@pytest.mark.parametrize(("durable", "synchronous"), [(True, FULL), (False, NORMAL)])
def test_a_durable_transaction_is_flushed(connection, durable, synchronous):
    """SQLite flushes its log at the commit of a durable transaction, and leaves it for later in others."""
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    for before in (True, False):
        Disk().begin(connection, durable=before)
        Disk().commit(connection)
        Disk().begin(connection, durable=durable)
        assert connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)
        Disk().rollback(connection)


def test_one_writer_at_a_time(connection, tmp_path):
    """A transaction has the index to itself from its beginning: what it reads first is what it changes."""
    Disk().begin(connection, durable=False)
    other = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None, timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    Disk().rollback(connection)
    Disk().rollback(connection)
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_all_is_written(tmp_path, monkeypatch):
    """The system may take less than it is given: the rest follows, at its place."""
    write, pwrite = os.write, os.pwrite
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: pwrite(fd, data[:3], at))
    disk, path = Disk(), str(tmp_path / "file")
    fd = disk.create(path)
    disk.write(fd, b"0123456789")
    disk.write_at(fd, b"abcdefg", 2)
    disk.flush(fd)
    disk.close(fd)
    with open(path, "rb") as file:
        assert file.read() == b"01abcdefg9"


def test_names_and_directories(tmp_path):
    """Directories and the file system can be flushed; what cannot be says why."""
    disk = Disk()
    disk.flush_directory(str(tmp_path))
    disk.flush_filesystem(str(tmp_path))
    for call in (disk.flush_directory, disk.flush_filesystem):
        with pytest.raises(FileNotFoundError):
            call(str(tmp_path / "absent"))
