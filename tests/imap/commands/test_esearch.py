"""ESEARCH (RFC 4731): what the client asks for, and no more."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House


class Extended(SynchronousTestCase):
    """Twelve messages with even UIDs; those divisible by 6 are flagged."""

    def setUp(self):
        self.house = House()
        for number in range(1, 25):
            self.house.inbox.put(b"Subject: s%d\r\n\r\nx\r\n" % number, ["\\Flagged"] if number % 6 == 0 else [],
                                 recent=False)
        self.house.inbox.store(range(1, 25, 2), "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.client = self.house.selected()

    def test_announced(self):
        """The capabilities are there."""
        words = self.client.say("a CAPABILITY")[0].split()
        for word in ("ESEARCH", "SEARCHRES", "WITHIN", "CONTEXT=SEARCH", "MULTISEARCH"):
            self.assertIn(word, words)

    def test_examples(self):
        """The forms of RFC 4731, 3.1: by number and by UID, each with its tag."""
        for line, answer in (
            ("A282 SEARCH RETURN (MIN COUNT) FLAGGED", '* ESEARCH (TAG "A282") MIN 3 COUNT 4'),
            ("A283 SEARCH RETURN () FLAGGED", '* ESEARCH (TAG "A283") ALL 3,6,9,12'),
            ("A285 UID SEARCH RETURN (MIN MAX) 1:5000", '* ESEARCH (TAG "A285") UID MIN 2 MAX 24'),
            ("A286 UID SEARCH RETURN (ALL) 1:3", '* ESEARCH (TAG "A286") UID ALL 2,4,6'),
            ("A287 SEARCH RETURN (COUNT ALL) 2:4", '* ESEARCH (TAG "A287") COUNT 3 ALL 2:4'),
            ('A288 SEARCH CHARSET UTF-8 OR FLAGGED SUBJECT "s8"', "* SEARCH 3 4 6 9 12"),
        ):
            tag = line.split()[0]
            self.assertEqual(self.client.say(line), [answer, f"{tag} OK SEARCH completed"])

    def test_nothing_found(self):
        """Without a match there is no MIN, MAX and ALL, but COUNT 0, and an answer in any case."""
        self.assertEqual(self.client.say("a SEARCH RETURN (MIN MAX ALL COUNT) SEEN")[0], '* ESEARCH (TAG "a") COUNT 0')
        self.assertEqual(self.client.say("a UID SEARCH RETURN (MIN) SEEN")[0], '* ESEARCH (TAG "a") UID')

    def test_modseq(self):
        """RFC 4731, 3.2: MODSEQ is that of MIN or MAX alone, else the highest found; SEARCH has it in parentheses."""
        view = self.client.session.view
        self.client.say("a STORE 3 +FLAGS.SILENT (\\Seen)")
        self.client.say("a STORE 1 +FLAGS.SILENT (\\Seen)")
        first, second, third = view.modseqs[0], view.modseqs[1], view.modseqs[2]
        self.assertTrue(second < third < first)
        self.assertTrue(self.client.say("a SEARCH MODSEQ 1")[0].startswith("* OK [HIGHESTMODSEQ "))
        for line, answer in (
            ("SEARCH 1:3 MODSEQ 1", f"* SEARCH 1 2 3 (MODSEQ {first})"),
            ("SEARCH SEEN FLAGGED DELETED MODSEQ 1", "* SEARCH"),
            ("SEARCH RETURN (MIN) 2:3 MODSEQ 1", f'* ESEARCH (TAG "a") MIN 2 MODSEQ {second}'),
            ("SEARCH RETURN (MAX) 1:3 MODSEQ 1", f'* ESEARCH (TAG "a") MAX 3 MODSEQ {third}'),
            ("SEARCH RETURN (MIN MAX) 2:3 MODSEQ 1", f'* ESEARCH (TAG "a") MIN 2 MAX 3 MODSEQ {third}'),
            ("SEARCH RETURN (MIN COUNT) 1:3 MODSEQ 1", f'* ESEARCH (TAG "a") MIN 1 COUNT 3 MODSEQ {first}'),
            (f"SEARCH MODSEQ {third}", f"* SEARCH 1 3 (MODSEQ {first})"),
            (f'SEARCH MODSEQ "/flags/\\\\seen" all {third + 1}', f"* SEARCH 1 (MODSEQ {first})"),
            (f"SEARCH RETURN (ALL) MODSEQ {first + 1}", '* ESEARCH (TAG "a")'),
        ):
            self.assertEqual(self.client.say("a " + line)[0], answer, line)

    def test_tag_with_odd_signs(self):
        """Whatever tag a client uses comes back as a string."""
        self.assertEqual(self.client.say("a]b.! SEARCH RETURN (COUNT) ALL")[0], '* ESEARCH (TAG "a]b.!") COUNT 12')

    def test_charset_and_utf8(self):
        """Once UTF8=ACCEPT is enabled, CHARSET is BAD (RFC 6855, 3)."""
        if "UTF8=ACCEPT" not in self.client.say("a CAPABILITY")[0].split():
            self.client.session.enabled.add("UTF8=ACCEPT")
        else:
            self.client.say("a ENABLE UTF8=ACCEPT")
        self.assertEqual(self.client.say('a SEARCH SUBJECT "s8"')[0], "* SEARCH 4")
        self.assertTrue(self.client.say("a SEARCH CHARSET UTF-8 ALL")[0].startswith("a BAD "))

    def test_rev2(self):
        """A client of IMAP4rev2 hears ESEARCH without asking for it (RFC 9051, 6.4.4)."""
        self.client.say("a ENABLE IMAP4rev2")
        self.assertEqual(self.client.say("a SEARCH FLAGGED")[0], '* ESEARCH (TAG "a") ALL 3,6,9,12')
        self.assertEqual(self.client.say("a UID SEARCH SEEN")[0], '* ESEARCH (TAG "a") UID')
        self.assertEqual(self.client.say("a UID SEARCH CHARSET UTF-8 1")[0], '* ESEARCH (TAG "a") UID ALL 2')

    def test_uid_only(self):
        """A client that gave up sequence numbers names messages by UID in keys too (RFC 9586, 3)."""
        self.client.session.enabled.add("UIDONLY")
        self.assertTrue(self.client.say("a UID SEARCH 1:3")[0].startswith("a BAD [UIDREQUIRED] "))
        self.assertTrue(self.client.say("a SEARCH ALL")[0].startswith("a BAD [UIDREQUIRED] "))
        self.client.say("a UID SEARCH RETURN (SAVE) UID 1:6")
        self.assertEqual(self.client.say("a UID SEARCH RETURN (COUNT) $")[0], '* ESEARCH (TAG "a") UID COUNT 3')

    def test_bad(self):
        """What RETURN does not know is BAD, with the reason."""
        for words in ("FOO", "ALL PARTIAL 1:2", "PARTIAL 0:1", "PARTIAL"):
            self.assertTrue(self.client.say(f"a SEARCH RETURN ({words}) ALL")[0].startswith("a BAD "), words)


class Pages(SynchronousTestCase):
    """PARTIAL (RFC 9394, RFC 5267)."""

    def test_examples(self):
        """A result is told in pages, from the first or the last; beyond it is NIL."""
        house = House()
        for _ in range(20):
            house.inbox.put(b"Subject: s\r\n\r\n", recent=False)
        client = house.selected()
        client.say("a UID STORE 3,4,9 +FLAGS.SILENT (\\Deleted)")
        for line, answer in (
            ("A01 UID SEARCH RETURN (PARTIAL -1:-5) UNDELETED", '* ESEARCH (TAG "A01") UID PARTIAL (-1:-5 16:20)'),
            ("A02 UID SEARCH RETURN (PARTIAL 1:5) UNDELETED", '* ESEARCH (TAG "A02") UID PARTIAL (1:5 1:2,5:7)'),
            ("A03 UID SEARCH RETURN (PARTIAL 16:30) UNDELETED", '* ESEARCH (TAG "A03") UID PARTIAL (16:30 19:20)'),
            ("A04 UID SEARCH RETURN (PARTIAL 24000:24500) UNDELETED",
             '* ESEARCH (TAG "A04") UID PARTIAL (24000:24500 NIL)'),
            ("A05 SEARCH RETURN (PARTIAL 2:1 COUNT MIN) UNDELETED",
             '* ESEARCH (TAG "A05") MIN 1 COUNT 17 PARTIAL (2:1 1:2)'),
        ):
            self.assertEqual(client.say(line), [answer, f"{line.split()[0]} OK SEARCH completed"])
