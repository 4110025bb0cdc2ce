"""A relay address needs a smart host and must not come back: neither may it become an address here afterwards."""

from dataclasses import replace

from tests.directory.places import DirectoryTestCase
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.user import Action, Actions

FAX = Actions(fax=Action.RELAY)


class RelayingTests(DirectoryTestCase):
    def setUp(self):
        super().setUp()
        self.set_site(smart_host__host="smart.example.net")
        self.robin = self.user("robin", proxies=("robin@corp.example",))

    def relaying(self, alias="kim", to="kim@else.example", **fields):
        return self.user(alias, actions=FAX, relay_address=to, **fields)

    def add_proxy(self, owner, address):
        with self.directory.change("tester") as change:
            change.add_proxy(owner.id, address)

    def test_what_comes_back_is_refused(self):
        """Primary and proxy addresses of anybody, in any spelling, with a tag too; and one's own."""
        self.add(DistributionList("", "sales", ""))
        self.add(Contact("", "pat", proxies=("pat@far.example",)))
        for to, why in (
            ("ROBIN@vm1.example.com", "belongs to the user robin"),
            ("robin@corp.example", "belongs to the user robin"),
            ("robin+fax@corp.example", "belongs to the user robin"),
            ("sales@vm1.example.com", "belongs to the list sales"),
            ("pat@far.example", "belongs to the contact pat"),
            ("Kim@vm1.example.com", "address of the same user"),
            ("PostMaster@vm1.example.com", "that of the postmaster here"),
            ("kim+fax@vm1.example.com", "address of the same user"),
        ):
            self.assertIn(why, self.refusal(self.relaying, to=to))
        self.assertIn("same user", self.refusal(self.relaying, to="k@x.example", proxies=("K@x.example",)))
        self.set_site(subaddressing="false")
        self.relaying(to="robin+fax@corp.example")

    def test_no_relay_address_becomes_an_address(self):
        """A proxy of anybody, an alias, a contact's, one's own: each would bring relayed mail back."""
        kim = self.relaying(to="fax@vm1.example.com")
        sentence = "Mail of the user kim is relayed to fax@vm1.example.com"
        self.assertIn(sentence, self.refusal(self.user, "fax"))
        self.assertIn(sentence, self.refusal(self.add, DistributionList("", "FAX", "")))
        self.assertIn(sentence, self.refusal(self.replace, replace(self.robin, alias="fax")))
        for owner in (self.robin, kim):
            self.assertIn(sentence, self.refusal(self.add_proxy, owner, "Fax@vm1.example.com"))
        self.assertIn(sentence, self.refusal(self.add, Contact("", "pat", proxies=("fax@vm1.example.com",))))
        self.replace(replace(kim, actions=Actions()))
        self.add_proxy(self.robin, "fax@vm1.example.com")
        self.assertIn("belongs to the user robin", self.refusal(self.replace, kim))

    def test_corporate_addresses_that_are_relayed_to(self):
        """The switch that makes them proxy addresses is refused while mail is relayed to one of them."""
        self.relaying(to="kim@corp.example", corporate_address="kim@corp.example")
        self.assertIn("relayed to kim@corp.example", self.refusal(self.set_site, corporate_proxy="true"))

    def test_without_a_smart_host(self):
        """No new relaying; who relays already may be changed otherwise, and may stop."""
        kim = self.relaying()
        self.set_site(smart_host__host="")
        for actions in (FAX, Actions(voice=Action.ACCEPT_AND_RELAY)):
            refused = self.refusal(self.user, "lee", actions=actions, relay_address="lee@else.example")
            self.assertIn("set one first with `unitymail site set smart_host.host=NAME`", refused)
        kim = self.replace(replace(kim, extension="7"))
        self.assertIn("smart host", self.refusal(self.replace, replace(kim, actions=Actions(Action.RELAY))))
        self.replace(replace(kim, actions=Actions()))

    def test_a_relay_address_is_needed_and_is_one(self):
        """The refusal gives an example."""
        self.assertIn("such as kim@elsewhere.example", self.refusal(self.user, "kim", actions=FAX))
        self.assertIn("no mail address", self.refusal(self.relaying, to="nonsense"))
        self.assertIn("only templates fill", self.refusal(self.relaying, to="%Alias%@x.example"))
        kim = self.relaying()
        self.assertIn("needs a relay address", self.refusal(self.replace, replace(kim, relay_address="")))

    def test_who_relays(self):
        """Sorted, by any category; who only has the address does not count."""
        self.user("lee", relay_address="lee@else.example")
        self.relaying("zoe", "z@else.example")
        self.user("amy", actions=Actions(receipt=Action.ACCEPT_AND_RELAY), relay_address="a@else.example")
        with self.directory.read() as view:
            self.assertEqual(view.relaying(), ["amy", "zoe"])
