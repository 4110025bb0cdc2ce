"""A user whose home is a peer: the address is at the peer's domain, and only the peer applies actions and quota."""

from dataclasses import replace

from tests.directory.places import DirectoryTestCase
from unitymail.directory.book import Book
from unitymail.people.location import Location, LocationKind
from unitymail.people.user import ACCEPT_ALL, DEFAULT_QUOTA, Action, Actions, Quota

VM2 = Location("", LocationKind.PEER, "vm2", "vm2.example.com", "10.0.0.2", fingerprint="ab" * 32)


class RemoteUserTests(DirectoryTestCase):
    def setUp(self):
        super().setUp()
        self.peer = self.add(VM2)

    def test_the_address_follows_the_home(self):
        """It changes with every move, and the one before still reaches the user."""
        chris = self.user("chris", home=self.peer.id)
        self.assertEqual((chris.address, chris.proxies), ("chris@vm2.example.com", ()))
        chris = self.replace(replace(chris, home=""))
        self.assertEqual((chris.address, chris.proxies), ("chris@vm1.example.com", ("chris@vm2.example.com",)))
        chris = self.replace(replace(chris, home=self.peer.id))
        self.assertEqual((chris.address, chris.proxies), ("chris@vm2.example.com", ("chris@vm1.example.com",)))
        with self.directory.read() as view:
            self.assertEqual([a.kind for a in view.addresses_of(chris.id)], ["primary", "former"])

    def test_actions_and_quota_are_the_peers(self):
        """None are kept here, so that no page shows what does not hold."""
        self.set_site(smart_host__host="smart.example.net")
        actions = Actions(voice=Action.RELAY)
        robin = self.user("robin", actions=actions, relay_address="r@else.example", quota=Quota(1, 2, 3))
        robin = self.replace(replace(robin, home=self.peer.id))
        self.assertEqual((robin.actions, robin.relay_address, robin.quota), (ACCEPT_ALL, "", DEFAULT_QUOTA))

    def test_they_are_found_by_alias(self):
        """As everybody else; a former alias is no name to sign in with."""
        chris = self.user("chris", home=self.peer.id)
        book = Book.load(self.database)
        for name in ("chris", "CHRIS", "chris@vm2.example.com"):
            self.assertEqual(book.user_named(name), chris)
        self.replace(replace(chris, alias="christa"))
        book.refresh()
        self.assertIsNone(book.user_named("chris"))
        self.assertEqual(book.find("chris@vm2.example.com").alias, "christa")

    def test_only_peers_are_homes(self):
        """A VPIM location holds no mailbox of ours."""
        vpim = self.add(Location("", LocationKind.VPIM, "Tokyo", "tokyo.example"))
        for home in (vpim.id, "nothing"):
            self.assertIn("no such peer", self.refusal(self.user, "chris", home=home))

    def test_a_peer_keeps_its_domain_while_users_have_it(self):
        """It is part of their addresses; its name and host may change."""
        self.user("chris", home=self.peer.id)
        self.assertIn("part of the addresses of 1 user", self.refusal(self.replace, replace(self.peer, domain="x.org")))
        self.replace(replace(self.peer, name="two", host="10.0.0.3"))

    def test_domains_of_peers_are_their_own(self):
        """Not ours, not another peer's, no tail of a VPIM system's; nor is a key two peers'."""
        self.add(Location("", LocationKind.VPIM, "Tokyo", "tokyo.far.example"))
        other = replace(VM2, name="vm3", domain="vm3.example.com", fingerprint="cd" * 32)
        for fields, why in (
            ({"domain": "VM1.example.com"}, "our own"),
            ({"domain": "vm2.EXAMPLE.com"}, "belongs to the peer vm2"),
            ({"domain": "far.example"}, "tokyo.far.example ends with that of the peer vm3"),
            ({"fingerprint": "AB:" * 31 + "AB"}, "same public key"),
        ):
            self.assertIn(why, self.refusal(self.add, replace(other, **fields)))
        self.add(other)
