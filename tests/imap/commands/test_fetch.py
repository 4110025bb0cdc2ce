"""FETCH and UID FETCH, as a client sees them."""

import tomllib
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import HeldThreads
from tests.imap.conversation import MESSAGE, House
from tests.imap.fetch.naive_mime import sections
from unitymail.imap.fetch.items import body
from unitymail.interfaces.errors import TryAgain

VECTORS = Path(__file__).parents[2] / "vectors"
INDEX = tomllib.loads((VECTORS / "index.toml").read_text())["message"]

TREE = (
    b"From: Robin Smith <robin@vm1.example.com>\r\n"
    b"Received: from a\r\n\tby b\r\n"
    b"Subject:  8-bit \xe9, two spaces \r\n"
    b"received: from c\r\n"
    b"Content-Type: multipart/mixed; boundary=\"b;\";\r\n"
    b"\r\n"
    b"--b;\r\n\r\nfirst\r\n"
    b"--b;\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n"
    b"--b;--\r\n"
)


class Fetching(SynchronousTestCase):
    """One message in INBOX, UID 1, and a client that has selected it."""

    octets = TREE

    def setUp(self):
        self.house = House()
        self.house.inbox.put(self.octets, ["\\Flagged"])
        self.client = self.house.selected()
        self.house.inbox.calls.clear()

    def answer(self, line):
        """The untagged octets of a command that succeeds."""
        self.client.send(b"a " + (line.encode() if isinstance(line, str) else line) + b"\r\n")
        heard = self.client.heard().encode("latin-1")
        untagged, ok, _ = heard.rpartition(b"a OK ")
        self.assertTrue(ok, heard)
        return untagged

    # What comes from the view and the index

    def test_index_items(self):
        """Each item that the index keeps, by sequence number; UID only when asked."""
        size = len(TREE)
        for item, expected in {
            "FLAGS": b"FLAGS (\\Recent \\Flagged)",
            "UID": b"UID 1",
            "INTERNALDATE": b'INTERNALDATE "18-Nov-2026 11:06:40 +0000"',
            "RFC822.SIZE": b"RFC822.SIZE %d" % size,
        }.items():
            self.assertEqual(self.answer(f"FETCH 1 {item}"), b"* 1 FETCH (%b)\r\n" % expected)
            self.assertEqual(self.answer(f"fetch 1 ({item.lower()})"), b"* 1 FETCH (%b)\r\n" % expected)

    def test_macros(self):
        """FAST, ALL and FULL name their items."""
        fast = (
            b'FLAGS (\\Recent \\Flagged) INTERNALDATE "18-Nov-2026 11:06:40 +0000" RFC822.SIZE %d' % len(TREE)
        )
        self.assertEqual(self.answer("FETCH 1 FAST"), b"* 1 FETCH (%b)\r\n" % fast)
        self.assertTrue(self.answer("FETCH 1 ALL").startswith(b"* 1 FETCH (%b ENVELOPE (NIL " % fast))
        full = self.answer("FETCH 1 FULL")
        first = b' BODY (("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 5 0)("MESSAGE" "RFC822"'
        self.assertIn(first.lower(), full.lower())
        self.assertNotIn(b"BOUNDARY", full)

    def test_structure_and_envelope(self):
        """ENVELOPE and BODYSTRUCTURE are what the index keeps."""
        ((_, envelope, structure),) = self.house.inbox.rows([1], ["envelope", "bodystructure"])
        self.assertEqual(
            self.answer("UID FETCH 1 (ENVELOPE BODYSTRUCTURE)"),
            b"* 1 FETCH (UID 1 ENVELOPE %b BODYSTRUCTURE %b)\r\n" % (envelope, structure),
        )

    def test_uid_fetch_always_tells_the_uid(self):
        """UID FETCH answers with UIDs; UIDs that are not there are no error."""
        self.assertEqual(self.answer("UID FETCH 1:99 FLAGS"), b"* 1 FETCH (FLAGS (\\Recent \\Flagged) UID 1)\r\n")
        self.assertEqual(self.answer("UID FETCH 7 FLAGS"), b"")
        self.assertEqual(self.answer("UID FETCH 7:* FLAGS"), b"* 1 FETCH (FLAGS (\\Recent \\Flagged) UID 1)\r\n")

    def test_the_index_is_enough(self):
        """Nothing that the index keeps is read from a message."""
        self.answer("UID FETCH 1 (FULL)".replace("(FULL)", "FULL"))
        self.answer("FETCH 1 (BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (From Subject)])")
        self.assertEqual(set(self.house.inbox.calls) - {"refresh"}, {"rows"})
        self.house.inbox.calls.clear()
        self.answer("UID FETCH 1 (UID FLAGS)")
        self.assertEqual(set(self.house.inbox.calls) - {"refresh"}, set())

    # Octets

    def test_sections(self):
        """Every section has the stored octets: order, repeats, case, folding, 8-bit."""
        header, body = TREE.split(b"\r\n\r\n", 1)
        header += b"\r\n\r\n"
        for name, expected in {
            b"": TREE,
            b"HEADER": header,
            b"TEXT": body,
            b"1": b"first",
            b"1.MIME": b"\r\n",
            b"2": b"Subject: inner\r\n\r\ninner text",
            b"2.MIME": b"Content-Type: message/rfc822\r\n\r\n",
            b"2.HEADER": b"Subject: inner\r\n\r\n",
            b"2.TEXT": b"inner text",
            b"2.1": b"inner text",
            b"2.HEADER.FIELDS (SUBJECT)": b"Subject: inner\r\n\r\n",
            b"2.HEADER.FIELDS.NOT (SUBJECT)": b"\r\n",
            b"HEADER.FIELDS (Received)": b"Received: from a\r\n\tby b\r\nreceived: from c\r\n\r\n",
            b"HEADER.FIELDS (X-None)": b"\r\n",
            b"HEADER.FIELDS (X-None subject)": b"Subject:  8-bit \xe9, two spaces \r\n\r\n",
            b"HEADER.FIELDS.NOT (Received Content-Type From)": b"Subject:  8-bit \xe9, two spaces \r\n\r\n",
        }.items():
            self.assertEqual(
                self.answer(b"FETCH 1 BODY.PEEK[" + name + b"]"),
                b"* 1 FETCH (BODY[%b] {%d}\r\n%b)\r\n" % (name, len(expected), expected), name,
            )

    def test_rfc822(self):
        """The old names give the same octets under their own names."""
        self.assertEqual(
            self.answer("FETCH 1 RFC822.HEADER"),
            b"* 1 FETCH (RFC822.HEADER {%d}\r\n%b)\r\n" % (h := TREE.index(b"\r\n\r\n") + 4, TREE[:h]),
        )
        self.assertEqual(
            self.answer("FETCH 1 RFC822.TEXT"),
            b"* 1 FETCH (FLAGS (\\Recent \\Flagged \\Seen) RFC822.TEXT {%d}\r\n%b)\r\n" % (len(TREE) - h, TREE[h:])
        )
        self.assertEqual(self.answer("FETCH 1 RFC822"), b"* 1 FETCH (RFC822 {%d}\r\n%b)\r\n" % (len(TREE), TREE))

    def test_no_such_part(self):
        """A part that is not there is NIL, and the connection lives."""
        for name in (b"9", b"1.9", b"1.HEADER", b"9.MIME", b"1.HEADER.FIELDS (a)"):
            self.assertEqual(
                self.answer(b"FETCH 1 BODY.PEEK[" + name + b"]"), b"* 1 FETCH (BODY[%b] NIL)\r\n" % name
            )
        self.assertEqual(self.answer("FETCH 1 BODY.PEEK[9]<3.4>"), b"* 1 FETCH (BODY[9]<3> NIL)\r\n")

    def test_partials(self):
        """Exactly the octets asked for, a short tail, nothing beyond; the answer names the offset only."""
        for start, length in ((0, 5), (5, 20), (len(TREE) - 3, 100), (len(TREE), 5), (10_000, 1), (0, 2**40)):
            cut = TREE[start : start + length]
            self.assertEqual(
                self.answer(f"FETCH 1 BODY.PEEK[]<{start}.{length}>"),
                b"* 1 FETCH (BODY[]<%d> {%d}\r\n%b)\r\n" % (start, len(cut), cut),
            )
        self.assertEqual(
            self.answer("FETCH 1 BODY.PEEK[2.HEADER]<3.6>"), b"* 1 FETCH (BODY[2.HEADER]<3> {6}\r\nject: )\r\n"
        )
        self.assertEqual(
            self.answer("FETCH 1 BODY.PEEK[HEADER.FIELDS (RECEIVED)]<9.6>"),
            b"* 1 FETCH (BODY[HEADER.FIELDS (RECEIVED)]<9> {6}\r\n from )\r\n",
        )

    def test_several_items(self):
        """Items from the view, the index and the message stand in one response, joined by single spaces."""
        self.assertEqual(
            self.answer("FETCH 1 (BODY.PEEK[1] UID BODY.PEEK[2.TEXT] RFC822.SIZE)"),
            b"* 1 FETCH (UID 1 RFC822.SIZE %d BODY[1] {5}\r\nfirst BODY[2.TEXT] {10}\r\ninner text)\r\n" % len(TREE),
        )
        self.assertEqual(
            self.answer("FETCH 1 (BODY.PEEK[1] BODY.PEEK[9])"), b"* 1 FETCH (BODY[1] {5}\r\nfirst BODY[9] NIL)\r\n"
        )

    # \Seen

    def test_body_marks_as_read(self):
        r"""BODY[] sets \Seen and says so in the same response, once; other sessions hear of it."""
        self.assertEqual(
            self.answer("FETCH 1 BODY[1]"), b"* 1 FETCH (FLAGS (\\Recent \\Flagged \\Seen) BODY[1] {5}\r\nfirst)\r\n"
        )
        self.assertEqual(self.house.inbox.flags_of(1), {"\\Flagged", "\\Seen"})
        self.assertIn(("u-robin", "INBOX"), self.house.doorbell.rings)
        self.assertEqual(self.answer("FETCH 1 BODY[1]"), b"* 1 FETCH (BODY[1] {5}\r\nfirst)\r\n")
        self.assertEqual(self.answer("NOOP"), b"")

    def test_every_section_marks_as_read(self):
        """Header fields, partials and the old names too; PEEK, RFC822.HEADER and structure do not."""
        for asked, reads in {
            "BODY[HEADER.FIELDS (Subject)]": True, "BODY[HEADER.FIELDS (X-Odd)]": True, "BODY[]<0.1>": True,
            "RFC822": True, "RFC822.TEXT": True, "BODY[9]": True, "BODY.PEEK[]": False, "RFC822.HEADER": False,
            "BODY": False, "BODYSTRUCTURE": False, "ENVELOPE": False, "(FLAGS BODY.PEEK[TEXT])": False,
        }.items():
            self.house.inbox.store([1], "remove", ["\\Seen"])
            self.answer("NOOP")
            answer = self.answer(f"FETCH 1 {asked}")
            self.assertEqual("\\Seen" in self.house.inbox.flags_of(1), reads, asked)
            self.assertEqual(b"\\Seen" in answer, reads, asked)

    def test_one_store_for_all(self):
        """All messages of a command are marked at once, and only those that were unread say so."""
        for n in range(5):
            self.house.inbox.put(b"Subject: %d\r\n\r\n%d\r\n" % (n, n), ["\\Seen"] if n % 2 else [])
        self.answer("NOOP")
        self.house.inbox.calls.clear()
        answer = self.answer("UID FETCH 2:* BODY[TEXT]")
        self.assertEqual(self.house.inbox.calls.count("store"), 1)
        told = [line for line in answer.split(b"\r\n") if line.startswith(b"*")]
        self.assertEqual([b"FLAGS" in line for line in told], [True, False, True, False, True])

    def test_examine_does_not_mark(self):
        """In a folder opened with EXAMINE nothing changes."""
        client = self.house.selected(command="EXAMINE")
        client.say("a FETCH 1 BODY[]")
        self.assertEqual(self.house.inbox.flags_of(1), {"\\Flagged"})

    def test_reading_goes_on_when_nothing_can_be_written(self):
        """A full disk keeps the message unread, not unreadable."""
        def full(*args):
            raise TryAgain()

        self.patch(self.house.inbox, "store", full)
        self.assertEqual(self.answer("FETCH 1 BODY[1]"), b"* 1 FETCH (BODY[1] {5}\r\nfirst)\r\n")
        self.assertEqual(len(self.house.journal.named("trouble")), 1)

    # Messages that are gone

    def test_gone_meanwhile(self):
        """A message that another session expunged is left out; the others come with their numbers."""
        for text in (b"two", b"three"):
            self.house.inbox.put(b"Subject: x\r\n\r\n" + text)
        self.answer("NOOP")
        self.house.inbox.store([2], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        for asked in ("RFC822.SIZE", "BODY.PEEK[TEXT]", "BODY[TEXT]", "(RFC822.SIZE BODY.PEEK[TEXT])"):
            self.client.send(f"a FETCH 1:3 {asked}\r\n")
            heard = self.client.heard()
            self.assertIn("* 1 FETCH", heard)
            self.assertNotIn("* 2 FETCH", heard)
            self.assertIn("* 3 FETCH", heard)
            self.assertIn("a OK [EXPUNGEISSUED] ", heard)
            self.assertNotIn("EXPUNGE\r\n", heard)
        self.assertEqual(self.house.store.open_contents, 0)

    # What is refused

    def test_bad(self):
        """What makes no sense is BAD, with the connection open."""
        for line in (
            "FETCH", "FETCH 1", "FETCH 1 ", "FETCH 0 FLAGS", "FETCH 1 BODY[0]", "FETCH 1 ()", "FETCH 2 FLAGS",
            "FETCH 1:2 FLAGS", "FETCH a FLAGS", "FETCH 1 FLAGS x",
        ):
            self.assertEqual(self.client.say("a " + line)[-1][:6], "a BAD ", line)
            self.client.say("b NOOP")
        self.assertFalse(self.client.closed)

    def test_empty_folder(self):
        """Asking an empty folder for everything gives nothing."""
        client = self.house.selected("Drafts")
        self.assertEqual(client.say("a UID FETCH 1:* FLAGS")[-1][:5], "a OK ")
        self.assertEqual(client.say("a FETCH 1:* BODY[]")[-1][:5], "a OK ")


class LargeMessages(SynchronousTestCase):
    """Sections too long to copy are sent from the file."""

    def setUp(self):
        self.house = House()
        self.text = b"".join(b"%07d\r\n" % n for n in range(60_000))
        self.octets = b"Subject: large\r\n\r\n" + self.text
        self.house.inbox.put(b"Subject: small\r\n\r\nsmall\r\n")
        self.house.inbox.put(self.octets)
        self.house.inbox.put(b"Subject: last\r\n\r\nlast\r\n")
        self.client = self.house.selected()

    def fill_up(self):
        """From now on the transport is full after every write."""
        write, outlet = self.client.wire.write, self.client.protocol.outlet

        def full(octets):
            write(octets)
            outlet.pauseProducing()

        self.client.wire.write = full

    def test_streamed(self):
        """Large and small messages come in order, whole, and every file is given back."""
        self.client.send("a UID FETCH 1:3 (BODY.PEEK[TEXT] BODY.PEEK[HEADER])\r\n")
        expected = b"".join(
            b"* %d FETCH (UID %d BODY[TEXT] {%d}\r\n%b BODY[HEADER] {%d}\r\n%b)\r\n"
            % (n, n, len(text), text, len(header), header)
            for n, header, text in (
                (1, b"Subject: small\r\n\r\n", b"small\r\n"), (2, b"Subject: large\r\n\r\n", self.text),
                (3, b"Subject: last\r\n\r\n", b"last\r\n"),
            )
        )
        for _ in range(50):
            self.house.clock.advance(0.01)
        heard = self.client.heard().encode("latin-1")
        self.assertEqual(heard[: len(expected)], expected)
        self.assertEqual(self.house.store.open_contents, 0)

    def test_back_pressure(self):
        """A client that does not read stops the sending; what waits is bounded."""
        self.fill_up()
        self.client.send("a FETCH 2 BODY.PEEK[]\r\n")
        heard = []
        while self.client.protocol.outlet.full:
            heard.append(self.client.heard())
            self.client.protocol.outlet.resumeProducing()
            self.house.clock.advance(0.01)
        self.assertLess(max(map(len, heard)), 140_000)
        self.assertIn(self.octets.decode("ascii"), "".join(heard))
        self.assertEqual(self.house.store.open_contents, 0)

    def test_client_gone(self):
        """When the client leaves in the middle, the file is given back, and the next one, which was opened ahead."""
        self.fill_up()
        self.client.send("a FETCH 1:3 BODY.PEEK[]\r\n")
        self.assertEqual(self.house.store.open_contents, 2)
        before = len(self.client.heard())
        self.client.leave()
        for _ in range(20):
            self.house.clock.advance(0.01)
        self.assertEqual(self.house.store.open_contents, 0)
        self.assertLess(len(self.client.heard()), before + 140_000)

    def test_client_gone_with_the_next_one_open(self):
        """A large message that was opened ahead is given back too, also when a thread opens it only later."""
        for late in (False, True):
            self.house.inbox.put(self.octets)
            self.client = self.house.selected()
            self.fill_up()
            threads = HeldThreads()
            self.client.session.threads = threads
            self.client.send("a FETCH 2,4 BODY.PEEK[]\r\n")
            threads.step()
            if not late:
                threads.step()
            self.assertEqual(self.house.store.open_contents, 1 if late else 2)
            self.client.leave()
            for _ in range(20):
                threads.go()
                self.house.clock.advance(0.01)
            self.assertEqual(self.house.store.open_contents, 0, late)

    def test_the_next_one_cannot_be_read(self):
        """What was read before goes out whole; then the NO, and every file is given back."""
        self.house.inbox.put(self.octets)
        self.client.say("x NOOP")
        contents = self.house.inbox.contents

        def failing(uids, octets):
            if 4 in uids and 2 not in uids:
                raise TryAgain()
            return contents(uids[:1], octets)

        self.patch(self.house.inbox, "contents", failing)
        self.client.send("a FETCH 2,4 BODY.PEEK[]\r\n")
        for _ in range(50):
            self.house.clock.advance(0.01)
        heard = self.client.heard()
        whole = f"* 2 FETCH (BODY[] {{{len(self.octets)}}}\r\n{self.octets.decode('ascii')})\r\n"
        self.assertEqual(heard[: len(whole)], whole)
        self.assertTrue(heard[len(whole) :].startswith("a NO [UNAVAILABLE]"), heard[len(whole) :])
        self.assertEqual(self.house.store.open_contents, 0)

    def test_back_pressure_of_many(self):
        """Of many messages that are copied, two batches are in memory while the client does not read, no more."""
        for _ in range(60):
            self.house.inbox.put(b"Subject: x\r\n\r\n" + b"x" * 50_000)
        self.client.say("x NOOP")
        opened = []
        contents = self.house.inbox.contents

        def counted(uids, octets):
            found = contents(uids, octets)
            opened.extend(found)
            return found

        self.patch(self.house.inbox, "contents", counted)
        self.fill_up()
        self.client.send("a FETCH 4:63 BODY.PEEK[]\r\n")
        for _ in range(20):
            self.house.clock.advance(0.01)
        self.assertLess(len(self.client.heard()), 320_000)
        self.assertLess(len(opened), 14)
        self.assertEqual(self.house.store.open_contents, 0)

    def test_what_cannot_be_looked_into(self):
        """When a large message turns out not to be readable it is given back, and the FETCH ends in NO."""
        def failing(*args):
            raise TryAgain()

        self.patch(body, "locate", failing)
        self.assertTrue(self.client.say("a FETCH 2 BODY.PEEK[]")[-1].startswith("a NO [UNAVAILABLE]"))
        self.assertEqual(self.house.store.open_contents, 0)

    def test_the_same_many_times(self):
        """Who asks for the same octets again and again, of many small messages, fills no memory either."""
        for _ in range(30):
            self.house.inbox.put(b"Subject: x\r\n\r\n" + b"x" * 8_000)
        self.client.say("x NOOP")
        self.fill_up()
        asked = " ".join(f"BODY.PEEK[]<{at}.8000>" for at in range(90))
        self.client.send(f"a FETCH 4:33 ({asked})\r\n")
        heard = [self.client.heard()]
        self.assertLess(len(heard[0]), 1_500_000)
        for _ in range(200):
            self.client.protocol.outlet.resumeProducing()
            self.house.clock.advance(0.01)
            heard.append(self.client.heard())
        self.assertEqual("".join(heard).count(" FETCH (BODY[]<0> {8000}"), 30)
        self.assertTrue("".join(heard).endswith("a OK FETCH completed\r\n"))
        self.assertEqual(self.house.store.open_contents, 0)


class Turns(SynchronousTestCase):
    """A large FETCH is many small pieces of work."""

    def test_blocks_in_threads(self):
        """Rows are asked for in blocks of at most 500, one thread call each, and nothing else waits for them."""
        threads = HeldThreads()
        house = House()
        for n in range(1200):
            house.inbox.put(b"Subject: %d\r\n\r\n" % n)
        client = house.selected()
        client.session.threads = threads
        client.send("a FETCH 1:* (UID RFC822.SIZE)\r\n")
        sizes = []
        while threads.waiting:
            threads.step()
            house.clock.advance(0.01)
            sizes.append(client.heard().count("* "))
        self.assertEqual(sizes[:3], [500, 500, 200])


@pytest.mark.parametrize("message", INDEX, ids=lambda m: m["file"])
def test_every_message_with_every_section(message):
    """Each test message is fetched with every section that exists, whole and in parts, and with garbage sections."""
    octets = (VECTORS / message["file"]).read_bytes()
    house = House()
    house.inbox.put(octets)
    client = house.selected()

    def fetch(line):
        client.send(b"a FETCH 1 " + line + b"\r\n")
        for _ in range(20):
            house.clock.advance(0.01)
        heard = client.heard().encode("latin-1")
        assert not client.closed, line
        return heard

    existing = {"": octets} if message["malformed"] else sections(octets)
    for name, expected in existing.items():
        label = name.encode()
        whole = fetch(b"BODY.PEEK[%b]" % label)
        assert whole.startswith(b"* 1 FETCH (BODY[%b] {%d}\r\n%b)\r\na OK" % (label, len(expected), expected)), name
        for start, length in ((0, 1), (1, 7), (len(expected) // 2, len(expected) + 1), (len(expected) + 1, 9)):
            cut = expected[start : start + length]
            assert fetch(b"BODY.PEEK[%b]<%d.%d>" % (label, start, length)).startswith(
                b"* 1 FETCH (BODY[%b]<%d> {%d}\r\n%b)\r\na OK" % (label, start, len(cut), cut)
            ), name
    for garbage in (b"9", b"1.1.1.1.1", b"1.HEADER", b"1.TEXT", b"1.MIME", b"2.HEADER.FIELDS (x)", b"HEADER", b"TEXT"):
        assert b"a OK" in fetch(b"BODY.PEEK[%b]" % garbage), garbage
    for garbage in (b"0", b"MIME", b"1.FOO", b"-1", b"1..1"):
        assert b"a BAD" in fetch(b"BODY.PEEK[%b]" % garbage), garbage
        client.say("b NOOP")
    assert b"a OK" in fetch(b"(FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)")
    assert house.store.open_contents == 0


def test_the_message_of_the_house():
    """A plain message arrives as it was put."""
    house = House()
    house.inbox.put(MESSAGE)
    client = house.selected()
    client.send("a UID FETCH 1 BODY.PEEK[]\r\n")
    assert client.heard().encode().startswith(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%b)\r\n" % (len(MESSAGE), MESSAGE))
