"""What CAPABILITY offers: all of it, each word from a file that does it, and never what is hidden."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import ROBIN
from tests.imap.conversation import MESSAGE, House
from unitymail.imap.registry import discover
from unitymail.settings.site import SiteSettings

OFFERED = """
    IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ENABLE ID IDLE NAMESPACE CHILDREN UNSELECT
    LIST-EXTENDED LIST-STATUS LIST-METADATA SPECIAL-USE CREATE-SPECIAL-USE STATUS=SIZE METADATA
    UIDPLUS MOVE MULTIAPPEND CATENATE REPLACE BINARY APPENDLIMIT PREVIEW SAVEDATE OBJECTID
    CONDSTORE QRESYNC NOTIFY INPROGRESS PARTIAL
    ESEARCH SEARCHRES WITHIN MULTISEARCH SORT SORT=DISPLAY ESORT THREAD=REFERENCES THREAD=ORDEREDSUBJECT CONTEXT=SEARCH
    I18NLEVEL=1
    QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE UTF8=ACCEPT COMPRESS=DEFLATE
"""
"""The whole list of the design, but for what depends on the connection (STARTTLS, LOGINDISABLED, AUTH=) and UIDONLY."""

AWAITED = {"NOTIFY"}
SIGNED_IN = {"COMPRESS=DEFLATE"}
SIGNING_IN = {"AUTH=PLAIN", "AUTH=LOGIN", "AUTH=SCRAM-SHA-256"}


def words_of(line):
    return {word.partition("=")[0] if word.startswith("APPENDLIMIT=") else word for word in line.split()[2:]}


class CapabilityTests(SynchronousTestCase):
    def offered(self, client):
        (line, _) = client.say("a CAPABILITY")
        return words_of(line)

    def test_the_whole_list(self):
        """Everything the design lists is offered, and nothing else; ways to sign in to who has not done so."""
        house = House()
        whole = set(OFFERED.split())
        self.assertEqual(self.offered(house.connect()) | AWAITED, whole - SIGNED_IN | SIGNING_IN)
        self.assertEqual(self.offered(house.signed_in()) | AWAITED, whole)

    def test_each_word_once(self):
        """No two files announce the same word."""
        words = [offer.word for offer in discover().capabilities]
        self.assertEqual(sorted(words), sorted(set(words)))

    def test_hidden_from_a_user(self):
        """What an account's programs cannot bear is not offered once somebody has signed in, and not enabled."""
        house = House(users=[replace(ROBIN, hidden_capabilities=("qresync", "IMAP4rev2", "APPENDLIMIT", "IMAP4rev1"))])
        client = house.connect()
        self.assertIn("QRESYNC", self.offered(client))
        (answer,) = client.say("x LOGIN robin secret")
        told = words_of("* CAPABILITY " + answer.partition("[CAPABILITY ")[2].partition("]")[0])
        self.assertEqual(set(OFFERED.split()) - told - AWAITED, {"QRESYNC", "IMAP4rev2", "APPENDLIMIT"})
        self.assertEqual(self.offered(client), told)
        self.assertEqual(client.say("e ENABLE QRESYNC IMAP4rev2 CONDSTORE")[0], "* ENABLED CONDSTORE")
        other = house.connect()
        other.say("x LOGIN chris secret")
        self.assertIn("QRESYNC", self.offered(other))


class ClientTests(SynchronousTestCase):
    """`imap.hide_capability`: by what a program says of itself."""

    def house(self, rules, **changes):
        return House(site=replace(SiteSettings(), imap_hide_capability=rules), **changes)

    def offered(self, client):
        return words_of(client.say("a CAPABILITY")[0])

    def test_told_when_it_becomes_another(self):
        """Who has read CAPABILITY before it said who it is is told the new list, once."""
        client = self.house("name=Outlook*: QRESYNC IDLE").signed_in()
        self.assertLessEqual({"QRESYNC", "IDLE"}, self.offered(client))
        told, us, ok = client.say('a ID ("name" "Outlook 16" "vendor" "M")')
        self.assertTrue(told.startswith("* CAPABILITY IMAP4rev1 "))
        self.assertFalse({"QRESYNC", "IDLE"} & words_of(told))
        self.assertEqual((us[:6], ok), ("* ID (", "a OK ID completed"))
        self.assertEqual(self.offered(client), words_of(told))
        self.assertEqual(len(client.say('a ID ("name" "Outlook 16")')), 2)
        self.assertEqual(client.say("e ENABLE QRESYNC")[0], "* ENABLED")

    def test_before_signing_in(self):
        """ID before LOGIN: CAPABILITY and the code of LOGIN are right at once."""
        client = self.house("name=Outlook*: IDLE").connect()
        client.say('a ID ("name" "outlook")')
        self.assertNotIn("IDLE", self.offered(client))
        (answer,) = client.say("x LOGIN robin secret")
        self.assertNotIn(" IDLE ", answer)

    def test_others_are_left_alone(self):
        """Another program, one that says nothing, one that takes its name back."""
        house = self.house("name=Outlook*: IDLE")
        client = house.signed_in()
        self.assertEqual(len(client.say('a ID ("name" "Thunderbird")')), 2)
        self.assertIn("IDLE", self.offered(client))
        client.say('a ID ("name" "Outlook")')
        self.assertNotIn("IDLE", self.offered(client))
        client.say("a ID NIL")
        self.assertIn("IDLE", self.offered(client))

    def test_both_kinds_together(self):
        """What the account's programs cannot bear and what this one cannot."""
        house = self.house("name=x: MOVE", users=[replace(ROBIN, hidden_capabilities=("IDLE",))])
        client = house.signed_in()
        client.say('a ID ("name" "x")')
        self.assertFalse({"MOVE", "IDLE"} & self.offered(client))

    def test_what_it_may_do_all_the_same(self):
        """A hidden command still works: hiding is for programs that use what they see."""
        house = self.house("name=x: MOVE NAMESPACE")
        house.inbox.put(MESSAGE)
        client = house.selected()
        client.say('a ID ("name" "x")')
        self.assertTrue(client.say("a NAMESPACE")[-1].startswith("a OK"))
        self.assertTrue(client.say("a MOVE 1 Sent")[-1].startswith("a OK"))
