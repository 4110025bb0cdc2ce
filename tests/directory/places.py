"""A fresh directory in a temporary place, shared by this room's tests."""

import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.founded import found
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.people.user import User


class DirectoryTestCase(SynchronousTestCase):
    """`self.directory` is new and empty but for the defaults; `self.time` is what its clock shows."""

    domain = "vm1.example.com"

    def setUp(self):
        self.time = 1_000_000.0
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = str(Path(folder.name) / "directory.sqlite")
        found(self.path, self.domain, "host.example.com", self.time)
        self.database = Database(self.path)
        self.addCleanup(self.database.close)
        self.directory = Directory(self.database, lambda: self.time)

    def add(self, thing):
        with self.directory.change("tester") as change:
            return change.add(thing)

    def replace(self, thing):
        with self.directory.change("tester") as change:
            return change.replace(thing)

    def user(self, alias="robin", **fields):
        return self.add(User("", alias, "", **fields))

    def set_site(self, **settings):
        with self.directory.change("tester") as change:
            return change.set_site([(key.replace("__", "."), value) for key, value in settings.items()])

    def refusal(self, action, *args, **kwargs):
        """The sentence that `action` is refused with, once it is sure that nothing changed."""
        from unitymail.interfaces.directory import Refused

        before = self.everything()
        refused = self.assertRaises(Refused, action, *args, **kwargs)
        self.assertEqual(self.everything(), before)
        sentence = str(refused)
        self.assertTrue(sentence.endswith("."), sentence)
        return sentence

    def everything(self):
        """Every row of every table."""
        from unitymail.directory.sql.schema import metadata

        with self.database.reading() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(table.select()))) for table in metadata.sorted_tables
            }
