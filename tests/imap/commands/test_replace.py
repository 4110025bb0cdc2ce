"""REPLACE and UID REPLACE (RFC 8508): a new message in place of an old one."""

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.store import NoSuchMessage
from unitymail.settings.site import SiteSettings
from unitymail.store import Store

NEW = (
    b"Date: Thu, 1 Jan 2015 00:05:00 -0500 (EST)\r\nFrom: Fritz Schmidt <fritz.ze@example.org>\r\n"
    b"Subject: happy new year !!\r\nTo: miss.mitzy@example.org\r\nMessage-Id: <B238822388-0100000@example.org>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\nJust saw the best fireworks show.\r\n"
)


def plus(octets):
    return b"{%d+}\r\n%b" % (len(octets), octets)


class Replacing(SynchronousTestCase):
    """Four drafts, the selected mailbox Drafts."""

    def setUp(self):
        self.house = House()
        self.drafts = self.house.account.folder("Drafts")
        for number in range(4):
            self.drafts.put(MESSAGE + b"%d\r\n" % number, ["\\Draft"], recent=False)
        self.client = self.house.selected("Drafts")
        self.validity = self.drafts.snapshot.uidvalidity

    def send(self, *octets):
        self.client.send(b"".join(octets) + b"\r\n")
        return self.client.heard().split("\r\n")[:-1]

    def test_the_example(self):
        """The RFC's example: the fourth of four drafts; what it is now is told before the old one goes."""
        self.assertEqual(
            self.client.say(f"A003 REPLACE 4 Drafts (\\Seen \\Draft) {{{len(NEW)}}}"), ["+ Ready for the message"]
        )
        answer = self.send(NEW)
        self.assertEqual(answer[0], f"* OK [APPENDUID {self.validity} 5] Replacement message ready")
        self.assertEqual(sorted(answer[1:-1])[-1], "* 4 EXPUNGE")
        self.assertEqual(answer[-1], "A003 OK REPLACE completed")
        self.assertIn("* 1 RECENT", answer)
        self.assertEqual(self.drafts.octets(5), NEW)
        self.assertEqual(self.drafts.flags_of(5), {"\\Seen", "\\Draft"})
        self.assertEqual(list(self.drafts.snapshot.uids), [1, 2, 3, 5])
        self.assertEqual(self.client.say("b FETCH 4 UID"), ["* 4 FETCH (UID 5)", "b OK FETCH completed"])

    def test_by_uid(self):
        """UID REPLACE, into another mailbox, with a date; both mailboxes ring."""
        sent = self.house.account.folder("Sent")
        answer = self.send(b'a UID REPLACE 2 Sent (\\Seen) "17-Jul-1996 02:44:25 -0700" ', plus(NEW))
        self.assertEqual(answer[0], f"* OK [APPENDUID {sent.snapshot.uidvalidity} 1] Replacement message ready")
        self.assertEqual(answer[1:], ["* 2 EXPUNGE", "a OK REPLACE completed"])
        self.assertEqual(sent.rows([1], ["internaldate"])[0][1], b'"17-Jul-1996 09:44:25 +0000"')
        self.assertEqual(sorted(self.house.doorbell.rings), [("u-robin", "Drafts"), ("u-robin", "Sent")])
        self.assertEqual(self.house.journal.named("mailbox_changed")[0].args, ("u-robin", "Drafts", "replace", 1))

    def test_the_last(self):
        """`*` is the last message (seq-number of RFC 3501)."""
        self.assertIn("a OK REPLACE completed", self.send(b"a REPLACE * Drafts ", plus(NEW)))
        self.assertEqual(list(self.drafts.snapshot.uids), [1, 2, 3, 5])
        self.assertIn("b OK REPLACE completed", self.send(b"b UID REPLACE * Drafts ", plus(NEW)))
        self.assertEqual(list(self.drafts.snapshot.uids), [1, 2, 3, 6])

    def test_catenated(self):
        """The new message may be made of parts of the old one (RFC 8508 4.2)."""
        answer = self.send(b"a REPLACE 1 Drafts (\\Draft) CATENATE (URL ;UID=1 TEXT ", plus(b"more\r\n"), b")")
        self.assertEqual(answer[-1], "a OK REPLACE completed")
        self.assertEqual(self.drafts.octets(5), MESSAGE + b"0\r\nmore\r\n")

    def test_one_message_for_one(self):
        """No sets, no saved results, and no second new message (RFC 8508 4.7)."""
        for words in (b"1:2 Drafts", b"1,2 Drafts", b"$ Drafts", b"0 Drafts", b"x Drafts", b"1"):
            self.assertTrue(self.send(b"a REPLACE ", words, b" ", plus(b"x LOGOUT"))[-1].startswith("a BAD"), words)
        self.assertTrue(self.send(b"a REPLACE 1 Drafts ", plus(NEW), b" ", plus(NEW))[-1].startswith("a BAD"))
        self.assertTrue(self.send(b"a REPLACE 5 Drafts ", plus(NEW))[-1].startswith("a BAD"))
        self.assertEqual(list(self.drafts.snapshot.uids), [1, 2, 3, 4])

    def test_gone(self):
        """When the old message is not there, nothing is asked for and nothing is appended."""
        refusal = "a NO [EXPUNGEISSUED] The message is not there any more; nothing was appended"
        self.assertEqual(self.client.say("a UID REPLACE 77 Drafts {100}"), [refusal])
        self.drafts.store([2], "add", ["\\Deleted"])
        self.drafts.expunge()
        self.assertEqual(self.client.say("a REPLACE 2 Drafts {100}")[-1], refusal)

    def test_gone_meanwhile(self):
        """The same when it goes while the new one is on its way."""
        def gone(*args):
            raise NoSuchMessage()

        self.patch(self.drafts, "replace", gone)
        self.assertIn("a NO [EXPUNGEISSUED]", self.send(b"a REPLACE 1 Drafts ", plus(NEW))[-1])
        self.assertEqual(list(self.drafts.snapshot.uids), [1, 2, 3, 4])

    def test_the_mailbox_goes_meanwhile(self):
        """When the other mailbox is deleted while the new message is on its way, the old one stays: TRYCREATE."""
        self.client.say("x CREATE Going")
        self.client.send(b"a REPLACE 1 Going {%d}\r\n" % len(NEW))
        self.client.heard()
        self.house.account.delete("Going")
        self.assertIn("a NO [TRYCREATE]", self.send(NEW)[-1])
        self.assertEqual(list(self.drafts.snapshot.uids), [1, 2, 3, 4])

    def test_refusals(self):
        """What APPEND would refuse is refused, and the old message stays."""
        self.assertEqual(
            self.client.say("a REPLACE 1 Nowhere {10}"), ["a NO [TRYCREATE] There is no such mailbox; create it first"]
        )
        self.assertEqual(self.client.say("b REPLACE 1 Drafts {0}"), ["b NO [CANNOT] An empty message cannot be kept"])
        self.house.account.quota = 4 * (len(MESSAGE) + 3) + 10
        self.assertEqual(self.send(b"c REPLACE 1 Drafts ", plus(NEW)), ["c NO [OVERQUOTA] The mailbox is full"])
        self.patch(self.drafts, "replace", lambda *args: (_ for _ in ()).throw(TryAgain()))
        self.assertIn("d NO [UNAVAILABLE]", self.send(b"d REPLACE 1 Drafts ", plus(NEW))[-1])
        self.assertEqual(list(self.drafts.snapshot.uids), [1, 2, 3, 4])

    def test_in_a_full_mailbox(self):
        """The room of the old message can be used for the new one."""
        self.house.account.quota = 4 * (len(MESSAGE) + 3)
        self.assertIn("a OK REPLACE completed", self.send(b"a REPLACE 1 Drafts ", plus(MESSAGE)))

    def test_read_only(self):
        """What is open with EXAMINE is not replaced."""
        client = self.house.selected("Drafts", "EXAMINE")
        self.assertTrue(client.say("a REPLACE 1 Drafts {10}")[0].startswith("a NO"))

    def test_states(self):
        """A mailbox must be selected."""
        client = self.house.signed_in()
        refusal = "a BAD REPLACE cannot be used with no mailbox selected"
        self.assertEqual(client.say("a REPLACE 1 Drafts {10}"), [refusal])

    def test_too_big(self):
        """The message limit holds, and is told before the octets come."""
        house = House(site=SiteSettings(smtp_max_message_kib=1))
        house.inbox.put(MESSAGE)
        client = house.selected()
        self.assertEqual(client.say("a REPLACE 1 INBOX {1025}"), ["a NO [TOOBIG] A message may have 1024 octets"])

    def test_others_see_it(self):
        """Another client of the mailbox hears of both."""
        other = self.house.selected("Drafts")
        self.send(b"a REPLACE 2 Drafts ", plus(NEW))
        heard = other.say("b NOOP")
        self.assertIn("* 2 EXPUNGE", heard)
        self.assertIn("* 4 EXISTS", heard)

    def test_announced(self):
        """The capability is there, and can be hidden."""
        self.assertIn(" REPLACE", self.client.say("a CAPABILITY")[0])


@pytest.mark.parametrize("command", [b"REPLACE 2 INBOX", b"UID REPLACE 2 INBOX"])
def test_on_disk(tmp_path, command):
    """The store on disk replaces as the one in memory does."""
    store = Store(str(tmp_path), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
    try:
        house = House(store=store)
        client = house.signed_in()

        def say(octets):
            client.send(octets)
            for _ in range(5):
                house.clock.advance(0.01)
            return client.heard()

        for number in range(3):
            say(b"a APPEND INBOX " + plus(MESSAGE + b"%d\r\n" % number) + b"\r\n")
        say(b"a SELECT INBOX\r\n")
        heard = say(b"a " + command + b" (\\Seen) " + plus(NEW) + b"\r\n")
        assert "* 2 EXPUNGE\r\n" in heard and " 4] Replacement" in heard
        assert heard.endswith("a OK REPLACE completed\r\n")
        assert "FETCH (" not in say(b"b UID FETCH 2 (UID)\r\n")
        assert "happy new year" in say(b"b FETCH 3 (UID BODY.PEEK[])\r\n")
    finally:
        store.close()
