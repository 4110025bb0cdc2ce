"""The database: its version is checked, the migrations make exactly the schema, writers do not lose transactions."""

import multiprocessing
import sqlite3
import tempfile
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.directory.places import DirectoryTestCase
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.directory.sql.schema import metadata
from unitymail.interfaces.directory import Refused, WrongVersion
from unitymail.interfaces.errors import TryAgain
from unitymail.people.user import User


def add_many(path, prefix, count):
    """Another process that adds users."""
    database = Database(path)
    directory = Directory(database, lambda: 0.0)
    for number in range(count):
        with directory.change(prefix) as change:
            change.add(User("", f"{prefix}{number}", ""))
    database.close()


class DatabaseTests(DirectoryTestCase):
    def test_the_migrations_make_the_schema(self):
        """What upgrades an old directory and what the program expects are the same tables."""
        with self.database.reading() as connection:
            self.assertEqual(compare_metadata(MigrationContext.configure(connection), metadata), [])

    def test_the_schema_is_not_sqlites_alone(self):
        """PostgreSQL's dialect can say every table and index."""
        for table in metadata.sorted_tables:
            self.assertIn("CREATE TABLE", str(CreateTable(table).compile(dialect=postgresql.dialect())))
            for index in table.indexes:
                self.assertIn("INDEX", str(CreateIndex(index).compile(dialect=postgresql.dialect())))

    def test_upgrading_twice_is_harmless(self):
        """A node that starts on a directory of its own version changes nothing."""
        before = self.everything()
        self.database.upgrade()
        self.database.check()
        self.assertEqual(self.everything(), before)

    def test_no_directory_is_said_so_and_none_is_made(self):
        """Pointing a command at the wrong place leaves no file behind."""
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "nothing.sqlite"
            refused = self.assertRaises(WrongVersion, Database(place).check)
            self.assertIn("unitymail init", str(refused))
            self.assertFalse(place.exists())

    def test_a_node_makes_no_directory(self):
        """A directory that was lost is missed at the start, instead of a node with no users that takes its place."""
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "nothing.sqlite"
            self.assertIn("put the lost one back", str(self.assertRaises(WrongVersion, Database(place).upgrade)))
            self.assertFalse(place.exists())

    def test_tables_without_an_identity_are_no_directory(self):
        """What an interrupted `init` left is told from a directory."""
        with tempfile.TemporaryDirectory() as folder:
            half = Database(Path(folder) / "half.sqlite")
            self.addCleanup(half.close)
            half.make()
            self.assertIn("unitymail init", str(self.assertRaises(Refused, Directory(half, lambda: 0.0).check)))

    def test_a_damaged_file_is_a_failure_from_outside(self):
        """What is no database says so, with the file's name, to a command and to a door alike."""
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "junk.sqlite"
            place.write_bytes(b"this is no database, whatever its name says " * 100)
            database = Database(place)
            self.addCleanup(database.close)
            said = str(self.assertRaises(TryAgain, database.check))
            self.assertIn(str(place), said)
            self.assertIn("not a database", said)

    def test_a_newer_directory_is_left_alone(self):
        """An old program neither uses nor upgrades what a newer one wrote."""
        with self.database.changing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        self.assertIn("newer program", str(self.assertRaises(WrongVersion, self.database.check)))
        self.assertRaises(WrongVersion, self.database.upgrade)

    def test_what_fails_is_undone(self):
        """An error in the middle of a change leaves the directory as it was."""
        before = self.everything()

        def change_and_fail():
            with self.directory.change("tester") as change:
                change.add(User("", "robin", ""))
                raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, change_and_fail)
        self.assertEqual(self.everything(), before)

    def test_a_locked_database_is_a_passing_failure(self):
        """While another program holds the file, callers are told to try again, not that something broke."""
        from unittest import mock

        with mock.patch("unitymail.directory.sql.database.BUSY_TIMEOUT_S", 0.05):
            hurried = Database(self.path)
        self.addCleanup(hurried.close)
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")

        def write():
            with hurried.changing():
                self.fail("two writers at once")

        self.assertIn("locked", str(self.assertRaises(TryAgain, write)))
        other.execute("ROLLBACK")

    def test_two_processes_write_and_none_loses(self):
        """Two commands at once: every user is there, and the change numbers have no gap and no double."""
        spawn = multiprocessing.get_context("spawn")
        workers = [spawn.Process(target=add_many, args=(self.path, prefix, 25)) for prefix in "ab"]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            self.assertEqual(worker.exitcode, 0)
        with self.directory.read() as view:
            self.assertEqual(len(view.all(User)), 50)
            usns = [change.usn for change in view.changes(0)]
        self.assertEqual(usns, list(range(1, len(usns) + 1)))
