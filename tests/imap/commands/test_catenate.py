"""CATENATE (RFC 4469): messages made of texts and of parts of messages that are here already."""

import os

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.imap.commands import catenate
from unitymail.settings.site import SiteSettings

BOUNDARY = b"------------030308070208000400050907"
DRAFT = (
    b"Message-ID: <419399E1.6000505@caernarfon.example.org>\r\nFrom: Bob Ar <bar@example.org>\r\nSubject: PNG\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"----------030308070208000400050907\"\r\n\r\n"
    b"--" + BOUNDARY[2:] + b"\r\nContent-Type: text/plain; format=flowed\r\n\r\nSome text, worked on\r\n"
    b"--" + BOUNDARY[2:] + b"--\r\n"
)
PICTURE = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgoAAAA=\r\n"


def plus(octets):
    return b"{%d+}\r\n%b" % (len(octets), octets)


class Catenating(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.drafts = self.house.account.folder("Drafts")
        self.uid = self.drafts.put(DRAFT)
        self.picture = self.drafts.put(PICTURE)
        self.client = self.house.signed_in()
        self.files = []
        account = self.house.account
        made = account.new_file

        def new_file():
            descriptor, path = made()
            self.files.append((descriptor, path))
            return descriptor, path

        account.new_file = new_file

    def tearDown(self):
        """No command leaves a file, a descriptor or an open message behind."""
        for descriptor, path in self.files:
            self.assertFalse(os.path.exists(path))
            self.assertRaises(OSError, os.fstat, descriptor)
        self.assertEqual(self.house.store.open_contents, 0)

    def url(self, uid=None, rest="", name="Drafts"):
        validity = self.drafts.snapshot.uidvalidity
        return f"/{name};UIDVALIDITY={validity}/;UID={uid or self.uid}{rest}".encode()

    def send(self, *octets):
        self.client.send(b"".join(octets) + b"\r\n")
        return self.client.heard().split("\r\n")[:-1]

    def made(self, *parts, name="INBOX"):
        """The message that these parts make."""
        answer = self.send(b"a APPEND ", name.encode(), b" CATENATE (", b" ".join(parts), b")")
        self.assertIn("a OK [APPENDUID", answer[-1], answer)
        folder = self.house.account.folder(name)
        return folder.octets(folder.snapshot.uids[-1])

    def refused(self, *parts):
        count = len(self.house.inbox.snapshot.uids)
        answer = self.send(b"a APPEND INBOX CATENATE (", b" ".join(parts), b")")
        self.assertEqual(len(self.house.inbox.snapshot.uids), count)
        self.assertEqual(self.client.say("z NOOP"), ["z OK NOOP completed"])
        return answer[0]

    def test_binary_before_plain(self):
        """Octets that came as a literal8 are made readable for all, also when what comes last is a plain literal."""
        made = self.made(
            b"TEXT " + plus(b"Subject: x\r\n\r\n"), b"TEXT ~" + plus(b"a\0b"), b"TEXT " + plus(b"c\r\n")
        )
        self.assertNotIn(b"\0", made)
        self.client.say("s SELECT INBOX")
        self.client.send(b"b FETCH 1 BINARY.PEEK[1]\r\n")
        self.assertIn("BINARY[1] ~{6}\r\na\0bc\r\n)", self.client.heard())

    def test_the_example(self):
        """The RFC's first example: the header of a draft, its first part, and a picture of another message."""
        line = b"\r\n--" + BOUNDARY[2:] + b"\r\n"
        last = b"\r\n--" + BOUNDARY[2:] + b"--\r\n"
        self.client.send(
            b'A003 APPEND Drafts (\\Seen \\Draft $MDNSent) CATENATE (URL "%b" TEXT {%d}\r\n'
            % (self.url(rest="/;section=HEADER"), len(line))
        )
        self.assertEqual(self.client.heard(), "+ Ready for the message\r\n")
        self.client.send(line + b' URL "%b" URL "%b" TEXT {%d}\r\n' % (
            self.url(rest="/;section=1.MIME"), self.url(rest="/;section=1"), len(line)
        ))  # fmt: skip
        self.assertEqual(self.client.heard(), "+ Ready for the message\r\n")
        self.client.send(line + b' URL "%b" TEXT {%d}\r\n' % (self.url(self.picture), len(last)))
        self.assertEqual(self.client.heard(), "+ Ready for the message\r\n")
        answer = self.send(last, b")")
        self.assertEqual(answer[-1], f"A003 OK [APPENDUID {self.drafts.snapshot.uidvalidity} 3] APPEND completed")
        header = DRAFT[: DRAFT.index(b"\r\n\r\n") + 4]
        part = b"Content-Type: text/plain; format=flowed\r\n\r\nSome text, worked on"
        self.assertEqual(self.drafts.octets(3), header + line + part + line + PICTURE + last)
        self.assertEqual(self.drafts.flags_of(3), {"\\Seen", "\\Draft", "$MDNSent"})
        self.assertNotIn("\\Seen", self.drafts.flags_of(self.uid))

    def test_texts_only(self):
        """The RFC's second example: no URL at all; a text may be empty."""
        header = plus(b"Subject: x\r\n\r\n")
        message = self.made(b"TEXT " + header, b"TEXT {0+}\r\n", b"TEXT " + plus(b"y\r\n"))
        self.assertEqual(message, b"Subject: x\r\n\r\ny\r\n")
        self.assertTrue(self.refused(b"TEXT {0+}\r\n").startswith("a NO [CANNOT]"))

    def test_a_url_alone(self):
        """A whole message again, with no literal at all."""
        self.assertEqual(self.made(b'URL "%b"' % self.url()), DRAFT)
        self.assertEqual(self.made(b"url %b" % self.url()), DRAFT)

    def test_any_section(self):
        """Headers by name, text, MIME headers, and stretches of them."""
        text = DRAFT[DRAFT.index(b"\r\n\r\n") + 4 :]
        for rest, expected in {
            "/;section=HEADER.FIELDS%20(Subject)": b"Subject: PNG\r\n\r\n",
            "/;section=TEXT": text,
            "/;section=TEXT/;partial=2.10": text[2:12],
            "/;PARTIAL=0.20": DRAFT[:20],
            f"/;PARTIAL={len(DRAFT) - 5}": DRAFT[-5:],
            "/;section=HEADER.FIELDS%20(Subject)/;partial=9.3": b"PNG",
        }.items():
            self.assertEqual(self.made(b'URL "%b"' % self.url(rest=rest)), expected, rest)

    def test_a_url_as_a_literal(self):
        """The URL may come as a literal of either kind."""
        url = self.url(rest="/;section=TEXT/;partial=2.3")
        self.assertEqual(self.made(b"URL " + plus(url), b"TEXT " + plus(b"more"), b"URL " + plus(url)), b"---more---")
        self.client.send(b"a APPEND INBOX CATENATE (URL {%d}\r\n" % len(url))
        self.assertEqual(self.client.heard(), "+ Ready for the message\r\n")
        self.assertIn("a OK", self.send(url, b")")[-1])
        self.assertEqual(self.refused(b"URL {9000+}\r\n" + b"x" * 9000)[:13], "a NO [TOOBIG]")

    def test_relative_to_the_selected_mailbox(self):
        """A URL without a mailbox means the selected one."""
        self.assertIn("No mailbox is selected", self.refused(b'URL ";UID=1"'))
        self.client.say("b EXAMINE Drafts")
        self.assertEqual(self.made(b'URL ";UID=1/;section=TEXT/;PARTIAL=2.3"'), b"---")

    def test_names(self):
        """Names in URLs are UTF-8; INBOX is case-blind."""
        folder = self.house.account.create("Entw\u00fcrfe/a b")
        folder.put(MESSAGE)
        url = f"/Entw%C3%BCrfe/a%20b;UIDVALIDITY={folder.snapshot.uidvalidity}/;UID=1".encode()
        self.assertEqual(self.made(b'URL "%b"' % url), MESSAGE)
        self.assertEqual(self.made(b'URL "/inbox/;UID=1"'), MESSAGE)
        self.assertEqual(self.made(b'URL "imap://Robin@VM1.example.com/INBOX/;UID=1"'), MESSAGE)

    def test_bad_urls(self):
        """What cannot be had fails the whole command, and the code says which URL it was."""
        for url in (
            self.url(99), self.url(rest="/;section=7"), self.url(rest="/;section=BOGUS"), self.url(name="Nowhere"),
            b"/Drafts;UIDVALIDITY=1/;UID=1", b"/Drafts", b"http://example.org/",
            b"imap://chris@vm1.example.com/Drafts/;UID=1",
            b"imap://other.example.com/Drafts/;UID=1", b"/Drafts/;UID=1/;URLAUTH=anonymous:internal:00",
        ):  # fmt: skip
            answer = self.refused(b"TEXT " + plus(b"x"), b'URL "%b"' % url, b"TEXT " + plus(b"x LOGOUT\r\n"))
            self.assertTrue(answer.startswith(f"a NO [BADURL {url.decode()}] "), answer)

    def test_what_a_code_cannot_say(self):
        """A URL that would break the response line is told with marks in place of those octets."""
        self.assertTrue(self.refused(b'URL "/a]b c\xc3"').startswith("a NO [BADURL /a?b?c?] "))
        self.assertTrue(self.refused(b'URL ""').startswith("a NO [BADURL ?] "))

    def test_gone_messages(self):
        """A part of a message that is expunged meanwhile is a bad URL."""
        self.drafts.store([1], "add", ["\\Deleted"])
        self.drafts.expunge()
        self.assertIn("BADURL", self.refused(b'URL "%b"' % self.url()))

    def test_grammar(self):
        """Anything but texts and URLs in parentheses is BAD."""
        for words in (
            b"CATENATE", b"CATENATE (", b"CATENATE ()", b"CATENATE (TEXT)", b"CATENATE (TEXT hello)", b"CATENATE (URL)",
            b"CATENATE (FILE x)", b"CATENATE (URL /x/;UID=1", b"CATENATE TEXT {3+}\r\nabc",
        ):  # fmt: skip
            answer = self.send(b"a APPEND INBOX ", words)
            self.assertTrue(answer[0].startswith(("a BAD", "a NO [BADURL")), (words, answer))
            self.assertEqual(self.client.say("z NOOP"), ["z OK NOOP completed"])

    def test_too_many_parts(self):
        """The number of parts has a limit."""
        self.patch(catenate, "MOST_PARTS", 2)
        self.assertTrue(self.refused(*[b"TEXT " + plus(b"x")] * 3).startswith("a BAD"))

    def test_too_big_together(self):
        """The limit of a message holds for all its parts together, and is told before the part that is too much."""
        house = House(site=SiteSettings(smtp_max_message_kib=1))
        house.inbox.put(b"x" * 600)
        client = house.signed_in()
        client.send(b"a APPEND INBOX CATENATE (URL /INBOX/;UID=1 TEXT {425}\r\n")
        self.assertEqual(client.heard(), "a NO [TOOBIG] A message may have 1024 octets\r\n")
        client.send(b"b APPEND INBOX CATENATE (URL /INBOX/;UID=1 URL /INBOX/;UID=1)\r\n")
        self.assertEqual(client.heard(), "b NO [TOOBIG] A message may have 1024 octets\r\n")
        client.send(b"c APPEND INBOX CATENATE (URL /INBOX/;UID=1 TEXT " + plus(b"y" * 424) + b")\r\n")
        self.assertIn("c OK", client.heard())

    def test_over_quota(self):
        """Parts that are more than the mailbox may hold are OVERQUOTA, and nothing is there."""
        self.house.account.quota = len(DRAFT) + len(PICTURE) + 10
        self.assertEqual(self.refused(b'URL "%b"' % self.url()), "a NO [OVERQUOTA] The mailbox is full")

    def test_several_messages(self):
        """With MULTIAPPEND each message takes its own form."""
        answer = self.send(
            b"a APPEND INBOX (\\Seen) CATENATE (URL ", self.url(), b" TEXT ", plus(b"x"), b") ", plus(MESSAGE),
            b' " 7-Feb-1994 22:43:04 -0800" CATENATE (TEXT ', plus(b"y"), b")",
        )  # fmt: skip
        self.assertIn("a OK [APPENDUID 1001 1:3]", answer[-1])
        self.assertEqual([self.house.inbox.octets(uid) for uid in (1, 2, 3)], [DRAFT + b"x", MESSAGE, b"y"])
        answer = self.send(b"b APPEND INBOX ", plus(MESSAGE), b" CATENATE (URL /Nowhere/;UID=1)")
        self.assertIn("b NO [BADURL /Nowhere/;UID=1]", answer[0])
        self.assertEqual(len(self.house.inbox.snapshot.uids), 3)

    def test_a_large_part(self):
        """A part of megabytes goes from file to file in blocks."""
        large = b"Subject: large\r\n\r\n" + b"0123456789abcde\n" * 200_000
        self.house.inbox.put(large)
        blocks = []

        class Counting(Disk):
            def write(self, fd, data):
                blocks.append(len(data))
                super().write(fd, data)

        self.house.door.disk = Counting()
        self.assertEqual(self.made(b"URL /INBOX/;UID=1", b"TEXT " + plus(b"!")), large + b"!")
        self.assertLessEqual(max(blocks), 1 << 20)
        self.assertGreater(len(blocks), 3)
