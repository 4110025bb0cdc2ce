"""The address book answers as the directory would, takes exactly what changed, and never shows half a change."""

from dataclasses import replace
from unittest import mock

from zope.interface.verify import verifyObject

from tests.directory.places import DirectoryTestCase
from unitymail.directory import loading
from unitymail.directory.book import Book
from unitymail.directory.sql import queries
from unitymail.directory.sql.database import Database
from unitymail.interfaces.book import IBook
from unitymail.interfaces.directory import Secret
from unitymail.people.access import AccessRule
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.people.location import Location, LocationKind
from unitymail.people.scope import Partition, SearchScope
from unitymail.people.user import User


class LookingUpTests(DirectoryTestCase):
    def setUp(self):
        super().setUp()
        self.robin = self.user("Robin", extension="1041", proxies=("Robin.Smith@example.com",))
        self.chris = self.user("chris")
        self.book = Book.load(self.database)

    def test_it_is_an_address_book(self):
        """It keeps the whole contract."""
        verifyObject(IBook, self.book)
        self.assertEqual(self.book.domain, "vm1.example.com")

    def test_addresses_whatever_their_case(self):
        """Primary and proxy addresses find their owner."""
        for address in ("robin@vm1.example.com", "ROBIN@VM1.EXAMPLE.COM", "robin.smith@Example.com"):
            self.assertEqual(self.book.find(address), self.robin)
        self.assertIsNone(self.book.find("nobody@vm1.example.com"))
        self.assertEqual(self.book.find_exactly("robin@vm1.example.com"), self.robin)
        self.assertIsNone(self.book.find_exactly("Robin@vm1.example.com"))

    def test_passwords_that_changed(self):
        """Since the book was opened, however much changed besides; neither an unlocking nor anybody else's counts."""
        with self.directory.change("tester") as change:
            change.set_password(self.robin.id, Secret("one"))
        self.book = Book.load(self.database)
        with self.directory.change("tester") as change:
            change.unlock(self.robin.id)
        self.book.refresh()
        self.assertEqual(self.book.password_changed(self.robin.id), 0)
        for above in (20_000, 0):
            opened = self.book.usn
            with mock.patch.object(loading, "RELOAD_ABOVE", above), self.directory.change("tester") as change:
                change.set_password(self.robin.id, Secret("two"))
            with mock.patch.object(loading, "RELOAD_ABOVE", above):
                self.book.refresh()
            self.assertGreater(self.book.password_changed(self.robin.id), opened)
            self.assertEqual(self.book.password_changed(self.chris.id), 0)
            newest = self.book.password_changed(self.robin.id)
            self.user(f"other{above}")
            self.book.refresh()
            self.assertEqual(self.book.password_changed(self.robin.id), newest)

    def test_the_undeliverable_list_is_found(self):
        """Every directory has it, empty, where reports look for it."""
        found = self.book.find(f"{UNDELIVERABLE}@vm1.example.com")
        self.assertEqual((found.display_name, found.members), ("Undeliverable Messages", ()))

    def test_peers_by_key_and_by_domain(self):
        """Only peers, whatever the case; nobody has no key."""
        peer = self.add(Location("", LocationKind.PEER, "vm2", "vm2.example.com", "10.0.0.2", fingerprint="AB" * 32))
        vpim = self.add(Location("", LocationKind.VPIM, "Tokyo", "tokyo.example"))
        self.book.refresh()
        self.assertEqual(self.book.peers(), (peer,))
        self.assertEqual(self.book.peer_with("ab" * 32), peer)
        self.assertEqual(self.book.peer_of("VM2.Example.com"), peer)
        self.assertIsNone(self.book.peer_with(vpim.fingerprint))
        self.assertIsNone(self.book.peer_of(vpim.domain))

    def test_tags_where_the_site_says_so(self):
        """user+tag reaches user, unless the switch is off or the whole address is somebody's."""
        self.assertEqual(self.book.find("robin+lists@vm1.example.com"), self.robin)
        self.assertIsNone(self.book.find_exactly("robin+lists@vm1.example.com"))
        with self.directory.change("tester") as change:
            change.add_proxy(self.chris.id, "robin+c@vm1.example.com")
        self.book.refresh()
        self.assertEqual(self.book.find("robin+c@vm1.example.com").alias, "chris")
        self.set_site(subaddressing="false")
        self.book.refresh()
        self.assertIsNone(self.book.find("robin+lists@vm1.example.com"))

    def test_names_people_sign_in_with(self):
        """The alias and every address; a former alias is an address only."""
        for name in ("robin", "ROBIN", "robin@vm1.example.com", "robin.smith@example.com"):
            self.assertEqual(self.book.user_named(name), self.robin)
        self.replace(replace(self.robin, alias="rob"))
        self.book.refresh()
        self.assertIsNone(self.book.user_named("robin"))
        self.assertEqual(self.book.user_named("robin@vm1.example.com").alias, "rob")
        self.assertEqual(self.book.user_named("rob").alias, "rob")

    def test_extensions_in_the_order_of_partitions(self):
        """The first partition that has the number wins; without partitions any will do."""
        other = self.add(Partition("", "Other"))
        twin = self.user("twin", extension="1041", partition=other.id)
        self.book.refresh()
        default = self.robin.partition
        self.assertEqual(self.book.user_at("1041", [default, other.id]), self.robin)
        self.assertEqual(self.book.user_at("1041", [other.id, default]), twin)
        self.assertIsNone(self.book.user_at("1041", []))
        self.assertIsNotNone(self.book.user_at("1041", None))
        self.assertIsNone(self.book.user_at("9", None))

    def test_a_voice_mail_system_by_domain_and_prefix(self):
        """Entered twice, the prefix that a number begins with tells which; one that fits neither gives the first."""
        tokyo = Location("", LocationKind.VPIM, "Tokyo", "Tokyo.example", remote_prefix="8")
        first, second = self.add(tokyo), self.add(replace(tokyo, name="Tokyo 2", remote_prefix="77"))
        self.add(replace(tokyo, name="Osaka", domain="osaka.example"))
        self.book.refresh()
        for local, expected in (("8123", first), ("77123", second), ("7123", first), ("", first)):
            self.assertEqual(self.book.vpim_location_of("TOKYO.example", local), expected)
        self.assertIsNone(self.book.vpim_location_of("example", "8123"))

    def test_ids_that_are_unknown_give_none(self):
        """A stale id is no error."""
        for look in (
            self.book.user, self.book.entry, self.book.class_of_service, self.book.scope, self.book.location,
            self.book.vpim_location_of,
        ):  # fmt: skip
            self.assertIsNone(look("nothing"))
        self.assertIsNone(self.book.contact_at("nothing", "1"))


class RefreshingTests(DirectoryTestCase):
    def setUp(self):
        super().setUp()
        self.robin = self.user("robin", proxies=("r@example.com",))
        self.chris = self.user("chris")
        self.book = Book.load(self.database)

    def same_as_loaded(self):
        """What the book took step by step is what a fresh load gives."""
        fresh = Book.load(self.database)
        ours, theirs = self.book._picture, fresh._picture
        for name in ("usn", "domain", "site", "authentication", "access", "classes", "partitions", "scopes",
                     "locations", "vpim_by_domain"):  # fmt: skip
            self.assertEqual(getattr(ours, name), getattr(theirs, name), name)
        for name in ("by_id", "by_key", "by_number"):
            one, other = getattr(ours, name), getattr(theirs, name)
            self.assertEqual(len(one), len(other), name)
            for key in set(other._base) | set(one._base) | set(one._top or {}):
                self.assertEqual(one.get(key), other.get(key), f"{name} {key}")

    def test_each_kind_of_change_is_taken(self):
        """After every sort of change the refreshed book equals a fresh one, and says that something changed."""
        vpim = Location("", LocationKind.VPIM, "Tokyo", "tokyo.example", dial_id="881")
        made = {}

        def keep(name, thing):
            made[name] = self.add(thing)

        def change(name, **fields):
            made[name] = self.replace(replace(made[name], **fields))

        def delete(name):
            with self.directory.change("tester") as changing:
                changing.delete(type(made[name]), made[name].id)

        for step in (
            lambda: keep("vpim", vpim),
            lambda: keep("contact", Contact("", "kim", location=made["vpim"].id, mailbox_number="77")),
            lambda: keep("list", DistributionList("", "sales", "", members=(self.robin.id,))),
            lambda: keep("cos", ClassOfService("", "Staff")),
            lambda: keep("partition", Partition("", "Lists")),
            lambda: keep("scope", SearchScope("", "Few", (made["partition"].id,))),
            lambda: change("cos", access_imap=True),
            lambda: change("contact", mailbox_number="78", proxies=("kim@example.com",)),
            lambda: change("vpim", domain="osaka.example"),
            lambda: change("list", members=(self.robin.id, self.chris.id)),
            lambda: self.replace(replace(self.robin, alias="rob", extension="12")),
            lambda: self.set_site(smtp__max_recipients="7", auth__max_failures="2"),
            lambda: self.add(AccessRule("10.0.0.0/8", True)),
            lambda: delete("list"),
            lambda: delete("contact"),
            lambda: delete("scope"),
            lambda: delete("vpim"),
        ):
            step()
            self.assertTrue(self.book.refresh())
            self.same_as_loaded()
        self.assertFalse(self.book.refresh())

    def test_an_address_may_change_hands_between_two_looks(self):
        """Robin gives an address up, chris takes it, chris is renamed: the book sees the end, not a mixture."""
        with self.directory.change("tester") as change:
            change.remove_proxy(self.robin.id, "r@example.com")
            change.add_proxy(self.chris.id, "r@example.com")
        self.replace(replace(self.chris, alias="kit", proxies=("r@example.com",)))
        self.book.refresh()
        self.assertEqual(self.book.find("r@example.com").alias, "kit")
        self.same_as_loaded()

    def test_only_changed_rows_are_read(self):
        """One change in a large directory costs one row, not a load."""
        self.replace(replace(self.robin, display_name="Robin the Second"))
        with mock.patch.object(queries, "all_slices", side_effect=AssertionError("read everything")):
            with mock.patch.object(loading, "load", side_effect=AssertionError("read everything")):
                self.assertTrue(self.book.refresh())
        self.assertEqual(self.book.user(self.robin.id).display_name, "Robin the Second")

    def test_readers_keep_a_whole_picture(self):
        """What somebody holds while the book changes stays as it was."""
        held, site = self.book.user(self.robin.id), self.book.site
        self.replace(replace(self.robin, display_name="New"))
        self.set_site(smtp__max_recipients="7")
        self.book.refresh()
        self.assertEqual(held.display_name, "robin")
        self.assertEqual(site.smtp_max_recipients, 15_000)

    def test_a_cut_log_means_reading_all(self):
        """Where the log no longer tells, the book is read in full and is right."""
        self.replace(replace(self.robin, display_name="New"))
        self.user("terry")
        with self.database.changing() as connection:
            connection.exec_driver_sql("DELETE FROM changes WHERE usn <= (SELECT max(usn) - 1 FROM changes)")
        self.assertTrue(self.book.refresh())
        self.same_as_loaded()

    def test_a_directory_put_back_from_a_backup_is_read_again(self):
        """A number that fell is no reason to keep what is gone."""
        with self.database.changing() as connection:
            connection.exec_driver_sql("UPDATE counters SET value = value - 1")
        self.assertTrue(self.book.refresh())
        self.same_as_loaded()

    def test_another_process_changes_it(self):
        """A change through another connection to the same file is taken by the next look."""
        from unitymail.directory.directory import Directory

        other = Database(self.path)
        self.addCleanup(other.close)
        with Directory(other, lambda: 0.0).change("elsewhere") as change:
            change.add(User("", "terry", ""))
            usn = change.usn
        self.assertTrue(self.book.refresh())
        self.assertEqual(self.book.usn, usn)
        self.assertIsNotNone(self.book.user_named("terry"))

    def test_many_slices_make_one_book(self):
        """A directory larger than one slice loads whole."""
        for number in range(10):
            self.user(f"u{number}", proxies=(f"p{number}@example.com",), delegates=(self.robin.id,))
        with mock.patch.object(queries, "SLICE", 3):
            sliced = Book.load(self.database)
        whole = Book.load(self.database)
        self.assertEqual(sorted(map(repr, sliced.users())), sorted(map(repr, whole.users())))
        self.assertEqual(len(sliced), 13)  # robin, chris, ten more and the list of undeliverable messages


class SharingTests(DirectoryTestCase):
    def test_equal_values_are_kept_once(self):
        """A hundred thousand users of one class do not keep a hundred thousand copies of it."""
        one, other = self.user("robin", first_name="Robin"), self.user("robin2", first_name="Robin")
        book = Book.load(self.database)
        one, other = book.user(one.id), book.user(other.id)
        for field in ("actions", "quota", "cos", "partition", "scope", "first_name", "hidden_capabilities"):
            self.assertIs(getattr(one, field), getattr(other, field), field)
