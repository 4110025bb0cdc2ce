"""APPEND: any form, streamed to disk, refused early where possible, and no file left behind."""

import os
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import HeldThreads
from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.settings.site import SiteSettings

N = len(MESSAGE)


class CountingDisk(Disk):
    """Remembers the sizes of the blocks written; fails after `room` octets."""

    def __init__(self):
        self.blocks = []
        self.room = None

    def write(self, fd, data):
        if self.room is not None and sum(self.blocks) + len(data) > self.room:
            raise OSError(28, "No space left on device")
        self.blocks.append(len(data))
        super().write(fd, data)


class AppendTests(SynchronousTestCase):
    def setUp(self):
        self.disk = CountingDisk()
        self.house = House(disk=self.disk)
        self.client = self.house.selected()
        self.files = []
        account = self.house.account
        made = account.new_file

        def new_file():
            fd, path = made()
            self.files.append((fd, path))
            return fd, path

        account.new_file = new_file

    def nothing_left(self):
        for fd, path in self.files:
            self.assertFalse(os.path.exists(path))
            self.assertRaises(OSError, os.fstat, fd)

    def append(self, arguments, octets=MESSAGE):
        self.client.send(b"a APPEND %b {%d+}\r\n" % (arguments.encode(), len(octets)) + octets + b"\r\n")
        return self.client.heard().split("\r\n")[:-1]

    def test_plain(self):
        """Flags and date are optional (stock: BAD without flags); the octets are kept as given."""
        self.assertEqual(
            self.append("INBOX"), ["* 1 EXISTS", "* 1 RECENT", "a OK [APPENDUID 1001 1] APPEND completed"]
        )
        self.assertEqual(self.house.inbox.octets(1), MESSAGE)
        self.assertEqual(self.append("INBOX", b"bare\nline\n")[-1], "a OK [APPENDUID 1001 2] APPEND completed")
        self.assertEqual(self.house.inbox.octets(2), b"bare\nline\n")
        self.nothing_left()

    def test_flags_and_date(self):
        """Flags, date, both; the message has them."""
        self.append('INBOX (\\Seen work) "17-Jul-1996 02:44:25 -0700"')
        self.append("INBOX (\\Flagged)")
        self.append('INBOX "17-Jul-1996 02:44:25 -0700"')
        self.assertEqual(self.house.inbox.flags_of(1), {"\\Seen", "work"})
        self.assertEqual(self.house.inbox.flags_of(2), {"\\Flagged"})
        self.assertEqual(self.house.inbox.rows([3], ["internaldate"])[0][1], b'"17-Jul-1996 09:44:25 +0000"')

    def test_another_mailbox(self):
        """APPEND elsewhere never disturbs the selected mailbox; the other one rings."""
        self.assertEqual(self.append("Sent"), ["a OK [APPENDUID 1003 1] APPEND completed"])
        self.assertEqual(self.house.doorbell.rings, [("u-robin", "Sent")])
        self.assertEqual(self.house.journal.named("mailbox_changed")[0].args, ("u-robin", "Sent", "appended", 1))

    def test_synchronising(self):
        """The client waits for `+`; what is refused is refused before it sends anything."""
        self.assertEqual(self.client.say(f"a APPEND INBOX {{{N}}}"), ["+ Ready for the message"])
        self.client.send(MESSAGE + b"\r\n")
        self.assertIn("a OK", self.client.heard())
        refusal = "b NO [TRYCREATE] There is no such mailbox; create it first"
        self.assertEqual(self.client.say("b APPEND Nowhere {10}"), [refusal])
        self.assertEqual(self.client.say("c APPEND a&b {10}")[0][:13], "c NO [CANNOT]")
        self.assertEqual(self.client.say("d APPEND INBOX {0}"), ["d NO [CANNOT] An empty message cannot be kept"])
        self.assertEqual(self.client.say("e NOOP"), ["e OK NOOP completed"])
        self.nothing_left()

    def test_refused_but_sent(self):
        """The octets of a refused non-synchronising APPEND are skipped, never run."""
        answer = self.append("Nowhere", b"x LOGOUT\r\n" * 3)
        self.assertEqual(answer, ["a NO [TRYCREATE] There is no such mailbox; create it first"])
        self.assertEqual(self.client.say("b NOOP"), ["b OK NOOP completed"])

    def test_name_as_a_literal(self):
        """The mailbox name may be a literal as well."""
        self.client.send(b"a APPEND {5+}\r\nINBOX (\\Seen) {%d+}\r\n" % N + MESSAGE + b"\r\n")
        self.assertIn("a OK [APPENDUID", self.client.heard())

    def test_the_mailbox_goes_meanwhile(self):
        """Somebody deletes the mailbox while the message is on its way: TRYCREATE, as if it had never been there."""
        self.client.say("x CREATE Going")
        self.client.send(b"a APPEND Going {%d}\r\n" % N)
        self.assertIn("+ ", self.client.heard())
        self.house.account.delete("Going")
        self.client.send(MESSAGE + b"\r\n")
        self.assertEqual(self.client.heard(), "a NO [TRYCREATE] There is no such mailbox; create it first\r\n")
        self.nothing_left()

    def test_the_mailbox_goes_between_two(self):
        """A client that appended to a mailbox that is gone by now, or another one, hears so or gets the other one."""
        self.client.say("x CREATE Going")
        self.assertIn("OK", self.append("Going", MESSAGE)[-1])
        before = self.house.account.folder("Going").snapshot.uidvalidity
        self.house.account.delete("Going")
        self.assertEqual(self.append("Going", MESSAGE), ["a NO [TRYCREATE] There is no such mailbox; create it first"])
        self.house.account.create("Going")
        now = self.house.account.folder("Going").snapshot.uidvalidity
        self.assertNotEqual(now, before)
        self.assertIn(f"[APPENDUID {now} 1]", self.append("Going", MESSAGE)[-1])
        self.nothing_left()

    def test_malformed(self):
        """What is not a message literal at the end is BAD, and leaves no file."""
        for arguments in ("INBOX", "INBOX (\\Bogus) {5}", 'INBOX "yesterday" {5}', "INBOX x {5}", 'INBOX "x"'):
            self.assertTrue(self.client.say(f"a APPEND {arguments}")[0].startswith("a BAD"), arguments)
        self.client.send(b"a APPEND INBOX {5+}\r\nhello extra\r\n")
        self.assertTrue(self.client.heard().startswith("a BAD"))
        self.assertEqual(len(self.house.inbox.snapshot.uids), 0)
        self.nothing_left()

    def test_nul(self):
        """A message with NUL is refused; the rest of it is skipped."""
        self.assertTrue(self.append("INBOX", b"a\0b" * 100_000)[0].startswith("a NO [UNKNOWN-CTE]"))
        self.assertEqual(self.client.say("b NOOP"), ["b OK NOOP completed"])
        self.nothing_left()

    def test_too_big(self):
        """The site's message limit holds, and is told before the octets come."""
        house = House(site=SiteSettings(smtp_max_message_kib=1))
        client = house.signed_in()
        self.assertEqual(client.say("a APPEND INBOX {1025}"), ["a NO [TOOBIG] A message may have 1024 octets"])
        self.assertEqual(client.say("b APPEND INBOX {1024}"), ["+ Ready for the message"])

    def test_over_quota(self):
        """A full mailbox is OVERQUOTA, and nothing stays behind."""
        self.house.account.quota = 10
        self.assertEqual(self.append("INBOX"), ["a NO [OVERQUOTA] The mailbox is full"])
        self.nothing_left()

    def test_large_messages_are_streamed(self):
        """8 MB go to disk in blocks; memory never holds more than one."""
        octets = b"0123456789abcde\n" * 524_288
        self.client.send(b"a APPEND INBOX {%d+}\r\n" % len(octets))
        for at in range(0, len(octets), 50_000):
            self.client.send(octets[at : at + 50_000])
            self.assertLess(self.client.protocol.inlet.assembler.waiting, 131_072)
        self.client.send(b"\r\n")
        self.assertIn("a OK", self.client.heard())
        self.assertEqual(self.house.inbox.octets(1), octets)
        self.assertLess(max(self.disk.blocks), 262_144)
        self.assertGreater(len(self.disk.blocks), 30)

    def test_a_slow_disk_slows_the_client(self):
        """While a block is written, no more than a little is taken from the client."""
        threads = HeldThreads()
        house = House(threads=threads)
        client = house.connect()
        client.send("x LOGIN robin secret\r\n")
        threads.step()
        client.send(b"a APPEND INBOX {1000000+}\r\n")
        threads.step()
        sent = 0
        while client.wire.producerState == "producing":
            client.send(b"x" * 10_000)
            sent += 10_000
        self.assertLess(sent, 300_000)
        while sent < 1_000_000:
            threads.step()
            while client.wire.producerState == "producing" and sent < 1_000_000:
                client.send(b"x" * 10_000)
                sent += 10_000
        client.send(b"\r\n")
        while threads.waiting:
            threads.step()
        self.assertIn("a OK", client.heard())
        self.assertEqual(house.inbox.octets(1), b"x" * 1_000_000)

    def test_the_disk_is_full(self):
        """No room on the disk is UNAVAILABLE; the file goes, the connection stays."""
        self.disk.room = 300_000
        self.assertTrue(self.append("INBOX", b"x" * 1_000_000)[0].startswith("a NO [UNAVAILABLE] The disk is full"))
        self.assertEqual(self.client.say("b NOOP"), ["b OK NOOP completed"])
        self.assertEqual(len(self.house.journal.named("trouble")), 1)
        self.nothing_left()

    def test_the_client_leaves(self):
        """A connection that breaks in the middle of a message leaves no file."""
        self.client.send(b"a APPEND INBOX {1000000+}\r\n" + b"x" * 500_000)
        self.assertEqual(len(self.files), 1)
        self.client.leave()
        self.nothing_left()
        self.assertEqual(len(self.house.inbox.snapshot.uids), 0)
        self.assertEqual(self.house.journal.named("trouble"), [])

    def test_literal8(self):
        """A literal8 without NUL is as good as any."""
        self.client.send(b"a APPEND INBOX ~{%d+}\r\n" % N + MESSAGE + b"\r\n")
        self.assertIn("a OK", self.client.heard())

    def test_where_files_are_made(self):
        """Files are the account's own, not made by the door."""
        self.append("INBOX", MESSAGE)
        self.assertEqual(len(self.files), 1)
        self.assertTrue(self.files[0][1].startswith(tempfile.gettempdir()))
