"""Classes, partitions, scopes, locations, templates, contacts, lists and access rules keep their own promises."""

from dataclasses import replace

from tests.directory.places import DirectoryTestCase
from unitymail.directory.keepers import keepers
from unitymail.people.access import AccessRule
from unitymail.people.class_of_service import ClassOfService, ImapBodies, RequireSecure
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location, LocationKind
from unitymail.people.scope import Partition, SearchScope
from unitymail.people.user import Action, Actions, User
from unitymail.people.user_template import UserTemplate

PEER = Location("", LocationKind.PEER, "vm2", "vm2.example.com", "10.0.0.2", 2525, 8443, fingerprint="AB:" * 31 + "CD")
TOKYO = Location(
    "", LocationKind.VPIM, "Tokyo", "tokyo.example", "10.0.0.9", dial_id="881", remote_prefix="8", local_prefix="9",
    blind_addressing=True, audio="mu-law", modify_contacts="name",
)  # fmt: skip


class KeeperTestCase(DirectoryTestCase):
    def default(self, kind):
        with self.directory.read() as view:
            return view.named(kind, "default")

    def delete(self, thing):
        with self.directory.change("tester") as change:
            change.delete(type(thing), getattr(thing, "id", None) or thing.pattern)


class DiscoveryTests(KeeperTestCase):
    def test_every_kind_has_a_keeper(self):
        """One file each."""
        book = {User, Contact, DistributionList}
        rules = {Location, ClassOfService, Partition, SearchScope, UserTemplate, AccessRule}
        self.assertEqual(set(keepers()), book | rules)

    def test_every_keeper_gives_back_what_it_took(self):
        """Added, read by id, by name and in the list, changed and deleted: the value is the same each time."""
        self.set_site(smart_host__host="smart.example.com")
        partition, scope, cos = self.default(Partition), self.default(SearchScope), self.default(ClassOfService)
        for thing, change in (
            (ClassOfService("", "Staff", True, ImapBodies.HEADERS, RequireSecure.ASK, True, False),
             {"secure_imap": False}),
            (Partition("", "Lists"), {"name": "Groups"}),
            (SearchScope("", "Few", (partition.id,)), {"partitions": ()}),
            (PEER, {"port": 25}),
            (TOKYO, {"fax": True}),
            (UserTemplate("", "Staff", "%FirstName%", "%Alias%@corp.example", cos.id, partition.id, scope.id,
                          Actions(fax=Action.RELAY), "%Alias%@fax.example", proxies=("%Extension%@v.example",),
                          age_messages=False),
             {"route_ndr": False}),
            (Contact("", "kim", "Kim", "Kim", "Lee", proxies=("kim@example.com",)), {"first_name": "Kimberly"}),
            (DistributionList("", "sales", "", "Sales", proxies=("s@example.com",), accept_foreign=True),
             {"allow_contacts": True}),
        ):  # fmt: skip
            kept = self.add(thing)
            again = self.replace(replace(kept, **change))
            self.assertEqual(again, replace(kept, **change))
            name = getattr(again, "name", None) or again.alias
            with self.directory.read() as view:
                self.assertEqual(view.get(type(thing), again.id), again)
                self.assertEqual(view.named(type(thing), name.upper()), again)
                self.assertIn(again, view.all(type(thing)))
            self.delete(again)
            with self.directory.read() as view:
                self.assertIsNone(view.get(type(thing), again.id))

    def test_names_are_unique_whatever_their_case(self):
        """Two classes named Staff and STAFF would be one to people."""
        self.add(ClassOfService("", "Staff"))
        self.assertIn("Staff", self.refusal(self.add, ClassOfService("", "STAFF")).title())
        self.refusal(self.add, ClassOfService("", ""))
        self.refusal(self.add, ClassOfService("", "a\nb"))


class DefaultsTests(KeeperTestCase):
    def test_what_a_new_directory_holds(self):
        """Class Default has IMAP with all bodies; the default scope reaches the default partition."""
        cos = self.default(ClassOfService)
        self.assertEqual((cos.access_imap, cos.imap_bodies), (True, ImapBodies.ALL))
        self.assertEqual(self.default(SearchScope).partitions, (self.default(Partition).id,))

    def test_a_new_class_starts_as_unity_connections(self):
        """IMAP off, bodies of private messages withheld, secure when private."""
        cos = self.add(ClassOfService("", "Staff"))
        self.assertEqual(
            (cos.access_imap, cos.imap_bodies, cos.secure), (False, ImapBodies.NOT_PRIVATE, RequireSecure.PRIVATE)
        )

    def test_defaults_cannot_be_deleted(self):
        """New objects need them."""
        for kind in (ClassOfService, Partition, SearchScope):
            self.assertIn("new objects", self.refusal(self.delete, self.default(kind)))


class InUseTests(KeeperTestCase):
    def test_what_is_referred_to_stays(self):
        """The refusal says how many refer to it; when they are gone it can go."""
        cos, partition = self.add(ClassOfService("", "Staff")), self.add(Partition("", "Staff"))
        scope = self.add(SearchScope("", "Staff", (partition.id,)))
        peer = self.add(PEER)
        robin = self.user("robin", cos=cos.id, scope=scope.id, partition=partition.id, home=peer.id)
        for thing in (cos, scope, partition, peer):
            self.assertIn("in use by 1", self.refusal(self.delete, thing))
        self.delete(robin)
        for thing in (cos, scope, partition, peer):
            self.delete(thing)


class LocationTests(KeeperTestCase):
    def test_a_fingerprint_is_kept_in_one_spelling(self):
        """With colons or without, upper case or lower."""
        self.assertEqual(self.add(PEER).fingerprint, "ab" * 31 + "cd")

    def test_a_peer_needs_a_key_and_a_host(self):
        """Without them nobody could tell it from a stranger, or reach it."""
        self.assertIn("public key", self.refusal(self.add, replace(PEER, fingerprint="12")))
        self.assertIn("--host", self.refusal(self.add, replace(PEER, host="")))

    def test_a_vpim_domain_must_not_end_with_ours(self):
        """Ours, below ours, and even a longer word that ends alike fail delivery in Unity Connection."""
        for domain in ("vm1.example.com", "tokyo.vm1.example.com", "tokyovm1.example.com"):
            self.assertIn("ends with ours", self.refusal(self.add, replace(TOKYO, domain=domain)))

    def test_dial_ids_do_not_begin_alike(self):
        """At least three digits, prefix-free, and no extension."""
        self.user("robin", extension="882")
        self.add(TOKYO)
        other = replace(TOKYO, name="Osaka", domain="osaka.example")
        for dial_id in ("88", "881", "8812", "882", "x88"):
            self.refusal(self.add, replace(other, dial_id=dial_id))
        self.add(replace(other, dial_id="883"))

    def test_one_system_twice_needs_two_prefixes(self):
        """The same domain again is refused unless both have a prefix of their own."""
        self.add(TOKYO)
        twice = replace(TOKYO, name="Tokyo 2", dial_id="")
        self.refusal(self.add, twice)
        self.refusal(self.add, replace(twice, remote_prefix=""))
        self.add(replace(twice, remote_prefix="7"))

    def test_unknown_choices_are_refused(self):
        """Audio, contact rules, ports."""
        for fields in ({"audio": "mp3"}, {"modify_contacts": "often"}, {"port": 70_000}, {"domain": "no domain"}):
            self.refusal(self.add, replace(TOKYO, **fields))


class ContactTests(KeeperTestCase):
    def test_a_vpim_contact_has_its_own_mailbox_number(self):
        """Two contacts for one mailbox would be one person."""
        tokyo = self.add(TOKYO)
        self.add(Contact("", "kim", location=tokyo.id, mailbox_number="77"))
        self.assertIn("contact kim", self.refusal(self.add, Contact("", "lee", location=tokyo.id, mailbox_number="77")))
        self.refusal(self.add, Contact("", "lee", location=tokyo.id))
        self.refusal(self.add, Contact("", "lee", location="nothing", mailbox_number="1"))
        peer = self.add(PEER)
        self.refusal(self.add, Contact("", "lee", location=peer.id, mailbox_number="1"))


class ListTests(KeeperTestCase):
    def test_members_must_exist_and_be_allowed(self):
        """Contacts only where the list takes them, never the list itself, nobody unknown, each once."""
        robin, kim = self.user("robin"), self.add(Contact("", "kim"))
        sales = self.add(DistributionList("", "sales", "", members=(robin.id, robin.id)))
        self.assertEqual(sales.members, (robin.id,))
        self.assertEqual(sales.address, "sales@vm1.example.com")
        self.assertIn("--allow-contacts", self.refusal(self.replace, replace(sales, members=(kim.id,))))
        self.refusal(self.replace, replace(sales, members=(sales.id,)))
        self.refusal(self.replace, replace(sales, members=("nobody",)))
        allowed = self.replace(replace(sales, members=(kim.id,), allow_contacts=True))
        self.assertEqual(allowed.members, (kim.id,))


class AccessTests(KeeperTestCase):
    def test_patterns_have_one_spelling(self):
        """However it is written, a rule is found again; host bits and zeros do not make another one."""
        for written, kept in (
            ("10.1.2.3", "10.1.2.3"), ("10.1.2.3/16", "10.1.0.0/16"), ("10.1.*.*", "10.1.*.*"), ("*", "*"),
            ("010.1.*.*", "10.1.*.*"), ("2001:DB8::0:1", "2001:db8::1"), ("2001:db8::1/32", "2001:db8::/32"),
        ):  # fmt: skip
            self.assertEqual(self.add(AccessRule(written, True)).pattern, kept)

    def test_what_is_no_pattern_is_refused(self):
        """Names, holes and numbers that no address has."""
        for pattern in ("", "host.example.com", "10.*.1.*", "10.1", "300.1.*.*", "10.1.2.3/40", "10.1.2.x", "1*.1.1.1"):
            self.refusal(self.add, AccessRule(pattern, True))

    def test_the_same_pattern_again_changes_the_rule(self):
        """No two verdicts for one pattern."""
        self.add(AccessRule("10.0.0.0/8", True))
        self.add(AccessRule("10.0.0.0/8", False, True))
        with self.directory.read() as view:
            self.assertEqual(view.all(AccessRule), [AccessRule("10.0.0.0/8", False, True)])

    def test_a_rule_can_come_and_go_and_come(self):
        """Deleting the same rule a second time is no different."""
        for _ in range(3):
            self.delete(self.add(AccessRule("10.0.0.1", True)))


class ScopeTests(KeeperTestCase):
    def test_partitions_exist_and_count_once(self):
        """In the order in which they are first named; one that is not there is refused."""
        a, b = self.add(Partition("", "A")), self.add(Partition("", "B"))
        self.assertEqual(self.add(SearchScope("", "S", (b.id, a.id, b.id))).partitions, (b.id, a.id))
        self.assertIn("no such partition", self.refusal(self.add, SearchScope("", "T", (a.id, "nothing"))))


class TemplateTests(KeeperTestCase):
    def test_who_relays_already_may_be_changed_without_a_smart_host(self):
        """But may not begin to relay more, nor lose the address that it takes."""
        self.set_site(smart_host__host="smart.example.com")
        made = self.add(UserTemplate("", "T", actions=Actions(fax=Action.RELAY), relay_address="%Alias%@f.example"))
        self.set_site(smart_host__host="")
        made = self.replace(replace(made, route_ndr=False))
        more = replace(made, actions=Actions(voice=Action.RELAY, fax=Action.RELAY))
        self.assertIn("needs a smart host", self.refusal(self.replace, more))
        self.assertIn("needs a relay address", self.refusal(self.replace, replace(made, relay_address="")))
        self.replace(replace(made, actions=Actions()))

    def test_corporate_addresses_come_back_where_they_are_addresses_here(self):
        """A template cannot relay to what it makes its users' proxy address."""
        self.set_site(smart_host__host="smart.example.com")
        made = UserTemplate("", "T", corporate_address="%Alias%@corp.example", relay_address="%Alias%@corp.example")
        self.add(made)
        self.set_site(corporate_proxy="true")
        self.assertIn("address of the same user", self.refusal(self.add, replace(made, name="U")))

    def test_relaying_needs_an_address(self):
        """Tokens are allowed in it, spaces and line breaks are not; nor does it work without a smart host."""
        relaying = UserTemplate("", "Relay", actions=Actions(voice=Action.RELAY))
        self.refusal(self.add, relaying)
        for address in ("nonsense", "a b@c", "a@b\nc"):
            self.refusal(self.add, replace(relaying, relay_address=address))
        good = replace(relaying, relay_address="%Alias%@example.com")
        self.assertIn("site set smart_host.host=", self.refusal(self.add, good))
        self.set_site(smart_host__host="smart.example.com")
        self.add(good)
