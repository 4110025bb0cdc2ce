"""Users in the directory: one address has one owner, an old alias still reaches, relaying is checked when saved."""

from dataclasses import replace

from tests.directory.places import DirectoryTestCase
from unitymail.interfaces.directory import NotFound, OwnedAddress, Secret, Taken
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.scope import Partition
from unitymail.people.user import Action, Actions, Quota, User


class AddingTests(DirectoryTestCase):
    def test_defaults_are_filled_in(self):
        """An alias is enough: address, display name, class, partition and scope follow."""
        robin = self.user("robin", first_name="Robin", last_name="Smith")
        self.assertEqual(robin.address, "robin@vm1.example.com")
        self.assertEqual(robin.display_name, "Robin Smith")
        self.assertTrue(robin.id and robin.cos and robin.partition and robin.scope)
        self.assertEqual(self.user("chris").display_name, "chris")

    def test_everything_that_is_given_is_kept(self):
        """What goes in comes out, read by another transaction."""
        boss = self.user("boss")
        given = User(
            "", "Robin", "", "Robin S", "Robin", "Smith", "1041", "robin@corp.example", ("a@x.example", "b@x.example"),
            delegates=(boss.id,), quota=Quota(1, 2, 3), route_ndr=False, hidden_capabilities=("QRESYNC", "IDLE"),
            age_messages=False,
        )  # fmt: skip
        kept = self.add(given)
        with self.directory.read() as view:
            self.assertEqual(view.named(User, "ROBIN"), kept)
        wanted = replace(
            given, id=kept.id, address="Robin@vm1.example.com", cos=kept.cos, partition=kept.partition, scope=kept.scope
        )
        self.assertEqual(kept, wanted)

    def test_an_alias_is_taken_whatever_its_case(self):
        """Robin and robin are one name, and the refusal says whose."""
        self.user("robin", display_name="Robin Smith")
        self.assertIn("user robin (Robin Smith)", self.refusal(self.user, "ROBIN"))

    def test_aliases_are_shared_by_users_contacts_and_lists(self):
        """`--member chris` can mean only one object."""
        self.user("robin")
        self.add(Contact("", "chris"))
        self.add(DistributionList("", "sales", ""))
        self.assertIn("user robin", self.refusal(self.add, Contact("", "robin")))
        self.assertIn("contact chris", self.refusal(self.user, "chris"))
        self.assertIn("list sales", self.refusal(self.user, "Sales"))

    def test_an_address_belongs_to_one_object_only(self):
        """A second owner is refused and the first one named, whatever kind of address it is on either side."""
        self.user("robin", proxies=("Robin.Smith@example.com",))
        self.assertIn("user robin", self.refusal(self.user, "chris", proxies=("robin.smith@EXAMPLE.com",)))
        self.assertIn("user robin", self.refusal(self.user, "chris", proxies=("robin@vm1.example.com",)))
        self.assertIn("user robin", self.refusal(self.add, Contact("", "c", proxies=("robin.smith@example.com",))))
        self.user("terry", proxies=("pat@vm1.example.com",))
        self.assertIn("user terry", self.refusal(self.user, "pat"))

    def test_an_extension_is_unique_within_its_partition(self):
        """The same number may stand in two partitions."""
        self.user("robin", extension="1041")
        self.assertIn("1041", self.refusal(self.user, "chris", extension="1041"))
        other = self.add(Partition("", "Other"))
        self.assertEqual(self.user("chris", extension="1041", partition=other.id).extension, "1041")

    def test_what_does_not_exist_cannot_be_referred_to(self):
        """Class, partition, scope, home server and delegates must be there."""
        for field in ("cos", "partition", "scope", "home"):
            self.refusal(self.user, "robin", **{field: "nothing"})
        self.refusal(self.user, "robin", delegates=("nobody",))

    def test_fields_are_checked(self):
        """No field of a user can break a line."""
        for field in ("first_name", "last_name", "display_name", "extension", "corporate_address", "relay_address"):
            self.refusal(self.user, "robin", **{field: "a\r\nBcc: everybody@example.com"})
        self.refusal(self.user, "robin", proxies=("a@b\nc",))
        for word in ("A B", "starttls", "IMAP4rev1", "LOGINDISABLED"):
            self.refusal(self.user, "robin", hidden_capabilities=(word,))
        self.refusal(self.user, "robin", quota=Quota(-1, 0, 0))


class ChangingTests(DirectoryTestCase):
    def test_an_old_alias_still_reaches(self):
        """After a change of name mail to the old address arrives, and nobody else can take it."""
        robin = self.user("robin", proxies=("r@example.com",))
        rob = self.replace(replace(robin, alias="rob"))
        self.assertEqual(rob.id, robin.id)
        self.assertEqual(rob.address, "rob@vm1.example.com")
        with self.directory.read() as view:
            self.assertEqual(view.owner_of("robin@vm1.example.com"), rob)
            self.assertEqual(
                view.addresses_of(rob.id),
                [
                    OwnedAddress("rob@vm1.example.com", "primary"),
                    OwnedAddress("r@example.com", "proxy"),
                    OwnedAddress("robin@vm1.example.com", "former"),
                ],
            )
        self.assertIn("user rob", self.refusal(self.user, "robin"))

    def test_the_old_alias_can_be_taken_back(self):
        """Renaming back and forth leaves one former address, never two owners."""
        robin = self.user("robin")
        rob = self.replace(replace(robin, alias="rob"))
        again = self.replace(replace(rob, alias="Robin"))
        with self.directory.read() as view:
            kinds = {a.address: a.kind for a in view.addresses_of(again.id)}
        self.assertEqual(kinds, {"Robin@vm1.example.com": "primary", "rob@vm1.example.com": "former"})

    def test_a_former_address_can_be_freed(self):
        """Taken away from its owner it is anybody's."""
        robin = self.user("robin")
        self.replace(replace(robin, alias="rob"))
        with self.directory.change("tester") as change:
            change.remove_proxy(robin.id, "robin@vm1.example.com")
        self.assertEqual(self.user("robin").address, "robin@vm1.example.com")

    def test_nothing_to_change_is_no_change(self):
        """Saving a user as it is logs nothing and gives no new number."""
        robin = self.user("robin")
        before = self.everything()
        self.replace(robin)
        self.assertEqual(self.everything(), before)

    def test_a_deleted_user_cannot_be_changed(self):
        """Somebody was quicker: the refusal says so."""
        robin = self.user("robin")
        with self.directory.change("tester") as change:
            change.delete(User, robin.id)
        self.assertRaises(NotFound, self.replace, replace(robin, alias="rob"))


class ProxyTests(DirectoryTestCase):
    def test_proxies_come_and_go(self):
        """Adding twice is harmless; removing what is not there is refused."""
        robin = self.user("robin")
        for _ in range(2):
            with self.directory.change("tester") as change:
                change.add_proxy(robin.id, "Robin.Smith@example.com")
        with self.directory.change("tester") as change:
            change.remove_proxy(robin.id, "robin.smith@example.com")

        def remove(address):
            with self.directory.change("tester") as change:
                change.remove_proxy(robin.id, address)

        self.assertIn("none of", self.refusal(remove, "robin.smith@example.com"))
        self.assertIn("primary", self.refusal(remove, "robin@vm1.example.com"))

    def test_a_taken_proxy_is_refused(self):
        """The owner is named."""
        self.user("robin")
        chris = self.user("chris")

        def add():
            with self.directory.change("tester") as change:
                change.add_proxy(chris.id, "robin@vm1.example.com")

        self.assertIn("user robin", self.refusal(add))


class CorporateTests(DirectoryTestCase):
    def test_the_switch_makes_and_takes_addresses(self):
        """On: every corporate address reaches its user; off: only what was given by hand stays."""
        robin = self.user("robin", corporate_address="robin@corp.example", proxies=("robin@corp.example",))
        chris = self.user("chris", corporate_address="chris@corp.example")
        self.assertEqual(chris.proxies, ())
        self.set_site(corporate_proxy="true")
        with self.directory.read() as view:
            self.assertEqual(view.owner_of("chris@corp.example").id, chris.id)
        self.set_site(corporate_proxy="false")
        with self.directory.read() as view:
            self.assertIsNone(view.owner_of("chris@corp.example"))
            self.assertEqual(view.owner_of("robin@corp.example").id, robin.id)

    def test_the_switch_follows_the_user(self):
        """While it is on, a new corporate address takes the place of the old one."""
        self.set_site(corporate_proxy="true")
        robin = self.user("robin", corporate_address="robin@corp.example")
        self.assertEqual(robin.proxies, ("robin@corp.example",))
        robin = self.replace(replace(robin, corporate_address="r@corp.example"))
        self.assertEqual(robin.proxies, ("r@corp.example",))

        def remove():
            with self.directory.change("tester") as change:
                change.remove_proxy(robin.id, "r@corp.example")

        self.assertIn("corporate", self.refusal(remove))
        self.assertEqual(self.replace(replace(robin, corporate_address="")).proxies, ())

    def test_a_clash_refuses_the_switch(self):
        """Two users with one corporate address: the switch stays off and both are named."""
        self.user("robin", corporate_address="office@corp.example")
        self.user("chris", corporate_address="Office@corp.example")
        sentence = self.refusal(self.set_site, corporate_proxy="true")
        self.assertIn("robin", sentence)
        self.assertIn("chris", sentence)

    def test_a_clash_refuses_the_user(self):
        """While the switch is on, a corporate address that is somebody's is refused at once."""
        self.set_site(corporate_proxy="true")
        self.user("robin")
        self.assertIn("user robin", self.refusal(self.user, "chris", corporate_address="robin@vm1.example.com"))


class RelayTests(DirectoryTestCase):
    relaying = Actions(voice=Action.RELAY)

    def test_relaying_needs_an_address_and_a_smart_host(self):
        """What could never work is refused when it is saved."""
        self.assertIn("relay address", self.refusal(self.user, "robin", actions=self.relaying))
        sentence = self.refusal(self.user, "robin", actions=self.relaying, relay_address="r@elsewhere.example")
        self.assertIn("smart host", sentence)
        self.set_site(smart_host__host="smart.example.com")
        robin = self.user("robin", actions=self.relaying, relay_address="r@elsewhere.example")
        self.assertIs(robin.actions.voice, Action.RELAY)

    def test_relayed_mail_must_not_come_back(self):
        """A relay address that is a primary or proxy address here is refused, the user's own included."""
        self.set_site(smart_host__host="smart.example.com")
        self.user("chris", proxies=("chris@example.com",))
        for address in ("chris@example.com", "Chris@vm1.example.com"):
            self.assertIn("user chris", self.refusal(self.user, "robin", actions=self.relaying, relay_address=address))
        own = {"actions": self.relaying, "relay_address": "r@example.com", "proxies": ("R@example.com",)}
        self.assertIn("same user", self.refusal(self.user, "robin", **own))


class DeletingTests(DirectoryTestCase):
    def test_a_deleted_user_leaves_no_trace_but_a_tombstone(self):
        """Addresses and alias are free again, lists and delegations forget the user, and the log says all of it."""
        robin, chris = self.user("robin", proxies=("r@example.com",)), self.user("chris")
        self.replace(replace(chris, delegates=(robin.id,)))
        sales = self.add(DistributionList("", "sales", "", members=(robin.id, chris.id)))
        with self.directory.change("tester") as change:
            change.set_password(robin.id, Secret("hash"))
            before = change.usn
            change.delete(User, robin.id)
        with self.directory.read() as view:
            self.assertEqual(view.get(User, chris.id).delegates, ())
            self.assertEqual(view.get(DistributionList, sales.id).members, (chris.id,))
            self.assertIsNone(view.credential(robin.id))
            logged = {(change.kind, change.id, change.what) for change in view.changes(before)}
        self.assertEqual(
            logged, {("user", robin.id, "deleted"), ("user", chris.id, "changed"), ("list", sales.id, "changed")}
        )
        self.user("robin", proxies=("r@example.com",))


class AuditTests(DirectoryTestCase):
    def test_who_changed_what_when(self):
        """The change log is the audit trail."""
        robin = self.user("robin")
        self.time = 2_000_000.0
        with self.directory.change("alice") as change:
            change.replace(replace(robin, alias="rob", extension="7"))
        with self.directory.read() as view:
            last = view.changes(0)[-1]
        self.assertEqual((last.kind, last.id, last.what), ("user", robin.id, "changed"))
        self.assertEqual((last.who, last.when), ("alice", 2_000_000.0))
        self.assertEqual(last.detail, "rob: alias, address, extension, proxies")

    def test_a_taken_name_is_a_kind_of_its_own(self):
        """Programs can tell a clash from other refusals."""
        self.user("robin")
        self.assertRaises(Taken, self.user, "robin")
