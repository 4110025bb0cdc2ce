"""A directory of an earlier version is brought to this one with everything in it."""

import sqlite3
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from twisted.trial.unittest import SynchronousTestCase

from unitymail.directory.book import Book
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import MIGRATIONS, Database
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.people.user import User
from unitymail.people.user_template import UserTemplate

BEFORE = """
INSERT INTO identity (id, domain, host_name, node_id, secret, created) VALUES (1, 'vm1.example.com', 'h', 'n', 'x', 0);
INSERT INTO counters VALUES ('usn', 7);
INSERT INTO partitions (id, name, name_key) VALUES ('p', 'Default', 'default');
INSERT INTO scopes (id, name, name_key) VALUES ('s', 'Default', 'default');
INSERT INTO classes_of_service VALUES ('c', 'Default', 'default', 1, 'all', 'private', 0, 1);
INSERT INTO entries (id, kind, alias, alias_key, display_name, partition_id)
    VALUES ('u', 'user', 'robin', 'robin', 'Robin', 'p');
INSERT INTO users (id, cos_id, scope_id, action_voice, action_email, action_fax, action_receipt, relay_address,
    quota_warning, quota_send, quota_receive, route_ndr)
    VALUES ('u', 'c', 's', 'relay', 'accept', 'accept', 'accept', 'Robin@Else.Example', 1, 2, 3, 1);
INSERT INTO user_templates (id, name, name_key, action_voice, action_email, action_fax, action_receipt, quota_warning,
    quota_send, quota_receive, route_ndr)
    VALUES ('t', 'Office', 'office', 'accept', 'accept', 'accept', 'accept', 1, 2, 3, 1);
"""
OLD_LIST = """
INSERT INTO entries (id, kind, alias, alias_key, display_name, partition_id)
    VALUES ('l', 'list', 'undeliverable-messages', 'undeliverable-messages', 'Undeliverable Messages', 'p');
INSERT INTO lists VALUES ('l', 0, 0);
INSERT INTO addresses VALUES ('undeliverable-messages@vm1.example.com', 'undeliverable-messages@vm1.example.com',
    'l', 'primary');
INSERT INTO members VALUES ('l', 'u');
"""
OTHER_USE = """
INSERT INTO entries (id, kind, alias, alias_key, display_name, partition_id)
    VALUES ('x', 'contact', 'undeliverablemessages', 'undeliverablemessages', 'Somebody', 'p');
INSERT INTO contacts (id) VALUES ('x');
"""


class UpgradeTests(SynchronousTestCase):
    def upgraded(self, *scripts):
        """A directory of version 0002 with these rows, opened by this program."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = str(Path(folder.name) / "directory.sqlite")
        database = Database(path)
        self.addCleanup(database.close)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with database.changing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0002")
        database.close()
        rows = sqlite3.connect(path)
        rows.executescript("".join(scripts))
        rows.close()
        database.upgrade()
        database.check()
        return database, Directory(database, lambda: 0.0)

    def test_the_list_of_undeliverable_messages_has_its_name(self):
        """With its members; the address it had still reaches it, and running processes learn of it."""
        database, directory = self.upgraded(BEFORE, OLD_LIST)
        with directory.read() as view:
            found = view.named(DistributionList, UNDELIVERABLE)
            self.assertEqual(view.usn, 8)
            self.assertEqual([change.who for change in view.changes(0)], ["upgrade"])
        self.assertEqual((found.id, found.members, found.address), ("l", ("u",), f"{UNDELIVERABLE}@vm1.example.com"))
        book = Book.load(database)
        self.assertEqual(book.find("undeliverable-messages@vm1.example.com"), found)

    def test_a_directory_without_it_gets_it(self):
        """Empty, with its display name."""
        _, directory = self.upgraded(BEFORE)
        with directory.read() as view:
            found = view.named(DistributionList, UNDELIVERABLE)
        self.assertEqual((found.display_name, found.members), ("Undeliverable Messages", ()))

    def test_another_use_of_the_name_is_left_alone(self):
        """An administrator's own object is not taken away."""
        _, directory = self.upgraded(BEFORE, OTHER_USE)
        with directory.read() as view:
            self.assertIsNone(view.named(DistributionList, UNDELIVERABLE))
            self.assertEqual(view.entry_named(UNDELIVERABLE).display_name, "Somebody")

    def test_mail_of_all_ages(self):
        """Who was there before there were aging rules is not left out of them."""
        _, directory = self.upgraded(BEFORE)
        with directory.read() as view:
            self.assertTrue(view.named(User, "robin").age_messages)
            self.assertTrue(view.named(UserTemplate, "Office").age_messages)

    def test_relay_addresses_are_found(self):
        """Whoever wants one of them as an address is refused, as in a new directory."""
        from unitymail.interfaces.directory import Taken

        _, directory = self.upgraded(BEFORE)
        with directory.change("tester") as change:
            refused = self.assertRaises(Taken, change.add_proxy, "u", "robin@else.example")
        self.assertIn("is relayed to Robin@Else.Example", str(refused))
