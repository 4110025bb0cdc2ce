"""CAPABILITY, NOOP, ID, ENABLE: small commands."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.imap.commands.enable import MOST_WORDS


class SmallTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.signed_in()

    def test_capability(self):
        """Every capability of this door, in any state; IMAP4rev1 first."""
        untagged, tagged = self.client.say("a capability")
        self.assertEqual(tagged, "a OK CAPABILITY completed")
        words = untagged.split()[2:]
        self.assertEqual(words[0], "IMAP4rev1")
        expected = {"IMAP4rev1", "LITERAL+", "SASL-IR", "ENABLE", "ID", "IDLE", "NAMESPACE", "CHILDREN", "UIDPLUS",
                    "MOVE", "UNSELECT", "SPECIAL-USE"}
        self.assertEqual(expected - set(words), set())
        self.assertEqual(len(words), len(set(words)))

    def test_arguments_where_none_belong(self):
        """NOOP takes none; a space at the end is forgiven."""
        self.assertTrue(self.client.say("a NOOP x")[0].startswith("a BAD"))
        self.assertEqual(self.client.say("a NOOP "), ["a OK NOOP completed"])

    def test_id(self):
        """We say who we are; what the client says of itself is remembered."""
        answer = self.client.say('a ID ("name" "Outlook" "version" NIL "vendor" "M")')
        self.assertTrue(answer[0].startswith('* ID ("name" "unitymail" "version" '))
        self.assertEqual(self.client.session.client_id, {"name": "Outlook", "vendor": "M"})
        self.assertEqual(self.client.say("b ID NIL")[1], "b OK ID completed")
        self.assertEqual(self.client.say("b ID nil")[1], "b OK ID completed")
        self.assertEqual(self.client.say("b ID ()")[1], "b OK ID completed")

    def test_id_with_spaces_inside(self):
        """aioimaplib writes a space after the first parenthesis and before the last; fields must still be apart."""
        self.assertEqual(self.client.say('a ID ( "name" "story" "version" "1" )')[1], "a OK ID completed")
        self.assertEqual(self.client.session.client_id, {"name": "story", "version": "1"})
        self.assertTrue(self.client.say('a ID ("name" "x""version" "1")')[0].startswith("a BAD"))

    def test_id_refused(self):
        """Not more than thirty fields, nor a megabyte of them."""
        many = " ".join(f'"k{n}" "v"' for n in range(31))
        for arguments in (f"({many})", '("name")', '("name" "x"', "x", f'("k" "{"v" * 2000}")'):
            self.assertTrue(self.client.say(f"a ID {arguments}")[0].startswith("a BAD"), arguments[:30])

    def test_id_of_one_name(self):
        """Thirty fields are thirty, though all have the same name."""
        fields = " ".join(['"x" "y"'] * 30)
        self.assertEqual(self.client.say(f"a ID ({fields})")[1], "a OK ID completed")
        self.assertTrue(self.client.say(f'a ID ({fields} "x" "y")')[0].startswith("a BAD An ID has at most 30"))

    def test_enable_very_much(self):
        """A hundred words are enough for everybody."""
        words = " ".join(["X"] * MOST_WORDS)
        self.assertEqual(self.client.say(f"a ENABLE {words}")[1], "a OK ENABLE completed")
        self.assertEqual(self.client.say(f"a ENABLE {words} Y"), ["a BAD ENABLE takes 100 words at most"])

    def test_enable(self):
        """What is not there is not enabled; no words are BAD."""
        self.assertEqual(self.client.say("a ENABLE BOGUS X-FOO"), ["* ENABLED", "a OK ENABLE completed"])
        self.assertTrue(self.client.say("a ENABLE")[0].startswith("a BAD"))

    def test_enable_what_is_there(self):
        """An extension that can be enabled is, once."""
        seen = []
        self.house.door.registry.gathered("ENABLES")["X-TEST"] = seen.append
        self.assertEqual(self.client.say("a ENABLE x-test"), ["* ENABLED X-TEST", "a OK ENABLE completed"])
        self.assertEqual(self.client.say("a ENABLE X-TEST"), ["* ENABLED", "a OK ENABLE completed"])
        self.assertEqual((seen, self.client.session.enabled), ([self.client.session], {"X-TEST"}))
