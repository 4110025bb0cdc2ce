"""What Twisted's stock IMAP4Server gets wrong about messages, each shown on it first, then right here.

FETCH, SEARCH and COPY; framing, folders and sessions have a file of their own.
"""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from tests.imap.stock import StockClient, StockMessage

PLAIN = (
    b"Received: from one\r\nReceived: from two\r\nDATE: Fri, 1 Jan 2027 10:00:00 +0000\r\n"
    b"From: Robin Smith <robin@vm1.example.com>\r\nsubject: Lunch\r\n\tat noon\r\n"
    b"Content-Type: text/plain\r\n\r\nHello Chris,\r\nsee you.\r\n"
)
HEADER = PLAIN[: PLAIN.index(b"\r\n\r\n") + 4]


class StockBugs(SynchronousTestCase):
    def stock(self, *messages):
        client = StockClient(*messages)
        self.addCleanup(client.leave)
        return client

    def ours(self, *messages, flags=(), date=None):
        """A client of ours with the same messages in INBOX; `say` gives octets."""
        self.house = House()
        for octets in messages:
            self.house.inbox.put(octets, flags, recent=False, **({} if date is None else {"date": date}))
        self.client = self.house.selected()

        def say(line):
            self.client.send((line.encode() if isinstance(line, str) else line) + b"\r\n")
            return self.client.heard().encode("latin-1")

        return say

    # FETCH

    def test_partial(self):
        """A partial fetch gives the octets asked for; stock sends the whole message under the partial's name."""
        stock = self.stock(PLAIN).say("a FETCH 1 BODY.PEEK[]<5.20>")
        self.assertIn(b"BODY[]<5.20> {%d}\r\n%b)" % (len(PLAIN), PLAIN), stock)
        self.assertIn(
            b"* 1 FETCH (BODY[]<5> {20}\r\n%b)\r\n" % PLAIN[5:25], self.ours(PLAIN)("a FETCH 1 BODY.PEEK[]<5.20>")
        )

    def test_seen(self):
        r"""BODY[] sets \Seen; stock never does."""
        stock = self.stock(PLAIN)
        stock.say("a FETCH 1 BODY[]")
        self.assertEqual(stock.mailbox.messages[0].flags, [])
        self.assertIn(b"FLAGS (\\Seen)", self.ours(PLAIN)("a FETCH 1 BODY[]"))
        self.assertEqual(self.house.inbox.flags_of(1), {"\\Seen"})

    def test_header(self):
        """A header comes as stored, ending with the empty line; stock loses repeated fields, case, folding and end."""
        stock = self.stock(PLAIN).say("a FETCH 1 BODY.PEEK[HEADER]")
        self.assertEqual(stock.count(b"Received:"), 1)
        self.assertNotIn(b"DATE:", stock)
        self.assertNotIn(b"\r\n\r\n", stock)
        self.assertIn(b"{%d}\r\n%b)" % (len(HEADER), HEADER), self.ours(PLAIN)("a FETCH 1 BODY.PEEK[HEADER]"))

    def test_header_fields(self):
        """HEADER.FIELDS gives every field of the name and the empty line."""
        stock = self.stock(PLAIN).say("a FETCH 1 BODY.PEEK[HEADER.FIELDS (RECEIVED)]")
        self.assertEqual(stock.count(b"from"), 1)
        self.assertNotIn(b"\r\n\r\n", stock)
        self.assertIn(
            b"{42}\r\nReceived: from one\r\nReceived: from two\r\n\r\n)",
            self.ours(PLAIN)("a FETCH 1 BODY.PEEK[HEADER.FIELDS (RECEIVED)]"),
        )

    def test_8_bit_header(self):
        """8-bit octets in a header are sent as they are; stock closes the connection."""
        octets = "Subject: Grüße\r\n\r\nhello\r\n".encode()
        for asked in ("BODY.PEEK[HEADER]", "ENVELOPE"):
            stock = self.stock(StockMessage(octets, 1))
            stock.server.mbox.messages[0].getHeaders = lambda negate, *names: {"subject": "Grüße"}
            stock.say(f"a FETCH 1 {asked}")
            self.assertTrue(stock.closed)
            self.flushLoggedErrors(UnicodeEncodeError)
            heard = self.ours(octets)(f"a FETCH 1 {asked}")
            self.assertIn("Grüße".encode(), heard)
            self.assertIn(b"a OK", heard)

    def test_no_such_part(self):
        """A part that is not there is NIL; stock closes the connection."""
        stock = self.stock(PLAIN)
        stock.say("a FETCH 1 BODY.PEEK[9]")
        self.assertTrue(stock.closed)
        self.flushLoggedErrors(TypeError)
        self.assertIn(b"BODY[9] NIL)\r\na OK", self.ours(PLAIN)("a FETCH 1 BODY.PEEK[9]"))

    def test_odd_content_types(self):
        """A trailing semicolon, or one inside quotes, is understood; stock closes the connection."""
        for field, shown in (
            (b"text/plain; charset=utf-8;", b'("charset" "utf-8")'),
            (b'text/plain; name="a;b"', b'("name" "a;b"'),
        ):
            octets = b"Content-Type: " + field + b"\r\n\r\nhello\r\n"
            stock = self.stock(octets)
            stock.say("a FETCH 1 BODYSTRUCTURE")
            self.assertTrue(stock.closed, field)
            self.flushLoggedErrors(ValueError)
            self.assertIn(shown.lower(), self.ours(octets)("a FETCH 1 BODYSTRUCTURE").lower())

    def test_parameter_values_keep_their_case(self):
        """A boundary or a name is not lower-cased, a disposition's value loses its quotes."""
        octets = (
            b'Content-Type: audio/wav; name="Voice Message.WAV"\r\n'
            b'Content-Disposition: attachment; filename="Voice Message.WAV"\r\n\r\nx\r\n'
        )
        stock = self.stock(octets).say("a FETCH 1 BODYSTRUCTURE")
        self.assertIn(b"voice message.wav", stock)
        self.assertIn(b'\\"Voice Message.WAV\\"', stock)
        heard = self.ours(octets)("a FETCH 1 BODYSTRUCTURE")
        self.assertEqual(heard.count(b'"Voice Message.WAV"'), 2)

    def test_defaults_of_bodystructure(self):
        """Without Content-Type a message is text/plain in us-ascii, 7bit; stock says NIL."""
        octets = b"Subject: x\r\n\r\nhello\r\n"
        stock = self.stock(octets).say("a FETCH 1 BODYSTRUCTURE")
        self.assertNotIn(b'"plain"', stock.lower())
        self.assertIn(b'("text" "plain" ("charset" "us-ascii") nil nil "7bit" 7 1',
                      self.ours(octets)("a FETCH 1 BODYSTRUCTURE").lower())

    def test_envelope_addresses(self):
        """An address has four parts, and no From is NIL; stock gives three, and a list of NILs."""
        octets = b"To: undisclosed\r\nSubject: x\r\n\r\n"
        stock = self.stock(octets).say("a FETCH 1 ENVELOPE")
        self.assertIn(b'((NIL NIL "undisclosed"))', stock)
        self.assertIn(b"((NIL NIL NIL))", stock)
        ours = self.ours(octets)("a FETCH 1 ENVELOPE")
        self.assertRegex(ours, rb'\(NIL "x" NIL NIL NIL \(\(NIL NIL "undisclosed" ("[^"]*"|NIL)\)\) NIL NIL NIL NIL\)')

    def test_parts_inside_an_enclosed_message(self):
        """Numbers go on inside message/rfc822, whose header has its own name; stock fails or gives something else."""
        octets = (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
            b"Subject: inner\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
            b"--c\r\n\r\ndeep\r\n--c--\r\n\r\n--b--\r\n"
        )
        stock = self.stock(octets).say("a FETCH 1 BODY.PEEK[1.1]")
        self.assertNotIn(b"{4}\r\ndeep)", stock)
        self.flushLoggedErrors()
        say = self.ours(octets)
        self.assertIn(b"BODY[1.1] {4}\r\ndeep)", say("a FETCH 1 BODY.PEEK[1.1]"))
        self.assertIn(b"{18}\r\nSubject: inner\r\n\r\n)", say("a FETCH 1 BODY.PEEK[1.HEADER.FIELDS (Subject)]"))

    # SEARCH

    def test_header_keys(self):
        """FROM, TO, CC, BCC, SUBJECT and HEADER work; stock answers BAD."""
        octets = b"From: ann\r\nTo: bob\r\nCc: eve\r\nBcc: dan\r\nSubject: Lunch\r\n\r\nhello\r\n"
        stock, say = self.stock(octets), self.ours(octets)
        for key in ("FROM ann", "TO bob", "CC eve", "BCC dan", "SUBJECT lunch", "HEADER Subject lunch"):
            self.assertIn(b"a BAD", stock.say(f"a SEARCH {key}"), key)
            self.flushLoggedErrors()
            self.assertEqual(say(f"a SEARCH {key}"), b"* SEARCH 1\r\na OK SEARCH completed\r\n", key)

    def test_date_keys(self):
        """BEFORE, ON, SINCE and SENT* work, SINCE with its day included; stock answers BAD."""
        stock, say = self.stock(PLAIN), self.ours(PLAIN, date=1_795_000_000.0)  # 18 November 2026
        for key, found in (
            ("BEFORE 19-Nov-2026", True), ("ON 18-Nov-2026", True), ("SINCE 18-Nov-2026", True),
            ("SENTBEFORE 2-Jan-2027", True), ("SENTON 1-Jan-2027", True), ("SENTSINCE 1-Jan-2027", True),
            ("BEFORE 18-Nov-2026", False), ("SINCE 19-Nov-2026", False),
        ):
            self.assertIn(b"a BAD", stock.say(f"a SEARCH {key}"), key)
            self.flushLoggedErrors()
            self.assertEqual(say(f"a SEARCH {key}")[:10], b"* SEARCH 1" if found else b"* SEARCH\r\n", key)

    def test_keywords(self):
        """KEYWORD and UNKEYWORD find what they should; stock finds nothing, either way."""
        stock = self.stock(StockMessage(PLAIN, 1, ["work"]))
        say = self.ours(PLAIN, flags=["work"])
        for key, found in (("KEYWORD work", True), ("UNKEYWORD play", True), ("UNKEYWORD work", False)):
            self.assertNotIn(b"SEARCH 1", stock.say(f"a SEARCH {key}"), key)
            self.assertEqual(b"SEARCH 1" in say(f"a SEARCH {key}"), found, key)

    def test_text_looks_into_headers(self):
        """TEXT finds words of the header; stock looks at the body only."""
        self.assertNotIn(b"SEARCH 1", self.stock(PLAIN).say("a SEARCH TEXT lunch"))
        self.flushLoggedErrors()
        self.assertIn(b"* SEARCH 1\r\n", self.ours(PLAIN)("a SEARCH TEXT lunch"))

    def test_charset(self):
        """A charset that we do not read is refused; stock ignores it."""
        self.assertIn(b"a OK", self.stock(PLAIN).say("a SEARCH CHARSET KLINGON ALL"))
        self.assertIn(b"a NO [BADCHARSET (US-ASCII UTF-8)]", self.ours(PLAIN)("a SEARCH CHARSET KLINGON ALL"))

    def test_empty_result(self):
        """Nothing found is an untagged SEARCH without numbers; stock says nothing."""
        self.assertNotIn(b"* SEARCH", self.stock(PLAIN).say("a SEARCH DELETED"))
        self.assertEqual(self.ours(PLAIN)("a SEARCH DELETED"), b"* SEARCH\r\na OK SEARCH completed\r\n")

    def test_literals(self):
        """A literal may be an argument of SEARCH; stock does not read it."""
        stock = self.stock(PLAIN)
        stock.say("a SEARCH BODY {5}")
        self.assertNotIn(b"SEARCH 1", stock.say("Chris"))
        self.flushLoggedErrors()
        say = self.ours(PLAIN)
        say("a SEARCH BODY {5}")
        self.assertIn(b"* SEARCH 1\r\n", say("chris"))

    # COPY

    def test_copy_to_nowhere(self):
        """A missing target is NO [TRYCREATE]; stock stumbles over it."""
        self.assertNotIn(b"TRYCREATE", self.stock(PLAIN).say("a COPY 1 Nowhere"))
        self.flushLoggedErrors()
        self.assertIn(b"a NO [TRYCREATE]", self.ours(PLAIN)("a COPY 1 Nowhere"))

    def test_failed_copy(self):
        """A copy that fails is NO with the reason; stock stumbles over its own answer."""
        self.assertNotIn(b"a NO", self.stock(PLAIN).say("a COPY 1 Junk"))
        self.flushLoggedErrors()
        say = self.ours(PLAIN, PLAIN)
        self.house.account.quota = 1
        self.assertIn(b"a NO [OVERQUOTA]", say("a COPY 1:2 Junk"))
        self.assertEqual(len(self.house.account.folder("Junk").snapshot.uids), 0)
