"""What a client hears of how full the mailbox is: at SELECT, when its own command crosses a limit, once."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import ROBIN
from tests.imap.conversation import House
from unitymail.people.user import Quota

MIB = 1024 * 1024
QUOTA = Quota(MIB, 2 * MIB, 3 * MIB)
WARNED = "* NO [OVERQUOTA] Your mailbox is almost full (1.1 MB, it is full at 3.0 MB); please delete some messages"
FULL = "* NO [ALERT] Your mailbox is full (3.2 MB): no message comes in until you delete some"


def letter(octets):
    return b"Subject: x\r\n\r\n" + b"x" * (octets - 14)


class FullnessTests(SynchronousTestCase):
    def setUp(self):
        self.house = House(users=[replace(ROBIN, quota=QUOTA)])
        self.client = self.house.signed_in()

    def notices(self, lines):
        return [line for line in lines if line.startswith("* NO")]

    def test_at_select(self):
        """RFC 9208, 4.3.1: an untagged NO, before the tagged OK; not again on this connection, but on the next."""
        self.house.inbox.put(letter(MIB + MIB // 8))
        lines = self.client.say("a SELECT INBOX")
        self.assertEqual(lines[-2:], [WARNED, "a OK [READ-WRITE] SELECT completed"])
        self.assertEqual(self.notices(self.client.say("b SELECT Sent") + self.client.say("c NOOP")), [])
        self.assertEqual(self.notices(self.house.signed_in().say("a EXAMINE INBOX")), [WARNED])

    def test_nothing_without_a_mailbox(self):
        """MUST NOT be returned if there is no mailbox selected and no command in progress that adds a message."""
        self.house.inbox.put(letter(4 * MIB))
        for line in ("a NOOP", "b STATUS INBOX (MESSAGES)", 'c LIST "" *', 'd GETQUOTA ""', "e CREATE x"):
            self.assertEqual(self.notices(self.client.say(line)), [], line)

    def test_an_append_that_crosses(self):
        """Also with no mailbox selected; the next one, which crosses nothing, says nothing."""
        half = letter(MIB * 9 // 16)
        for number, notices in enumerate(([], [WARNED], [])):
            with self.subTest(number):
                lines = self.append(half)
                self.assertEqual(self.notices(lines), notices)
                self.assertIn("OK [APPENDUID", lines[-1])

    def append(self, octets):
        self.client.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(octets), octets))
        return self.client.heard().split("\r\n")[:-1]

    def test_a_copy_that_crosses(self):
        """COPY is told of the limit that it reached, the highest one."""
        self.house.inbox.put(letter(MIB * 8 // 5))
        self.client.say("a SELECT INBOX")
        self.assertEqual(self.notices(self.client.say("b COPY 1 Sent")), [FULL])
        self.assertEqual(self.notices(self.client.say("c COPY 1 Sent")), [])

    def test_somebody_else_fills_it(self):
        """A delivery crosses the limit while a mailbox is selected: the client hears after its next command."""
        self.client.say("a SELECT INBOX")
        self.house.inbox.put(letter(3 * MIB + MIB // 5))
        self.assertEqual(self.notices(self.client.say("b NOOP")), [FULL])

    def test_room_again(self):
        """Once it is well below the limit, reaching it is news again."""
        self.house.inbox.put(letter(MIB + MIB // 8))
        self.assertEqual(self.notices(self.client.say("a SELECT INBOX")), [WARNED])
        self.client.say("b STORE 1 +FLAGS.SILENT (\\Deleted)")
        self.client.say("c EXPUNGE")
        self.house.inbox.put(letter(MIB + MIB // 8))
        self.assertEqual(self.notices(self.client.say("d NOOP")), [WARNED])

    def test_without_limits(self):
        """Nothing is ever said."""
        house = House(users=[replace(ROBIN, quota=Quota(0, 0, 0))])
        house.inbox.put(letter(4 * MIB))
        self.assertEqual(self.notices(house.signed_in().say("a SELECT INBOX")), [])
