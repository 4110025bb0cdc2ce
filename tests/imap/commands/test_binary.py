"""BINARY (RFC 3516): parts without their transfer encoding, and messages appended with NUL in them."""

import base64
import re

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.store import Store

PIXELS = bytes(range(256)) * 3
TEXT = "Gr\u00fc\u00dfe\r\naus K\u00f6ln = gut\r\n"
MIXED = (
    b"From: robin@vm1.example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Gr=C3=BC=C3=9Fe\r\naus K=C3=B6ln =3D gu=\r\nt\r\n\r\n"
    b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: BASE64\r\n\r\n"
    + base64.encodebytes(PIXELS)
    + b"\r\n"
    b"--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"Subject: inner\r\n\r\ninner text\r\n"
    b"--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVs!!bG8gdw==\r\nb3JsZA\r\n"
    b"--b--\r\n"
)


def literal8(octets, plus="+"):
    return b"~{%d%b}\r\n%b" % (len(octets), plus.encode(), octets)


class Fetching(SynchronousTestCase):
    """MIXED in INBOX, selected."""

    def setUp(self):
        self.house = House()
        self.house.inbox.put(MIXED)
        self.client = self.house.selected()

    def answer(self, line):
        self.client.send(line.encode() + b"\r\n" if isinstance(line, str) else line + b"\r\n")
        return self.client.heard().encode("latin-1")

    def fetched(self, item):
        """What FETCH says of the item, which it answers with."""
        heard = self.answer(f"a FETCH 1 {item}")
        self.assertTrue(heard.endswith(b")\r\na OK FETCH completed\r\n"), heard)
        return heard.removeprefix(b"* 1 FETCH (").removesuffix(b")\r\na OK FETCH completed\r\n")

    def test_quoted_printable(self):
        """Text comes as text, in a plain literal."""
        octets = TEXT.encode()
        self.assertEqual(self.fetched("BINARY.PEEK[1]"), b"BINARY[1] {%d}\r\n%b" % (len(octets), octets))
        self.assertEqual(self.fetched("BINARY.SIZE[1]"), b"BINARY.SIZE[1] %d" % len(octets))

    def test_base64(self):
        """Octets with NUL come in a literal8."""
        self.assertEqual(self.fetched("BINARY.PEEK[2]"), b"BINARY[2] ~{%d}\r\n%b" % (len(PIXELS), PIXELS))
        self.assertEqual(self.fetched("BINARY.SIZE[2]"), b"BINARY.SIZE[2] 768")

    def test_partial(self):
        """A stretch of the decoded octets; a literal8 only where there is a NUL in it."""
        for start, length in ((0, 10), (1, 10), (250, 20), (255, 1), (256, 1), (760, 100), (768, 5), (9_999, 1)):
            octets = PIXELS[start : start + length]
            mark = b"~" if b"\0" in octets else b""
            expected = b"BINARY[2]<%d> %b{%d}\r\n%b" % (start, mark, len(octets), octets)
            self.assertEqual(self.fetched(f"BINARY.PEEK[2]<{start}.{length}>"), expected)

    def test_seen(self):
        """BINARY marks as read, BINARY.PEEK and BINARY.SIZE do not."""
        self.fetched("(BINARY.PEEK[2] BINARY.SIZE[1])")
        self.assertEqual(self.house.inbox.flags_of(1), set())
        heard = self.answer("a FETCH 1 BINARY[1]")
        self.assertTrue(heard.startswith(b"* 1 FETCH (FLAGS (\\Recent \\Seen) BINARY[1] {"), heard)
        self.assertEqual(self.house.inbox.flags_of(1), {"\\Seen"})

    def test_broken_base64(self):
        """Junk, padding in the middle and a broken end: what can be decoded is, and the size agrees."""
        self.assertEqual(self.fetched("BINARY.PEEK[5]"), b"BINARY[5] {11}\r\nHello world")
        self.assertEqual(self.fetched("BINARY.SIZE[5]"), b"BINARY.SIZE[5] 11")

    def test_composite_parts(self):
        """What encloses parts has no encoding, whatever it says; the whole message is as BODY[] has it."""
        inner = b"Subject: inner\r\n\r\ninner text"
        self.assertEqual(self.fetched("BINARY.PEEK[4]"), b"BINARY[4] {%d}\r\n%b" % (len(inner), inner))
        self.assertEqual(self.fetched("BINARY.PEEK[]"), b"BINARY[] {%d}\r\n%b" % (len(MIXED), MIXED))
        self.assertEqual(self.fetched("BINARY.SIZE[]"), b"BINARY.SIZE[] %d" % len(MIXED))

    def test_no_such_part(self):
        """A part that is not there is NIL, of size 0."""
        self.assertEqual(self.fetched("(BINARY.PEEK[9] BINARY.SIZE[9])"), b"BINARY[9] NIL BINARY.SIZE[9] 0")

    def test_unknown_encoding(self):
        """The request fails with UNKNOWN-CTE; other messages of the same FETCH are answered."""
        self.house.inbox.put(b"Content-Type: text/plain\r\n\r\n" + b"x\r\n")
        self.client.say("x NOOP")
        for item in ("BINARY.PEEK[3]", "BINARY.SIZE[3]", "BINARY[3]<0.5>"):
            heard = self.answer(f"a FETCH 1 {item}")
            self.assertTrue(heard.endswith(b"BODY instead\r\n") and b"a NO [UNKNOWN-CTE] 1 of them" in heard, heard)
            self.assertNotIn(b"BINARY", heard)
        heard = self.answer("a FETCH 1:2 (UID BINARY.PEEK[3])")
        self.assertTrue(heard.startswith(b"* 2 FETCH (UID 2 BINARY[3] NIL)\r\na NO [UNKNOWN-CTE]"), heard)
        self.assertIn(b"BODY[3] {11}\r\nbegin 644 x)", self.answer("b FETCH 1 BODY.PEEK[3]")[:60])

    def test_seen_though_unknown(self):
        r"""A message that is left out is \\Seen all the same, and the client is told so before the NO."""
        self.house.inbox.put(b"Content-Type: text/plain\r\n\r\n" + b"x\r\n")
        self.client.say("x NOOP")
        heard = self.answer("a FETCH 1:2 BINARY[3]")
        self.assertIn(b"* 2 FETCH (FLAGS (\\Recent \\Seen) BINARY[3] NIL)\r\n", heard)
        self.assertIn(b"* 1 FETCH (FLAGS (\\Recent \\Seen))\r\n", heard)
        self.assertIn(b"\r\na NO [UNKNOWN-CTE]", heard)

    def test_grammar(self):
        """Part numbers only; no headers, no partial sizes."""
        for item in (
            "BINARY", "BINARY.PEEK", "BINARY.SIZE", "BINARY[HEADER]", "BINARY[1.MIME]", "BINARY[1.TEXT]", "BINARY[0]",
            "BINARY.SIZE[1]<0.5>", "BINARY[1]<5>", "BINARY[1]<0.0>", "BINARY[1", "BINARY.FOO[1]",
        ):  # fmt: skip
            self.assertIn(b"a BAD", self.answer(f"a FETCH 1 {item}"), item)
            self.assertEqual(self.client.say("b NOOP"), ["b OK NOOP completed"])

    def test_announced(self):
        """The capability is there."""
        self.assertIn(" BINARY ", self.client.say("a CAPABILITY")[0])


class Large(SynchronousTestCase):
    """A part of megabytes, of which memory never holds more than a little."""

    def setUp(self):
        self.octets = bytes(range(256)) * 12_000
        encoded = base64.encodebytes(self.octets).replace(b"\n", b"\r\n")
        self.house = House()
        self.house.inbox.put(b"Content-Type: audio/wav\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded)
        self.client = self.house.selected()

    def heard(self, line):
        """What the client hears as fast as it reads; what waits for it meanwhile stays small."""
        self.client.send(line + b"\r\n")
        pieces = []
        while not pieces or b"a OK " not in pieces[-1][-80:]:
            piece = self.client.heard().encode("latin-1")
            self.assertLess(len(piece), 600_000)
            self.assertTrue(piece)
            pieces.append(piece)
            self.client.protocol.outlet.resumeProducing()
        return b"".join(pieces)

    def test_streamed(self):
        """The decoded octets are sent as they are decoded, with back-pressure."""
        write = self.client.wire.write

        def full(octets):
            write(octets)
            self.client.protocol.outlet.pauseProducing()

        self.client.wire.write = full
        heard = self.heard(b"a FETCH 1 BINARY.PEEK[1]")
        literal = literal8(self.octets, plus="")
        self.assertEqual(heard, b"* 1 FETCH (BINARY[1] %b)\r\na OK FETCH completed\r\n" % literal)

    def test_one_piece_after_the_other(self):
        """A client that asks for pieces does not make us decode from the beginning each time."""
        read = []
        content = self.house.inbox.content

        def counting(uid):
            opened = content(uid)
            original = opened.read

            def counted(offset, length):
                read.append(length)
                return original(offset, length)

            opened.read = counted
            return opened

        self.patch(self.house.inbox, "content", counting)
        found = []
        for start in range(0, len(self.octets), 100_000):
            self.client.send(b"a FETCH 1 BINARY.PEEK[1]<%d.100000>\r\n" % start)
            heard = self.client.heard().encode("latin-1")
            found.append(re.match(rb"\* 1 FETCH \(BINARY\[1\]<\d+> ~\{(\d+)\}\r\n", heard))
            at, size = found[-1].end(), int(found[-1][1])
            self.assertEqual(heard[at : at + size], self.octets[start : start + 100_000])
        self.assertLess(sum(read), 4 * len(self.octets))

    def test_size(self):
        """The size is that of what BINARY gives."""
        self.assertIn(f"BINARY.SIZE[1] {len(self.octets)})", self.client.say("a FETCH 1 BINARY.SIZE[1]")[0])


WITH_NUL = (
    b"From: robin@vm1.example.com\r\nSubject: binary\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n"
    b"Content-Transfer-Encoding: binary\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\x89PNG\0\0\n\r\xff\r\n--b--\r\n"
)


class Appending(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.selected()

    def append(self, octets, arguments=b"INBOX", form=literal8):
        self.client.send(b"a APPEND " + arguments + b" " + form(octets) + b"\r\n")
        return self.client.heard().split("\r\n")[-2]

    def test_nul(self):
        """Octets that others could not read are kept in base64, and BINARY gives them back as they were."""
        self.assertEqual(self.append(WITH_NUL), "a OK [APPENDUID 1001 1] APPEND completed")
        kept = self.house.inbox.octets(1)
        self.assertNotIn(b"\0", kept)
        self.assertIn(b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"\x89PNG\0\0\n\r\xff"), kept)
        self.assertNotIn(b"binary\r\n\r\n", kept)
        self.client.send(b"b FETCH 1 (BINARY.PEEK[2] BODYSTRUCTURE)\r\n")
        heard = self.client.heard()
        self.assertIn("BINARY[2] ~{9}\r\n\x89PNG\0\0\n\r\xff", heard)
        self.assertIn('"IMAGE" "PNG" NIL NIL NIL "BASE64"', heard.upper())

    def test_nothing_to_change(self):
        """Without NUL and without `binary` not an octet changes (RFC 3516 6: no gratuitous changes)."""
        for number, octets in enumerate((MESSAGE, b"bare\nline\n", b"Subject: \xe9\r\n\r\n\xe9\r\n", b"x" * 2_000), 1):
            self.assertIn("a OK", self.append(octets))
            self.assertEqual(self.house.inbox.octets(number), octets)

    def test_a_whole_text(self):
        """A message without MIME that holds a NUL becomes base64 as a whole."""
        self.assertIn("a OK", self.append(b"Subject: x\r\n\r\na\0b\r\n"))
        self.client.send(b"b FETCH 1 BINARY.PEEK[1]\r\n")
        self.assertIn("BINARY[1] ~{5}\r\na\0b\r\n)", self.client.heard())

    def test_what_cannot_be_kept(self):
        """A NUL in a header, or in what is signed, cannot be hidden: UNKNOWN-CTE, with the reason."""
        signed = b'Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\na\0b\r\n--b\r\n\r\nsig\r\n--b--\r\n'
        for octets in (b"Subject: a\0b\r\n\r\nx\r\n", signed):
            answer = self.append(octets)
            self.assertTrue(answer.startswith("a NO [UNKNOWN-CTE] The message cannot be kept: it has "), answer)
        self.assertEqual(list(self.house.inbox.snapshot.uids), [])

    def test_a_plain_literal(self):
        """NUL needs a literal8."""
        plain = self.append(WITH_NUL, form=lambda octets: b"{%d+}\r\n%b" % (len(octets), octets))
        self.assertTrue(plain.startswith("a NO [UNKNOWN-CTE]"))

    def test_synchronising(self):
        """`~{n}` waits for `+` as `{n}` does."""
        self.assertEqual(self.client.say(f"a APPEND INBOX ~{{{len(WITH_NUL)}}}"), ["+ Ready for the message"])
        self.client.send(WITH_NUL + b"\r\n")
        self.assertIn("a OK", self.client.heard())

    def test_in_other_forms(self):
        """MULTIAPPEND, CATENATE and REPLACE take literal8 as well."""
        text = literal8(b"Content-Type: text/plain\r\n\r\na\0b")
        self.append(MESSAGE, b"INBOX CATENATE (TEXT " + text + b")")
        self.client.send(b"b REPLACE 1 INBOX " + text + b"\r\n")
        self.assertIn("b OK", self.client.heard())
        self.assertIn(b"base64", self.house.inbox.octets(self.house.inbox.snapshot.uids[-1]))

    def test_empty(self):
        """A literal8 without octets is no message."""
        self.assertEqual(self.append(b""), "a NO [CANNOT] An empty message cannot be kept")


@pytest.mark.parametrize("size", [10, 300_000])
def test_on_disk(tmp_path, size):
    """The store on disk keeps and gives back binary parts of any size."""
    store = Store(str(tmp_path), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
    try:
        house = House(store=store)
        client = house.signed_in()
        octets = bytes(256) * (size // 256 + 1)
        header = b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        client.send(b"a APPEND INBOX " + literal8(header + octets))
        client.send(b"\r\na SELECT INBOX\r\na FETCH 1 BINARY[1]\r\n")
        heard = ""
        for _ in range(50):
            house.clock.advance(0.01)
            heard += client.heard()
        assert f"BINARY[1] ~{{{len(octets)}}}\r\n{octets.decode()})" in heard
        assert heard.endswith("a OK FETCH completed\r\n")
    finally:
        store.close()
