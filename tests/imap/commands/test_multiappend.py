"""MULTIAPPEND (RFC 3502): several messages as one, or none of them."""

import os

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.commands.test_append import CountingDisk
from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.imap import upload
from unitymail.settings.site import SiteSettings
from unitymail.store import Store

FIRST = (
    b"Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\nFrom: Fred Foobar <foobar@Blurdybloop.example.COM>\r\n"
    b"Subject: afternoon meeting\r\nTo: mooch@owatagu.example.net\r\n"
    b"Message-Id: <B27397-0100000@Blurdybloop.example.COM>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n"
    b"Hello Joe, do you think we can meet at 3:30 tomorrow?\r\n"
)
SECOND = (
    b"Date: Mon, 7 Feb 1994 22:43:04 -0800 (PST)\r\nFrom: Joe Mooch <mooch@OWaTaGu.example.net>\r\n"
    b"Subject: Re: afternoon meeting\r\nTo: foobar@blurdybloop.example.com\r\n"
    b"Message-Id: <a0434793874930@OWaTaGu.example.net>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n"
    b"3:30 is fine with me.\r\n\r\n"
)


def plus(octets):
    return b"{%d+}\r\n%b" % (len(octets), octets)


def keywords(first, last):
    return b"(" + b" ".join(b"k%d" % number for number in range(first, last)) + b")"


class MultiAppendTests(SynchronousTestCase):
    def setUp(self):
        self.disk = CountingDisk()
        self.house = House(disk=self.disk)
        self.client = self.house.selected()
        self.files = []
        account = self.house.account
        made = account.new_file

        def new_file():
            descriptor, path = made()
            self.files.append((descriptor, path))
            return descriptor, path

        account.new_file = new_file

    def tearDown(self):
        """No command leaves a file or a descriptor behind."""
        for descriptor, path in self.files:
            self.assertFalse(os.path.exists(path))
            self.assertRaises(OSError, os.fstat, descriptor)

    def send(self, *octets):
        self.client.send(b"".join(octets) + b"\r\n")
        return self.client.heard().split("\r\n")[:-1]

    def none_there(self):
        self.assertEqual(list(self.house.inbox.snapshot.uids), [])
        self.assertEqual(self.client.say("z NOOP"), ["z OK NOOP completed"])

    def test_more_keywords_than_a_folder_holds(self):
        """They are refused when the first one too many is named, not kept in memory until all messages are here."""
        self.client.send(b"a APPEND INBOX %b %b" % (keywords(0, 200), plus(FIRST)))
        self.client.send(b" %b %b" % (keywords(0, 200).upper(), plus(SECOND)))
        self.assertEqual(self.client.heard(), "")
        self.client.send(b" %b %b" % (keywords(200, 206), plus(SECOND)))
        self.assertEqual(self.client.heard(), "a NO [LIMIT] A folder can hold 200 keywords\r\n")
        self.client.send(b"\r\n")
        self.assertEqual(self.client.say("b NOOP"), ["b OK NOOP completed"])

    def test_the_example(self):
        """The example of the RFC: one command, two messages with flags and date of their own."""
        self.house.account.create("saved-messages")
        self.assertEqual(
            self.client.say(f"A003 APPEND saved-messages (\\Seen) {{{len(FIRST)}}}"), ["+ Ready for the message"]
        )
        self.client.send(FIRST + b' (\\Seen) " 7-Feb-1994 22:43:04 -0800" {%d}\r\n' % len(SECOND))
        self.assertEqual(self.client.heard(), "+ Ready for the message\r\n")
        saved = self.house.account.folder("saved-messages")
        uidvalidity = saved.snapshot.uidvalidity
        self.assertEqual(self.send(SECOND), [f"A003 OK [APPENDUID {uidvalidity} 1:2] APPEND completed"])
        self.assertEqual([saved.octets(1), saved.octets(2)], [FIRST, SECOND])
        self.assertEqual([saved.flags_of(1), saved.flags_of(2)], [{"\\Seen"}, {"\\Seen"}])
        self.assertEqual(saved.rows([2], ["internaldate"])[0][1], b'" 8-Feb-1994 06:43:04 +0000"')
        self.assertEqual(self.house.doorbell.rings, [("u-robin", "saved-messages")])
        self.assertEqual(self.house.journal.named("mailbox_changed")[0].args[2:], ("appended", 2))

    def test_one_is_to_no_mailbox(self):
        """The RFC's second example: with no such mailbox nothing is asked for."""
        refusal = "A003 NO [TRYCREATE] There is no such mailbox; create it first"
        self.assertEqual(self.client.say("A003 APPEND saved-messages {100}"), [refusal])
        answer = self.send(b"a APPEND Nowhere ", plus(MESSAGE), b" ", plus(b"x LOGOUT\r\n" * 3))
        self.assertEqual(answer, ["a NO [TRYCREATE] There is no such mailbox; create it first"])
        self.none_there()

    def test_announced_to_the_selected_mailbox(self):
        """EXISTS comes once, with all of them."""
        self.assertEqual(
            self.send(b"a APPEND INBOX ", plus(MESSAGE), b" (\\Flagged) ", plus(FIRST), b" ", plus(SECOND)),
            ["* 3 EXISTS", "* 3 RECENT", "a OK [APPENDUID 1001 1:3] APPEND completed"],
        )

    def test_two_spaces_between_them(self):
        """IMAPClient writes a message that has neither flags nor a date after two spaces; three are too many."""
        self.assertEqual(
            self.send(b"a APPEND INBOX (\\Seen) ", plus(MESSAGE), b"  ", plus(FIRST), b"  ", plus(SECOND)),
            ["* 3 EXISTS", "* 3 RECENT", "a OK [APPENDUID 1001 1:3] APPEND completed"],
        )
        answer = self.send(b"b APPEND INBOX ", plus(MESSAGE), b"   ", plus(FIRST))
        self.assertEqual(answer, ["b BAD Expected a literal"])

    def test_an_empty_one_cancels(self):
        """A literal without octets takes everything back, wherever it stands."""
        first, second = plus(FIRST), plus(SECOND)
        for before, after in ((b"", b" " + first), (first + b" ", b""), (first + b" ", b" " + second)):
            answer = self.send(b"a APPEND INBOX ", before, b"(\\Seen) {0+}\r\n", after)
            self.assertEqual(answer, ["a NO [CANNOT] An empty message cannot be kept"])
            self.none_there()
        self.client.send(b"a APPEND INBOX " + plus(MESSAGE) + b" {0}\r\n")
        self.assertEqual(self.client.heard(), "a NO [CANNOT] An empty message cannot be kept\r\n")
        self.none_there()

    def test_one_is_malformed(self):
        """Syntax that is wrong after a message is BAD, and takes that message back."""
        five = b" {5+}\r\nhello"
        for words in (b"(\\Bogus)" + five, b'"yesterday"' + five, b"hello", b"(\\Seen)", b"NIL", b"{5", b"CATENATE"):
            answer = self.send(b"a APPEND INBOX ", plus(MESSAGE), b" ", words)
            self.assertTrue(answer[0].startswith("a BAD"), answer)
            self.none_there()

    def test_one_has_a_nul(self):
        """A message that cannot be kept takes the others back."""
        answer = self.send(b"a APPEND INBOX ", plus(MESSAGE), b" ", plus(b"a\0b" * 70_000), b" ", plus(MESSAGE))
        self.assertTrue(answer[0].startswith("a NO [UNKNOWN-CTE]"), answer)
        self.none_there()

    def test_over_quota(self):
        """Those that have room alone but not together are OVERQUOTA."""
        self.house.account.quota = len(FIRST) + len(SECOND) - 1
        answer = self.send(b"a APPEND INBOX ", plus(FIRST), b" ", plus(SECOND))
        self.assertEqual(answer, ["a NO [OVERQUOTA] The mailbox is full"])
        self.none_there()

    def test_no_room_for_all(self):
        """The messages of a command share what the disk may still take; too much is refused before it is sent."""
        self.house.door.free = lambda: len(MESSAGE) * 2
        self.assertIn("a OK", self.send(b"a APPEND INBOX ", plus(MESSAGE))[-1])
        self.client.send(b"b APPEND INBOX " + plus(MESSAGE) + b" {%d}\r\n" % len(MESSAGE))
        self.assertEqual(self.client.heard(), "b NO [UNAVAILABLE] The disk is full here; please try again later\r\n")
        self.assertEqual(list(self.house.inbox.snapshot.uids), [1])

    def test_the_disk_fills(self):
        """A disk that fills in the middle is UNAVAILABLE, and what was written goes."""
        self.disk.room = 300_000
        answer = self.send(b"a APPEND INBOX ", plus(b"x" * 200_000), b" ", plus(b"x" * 200_000))
        self.assertTrue(answer[0].startswith("a NO [UNAVAILABLE] The disk is full"), answer)
        self.none_there()

    def test_the_client_leaves(self):
        """A connection that breaks between two messages leaves nothing."""
        self.client.send(b"a APPEND INBOX " + plus(b"x" * 200_000) + b" {500000+}\r\n" + b"x" * 200_000)
        self.assertEqual(len(self.files), 2)
        self.client.leave()
        self.assertEqual(list(self.house.inbox.snapshot.uids), [])

    def test_many_small_ones(self):
        """A thousand messages touch the disk in few visits, and keep little in memory."""
        visits = []
        run = self.house.threads.run

        def counted(function, *args, **kwargs):
            visits.append(function)
            return run(function, *args, **kwargs)

        self.house.threads.run = counted
        count = 1_000
        self.client.send(b"a APPEND INBOX")
        for number in range(count):
            self.client.send(b" (\\Seen) " + plus(b"Subject: %d\r\n\r\n" % number + b"x" * 1_000))
        answer = self.send()
        self.assertEqual(answer[-1], f"a OK [APPENDUID 1001 1:{count}] APPEND completed")
        self.assertTrue(self.house.inbox.octets(count).startswith(b"Subject: 999\r\n"))
        self.assertLess(len(visits), 20)

    def test_too_many(self):
        """The number of messages has a limit that is told."""
        self.patch(upload, "MOST_MESSAGES", 2)
        answer = self.send(b"a APPEND INBOX ", plus(MESSAGE), b" ", plus(MESSAGE), b" ", plus(MESSAGE))
        self.assertEqual(answer, ["a NO [LIMIT] At most 2 messages can be appended at once"])
        self.none_there()

    def test_trailing_space(self):
        """A space that a client leaves at the end is no message."""
        answer = self.send(b"a APPEND INBOX ", plus(MESSAGE), b" ")
        self.assertEqual(answer[-1], "a OK [APPENDUID 1001 1] APPEND completed")


class Limits(SynchronousTestCase):
    def test_too_big_in_the_middle(self):
        """Refused before the octets come; those before it are taken back; what a hasty client sends is skipped."""
        house = House(site=SiteSettings(smtp_max_message_kib=1))
        client = house.signed_in()
        client.send(b"a APPEND INBOX " + plus(MESSAGE) + b" {1025}\r\n")
        self.assertEqual(client.heard(), "a NO [TOOBIG] A message may have 1024 octets\r\n")
        too_big = plus(b"c NOOP\r\n" * 200)
        client.send(b"b APPEND INBOX " + plus(MESSAGE) + b" " + too_big + b" " + plus(MESSAGE) + b"\r\n")
        self.assertEqual(client.heard(), "b NO [TOOBIG] A message may have 1024 octets\r\n")
        self.assertEqual(client.say("d NOOP"), ["d OK NOOP completed"])
        self.assertEqual(list(house.inbox.snapshot.uids), [])
        client.send(b"e APPEND INBOX " + plus(MESSAGE) + b" {99999999999999999999+}\r\n")
        self.assertIn("* BYE [TOOBIG]", client.heard())

    def test_large_non_synchronising_literals(self):
        """LITERAL+ knows no limit of 4,096 octets."""
        house = House()
        client = house.signed_in()
        client.send(b"a APPEND INBOX " + plus(b"x" * 5_000) + b" " + plus(b"y" * 5_000) + b"\r\n")
        self.assertIn("a OK [APPENDUID 1001 1:2]", client.heard())


@pytest.mark.parametrize(("size", "count", "waits"), [(100, 70, 0), (200_000, 3, 3)])
def test_on_disk(tmp_path, size, count, waits):
    """The store on disk has all of them, as they were sent; only large ones wait for their files, each for its own."""
    flushed = []

    class Recording(Disk):
        def flush(self, fd):
            flushed.append("file")
            super().flush(fd)

        def flush_filesystem(self, path):
            flushed.append("file system")
            super().flush_filesystem(path)

    disk = Recording()
    store = Store(str(tmp_path), disk=disk, now=lambda: 1_795_000_000.0, host="h")
    try:
        house = House(store=store, disk=disk)
        client = house.signed_in()
        opened = len(flushed)
        client.send(b"a APPEND INBOX")
        for number in range(count):
            client.send(b" " + plus(b"Subject: %03d\r\n\r\n" % number + b"x" * size + b"\r\n"))
            house.clock.advance(0.01)
        client.send(b"\r\n")
        for _ in range(20):
            house.clock.advance(0.01)
        assert f"1:{count}] APPEND completed" in client.heard()
        inbox = store.account("u-robin").folder("INBOX")
        assert [row[1].split("\n")[4] for row in inbox.rows(range(1, count + 1), ["terms"])] == [
            f"{number:03d}" for number in range(count)
        ]
        assert flushed.count("file") == waits + opened and "file system" not in flushed
        store.settle()
        assert ("file system" in flushed) == (waits == 0)
        assert sorted(os.listdir(tmp_path / "u-robin" / "tmp")) == []
    finally:
        store.close()
