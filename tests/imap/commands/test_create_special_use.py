"""CREATE-SPECIAL-USE: the examples of RFC 6154, with both stores."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.disk import Disk
from unitymail.store import Store


class CreateSpecialUseTests(SynchronousTestCase):
    def setUp(self):
        self.house = self.opened()
        self.client = self.house.signed_in()

    def opened(self):
        return House()

    def uses(self):
        return {info.name: info.special_use for info in self.house.account.folders() if info.special_use}

    def test_one_mailbox_for_two_uses(self):
        """5.3: it has both, and those that had them have them no more."""
        answer = self.client.say("t2 CREATE MySpecial (USE (\\Drafts \\Sent))")
        self.assertTrue(answer[0].startswith("t2 OK [MAILBOXID ("), answer)
        self.assertEqual(
            self.uses(),
            {"MySpecial": "\\Drafts \\Sent", "Deleted Items": "\\Trash", "Junk": "\\Junk", "Archive": "\\Archive"},
        )
        self.assertEqual(
            self.client.say('t3 LIST (SPECIAL-USE) "" My*')[0], '* LIST (\\HasNoChildren \\Drafts \\Sent) "/" MySpecial'
        )
        self.client.say("t4 CREATE OnlySent (USE (\\sent))")
        self.assertEqual(self.uses()["MySpecial"], "\\Drafts")
        self.assertEqual(self.uses()["OnlySent"], "\\Sent")

    def test_a_use_that_we_do_not_have(self):
        """5.3: the mailbox is not created, and USEATTR says why."""
        for use in ("\\All", "\\Flagged", "\\Sent \\Nonsense"):
            (answer,) = self.client.say(f"t3 CREATE Everything (USE ({use}))")
            self.assertTrue(answer.startswith("t3 NO [USEATTR]"), answer)
            self.assertIn("\\Archive \\Drafts \\Junk \\Sent \\Trash", answer)
        self.assertNotIn("Everything", [info.name for info in self.house.account.folders()])
        self.assertEqual(self.uses()["Sent"], "\\Sent")

    def test_no_use(self):
        """An empty list is no use, and takes none away."""
        self.assertTrue(self.client.say("a CREATE Plain (USE ())")[0].startswith("a OK"))
        self.assertEqual(len(self.uses()), 5)
        self.assertNotIn("Plain", self.uses())

    def test_the_name_of_a_special_folder(self):
        """A folder that is called Sent is for sent messages, unless another one is."""
        for name, use in (("Sent", "\\Sent"), ("Drafts", "")):
            if not use:
                self.client.say("a CREATE Elsewhere (USE (\\Drafts))")
            self.client.say(f"a DELETE {name}")
            self.client.say(f"a CREATE {name}")
            self.assertEqual(self.uses().get(name, ""), use)

    def test_refused(self):
        """Lists must be lists, uses begin with a backslash, no parameter is there that we do not know."""
        for parameters in (
            "USE (\\Sent)", "(USE \\Sent)", "(USE (Sent))", "(USE (\\Sent)", "(BOGUS (x))", "()", "(USE)",
            "(USE (\\Sent) USE (\\Junk))",
        ):  # fmt: skip
            self.assertTrue(self.client.say(f"a CREATE x {parameters}")[0].startswith("a BAD"), parameters)
            self.client.say("b NOOP")
        many = " ".join(["\\Sent"] * 30)
        self.assertTrue(self.client.say(f"a CREATE x (USE ({many}))")[0].startswith("a BAD"))


class CreateSpecialUseOnDisk(CreateSpecialUseTests):
    """The same with the real store."""

    def opened(self):
        store = Store(self.mktemp(), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
        self.addCleanup(store.close)
        house = House(store=store)
        house.store = store
        return house

    def test_the_name_of_a_special_folder(self):
        """As in the RFC's words; and the use outlives a restart."""
        super().test_the_name_of_a_special_folder()
        before = self.uses()
        self.house.store.close()
        self.assertEqual(self.uses(), before)
