"""SORT (RFC 5256), SORT=DISPLAY (RFC 5957), ESORT (RFC 5267) and I18NLEVEL=1 (RFC 5255), as a client sees them."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.disk import Disk
from unitymail.imap.sort import arrange, columns
from unitymail.imap.sort.remembered import Remembered
from unitymail.store import Store

OK = "a OK SORT completed"


def mail(subject="", sent="", from_="", to="", cc="", body=""):
    fields = (("Subject", subject), ("Date", sent), ("From", from_), ("To", to), ("Cc", cc))
    header = "".join(f"{name}: {value}\r\n" for name, value in fields if value)
    return f"{header}\r\n{body}\r\n".encode()


def day(number, clock="10:00:00", zone="+0000"):
    return f"{number} Feb 2026 {clock} {zone}"


class Sorting(SynchronousTestCase):
    def setUp(self):
        self.house = House()

    def put(self, *octets, **more):
        for one in octets:
            self.house.inbox.put(one, recent=False, **more)

    def sorted(self, program, criteria="ALL", uid=""):
        line, done = self.house.selected().say(f"a {uid}SORT ({program}) UTF-8 {criteria}")
        self.assertEqual(done, OK)
        self.assertTrue(line.startswith("* SORT"))
        return [int(number) for number in line.split()[2:]]

    def test_offered(self):
        """What is complete is announced."""
        line = self.house.signed_in().say("a CAPABILITY")[0]
        for word in ("SORT", "SORT=DISPLAY", "ESORT", "I18NLEVEL=1"):
            self.assertIn(f" {word} ", line + " ")

    def test_examples_of_the_rfc(self):
        """RFC 5256, 3: by subject; by subject and the newest first; nothing found."""
        self.put(mail("b", day(1)), mail("b", day(2)), mail("a", day(3)), mail("a", day(2)), mail("a", day(4)))
        client = self.house.selected()
        self.assertEqual(client.say("a SORT (SUBJECT REVERSE DATE) UTF-8 ALL"), ["* SORT 5 3 4 2 1", OK])
        self.assertEqual(client.say("a SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994 2:4"), ["* SORT 3 4 2", OK])
        self.assertEqual(client.say('a SORT (SUBJECT) US-ASCII TEXT "not in mailbox"'), ["* SORT", OK])

    def test_uid_sort(self):
        """UID SORT answers with UIDs, and its numbers are UIDs only where UID says so."""
        self.put(mail("c"), mail("b"), mail("a"))
        self.house.inbox.store([1], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.assertEqual(self.sorted("SUBJECT", uid="UID "), [3, 2])
        self.assertEqual(self.sorted("SUBJECT"), [2, 1])
        self.assertEqual(self.sorted("SUBJECT", "UID 3", uid="uid "), [3])
        self.assertEqual(self.sorted("SUBJECT", "2", uid="UID "), [3])

    def test_subject(self):
        """By base subject, case, accents' spelling and list names aside; without a subject comes first."""
        self.put(mail("Re: zebra"), mail("[list] Apple"), mail("apple (fwd)"), mail("=?utf-8?q?=C3=A4pfel?="),
                 mail("Fwd: äpfel".replace("ä", "a\u0308")), mail(""), mail("ÄPFEL"))
        self.assertEqual(self.sorted("SUBJECT"), [6, 2, 3, 4, 5, 7, 1])
        self.assertEqual(self.sorted("REVERSE SUBJECT"), [1, 4, 5, 7, 2, 3, 6])

    def test_sent_and_arrival(self):
        """DATE is when it was sent, in one time zone; ARRIVAL when it came; what has no date was sent when it came."""
        self.put(mail("a", day(3, "01:00:00", "+0200")), date=3_000.0)
        self.put(mail("b", day(2, "22:00:00", "-0030")), date=1_000.0)
        self.put(mail("c", day(2, "23:00:00", "GMT")), date=2_000.0)
        self.put(mail("d"), mail("e", "the day before"), date=1_769_904_000.0)
        self.assertEqual(self.sorted("DATE"), [4, 5, 2, 1, 3])
        self.assertEqual(self.sorted("REVERSE DATE"), [1, 3, 2, 4, 5])
        self.assertEqual(self.sorted("ARRIVAL"), [2, 3, 1, 4, 5])
        self.assertEqual(self.sorted("REVERSE ARRIVAL"), [4, 5, 1, 3, 2])

    def test_size(self):
        """SIZE is RFC822.SIZE; equal ones stay in the order of the mailbox, also in reverse."""
        self.put(mail(body="xxx"), mail(body="x"), mail(body="xxx"), mail())
        self.assertEqual(self.sorted("SIZE"), [4, 2, 1, 3])
        self.assertEqual(self.sorted("REVERSE SIZE"), [1, 3, 2, 4])

    def test_addresses(self):
        """FROM, TO and CC go by the part before the @ of the first address; who has none comes first."""
        self.put(mail(from_="Zoe <adam@x>", to="b@x, a@x", cc="x@x"), mail(from_="Adam <Zoe@x>", to="a@x"),
                 mail(to="Team: c@x;", cc="W@x"))
        self.assertEqual(self.sorted("FROM"), [3, 1, 2])
        self.assertEqual(self.sorted("TO"), [2, 1, 3])
        self.assertEqual(self.sorted("CC"), [2, 3, 1])

    def test_display(self):
        """DISPLAYFROM and DISPLAYTO go by the name that is shown, else by the whole address."""
        self.put(mail(from_="Zoe <adam@x>", to="=?utf-8?q?=C3=89mile?= <z@x>"), mail(from_="beta@x", to='"" <d@x>'),
                 mail(from_='"alpha" <z@x>', to="emil@x"), mail(from_="beta@w"))
        self.assertEqual(self.sorted("DISPLAYFROM"), [3, 4, 2, 1])
        self.assertEqual(self.sorted("REVERSE DISPLAYFROM"), [1, 2, 4, 3])
        self.assertEqual(self.sorted("DISPLAYTO"), [4, 2, 3, 1])

    def test_return_options(self):
        """ESORT: extended results in the order asked for; RETURN () is ALL."""
        self.put(mail("c"), mail("d"), mail("a"), mail("b"))
        client = self.house.selected()
        self.assertEqual(
            client.say("a SORT RETURN (MIN MAX COUNT) (SUBJECT) UTF-8 ALL"),
            ['* ESEARCH (TAG "a") MIN 3 MAX 2 COUNT 4', OK],
        )
        self.assertEqual(
            client.say("a UID SORT RETURN () (REVERSE SUBJECT) UTF-8 ALL"),
            ['* ESEARCH (TAG "a") UID ALL 2,1,4,3', OK],
        )
        self.assertEqual(client.say("a SORT RETURN (PARTIAL 2:3) (SUBJECT) UTF-8 ALL"),
                         ['* ESEARCH (TAG "a") PARTIAL (2:3 4,1)', OK])
        self.assertEqual(client.say("a SORT RETURN (COUNT) (SUBJECT) UTF-8 SEEN"), ['* ESEARCH (TAG "a") COUNT 0', OK])

    def test_saved(self):
        """RETURN (SAVE) keeps the result for $; a refused SORT empties it."""
        self.put(mail("c"), mail("a"), mail("b"))
        client = self.house.selected()
        self.assertEqual(client.say("a SORT RETURN (SAVE) (SUBJECT) UTF-8 2:3"), [OK])
        self.assertEqual(client.say("a SORT (REVERSE SUBJECT) UTF-8 $"), ["* SORT 3 2", OK])
        self.assertTrue(client.say("a SORT RETURN (SAVE) (SUBJECT) KOI8-R ALL")[-1].startswith("a NO [BADCHARSET "))
        self.assertEqual(client.say("a SORT (SUBJECT) UTF-8 $"), ["* SORT", OK])

    def test_modseq(self):
        """With MODSEQ among the criteria the highest one found is told (RFC 7162, 3.1.5)."""
        self.put(mail("b"), mail("a"))
        self.house.inbox.store([1], "add", ["\\Seen"])
        highest = self.house.inbox.snapshot.modseqs[0]
        self.assertIn(f"* SORT 2 1 (MODSEQ {highest})", self.house.selected().say("a SORT (SUBJECT) UTF-8 MODSEQ 1"))

    def test_refused(self):
        """A sort program or charset is never missing; the connection lives."""
        self.put(mail("a"))
        client = self.house.selected()
        for line in ("SORT", "SORT ALL", "SORT (SUBJECT)", "SORT (SUBJECT) UTF-8", "SORT () UTF-8 ALL",
                     "SORT (SPEED) UTF-8 ALL", "SORT (SUBJECT)  UTF-8 ALL", "SORT RETURN (COUNT) UTF-8 ALL",
                     "SORT RETURN (NOTHING) (SUBJECT) UTF-8 ALL", "UID SORT (SUBJECT) UTF-8 FOO"):
            self.assertTrue(self.house.selected().say("a " + line)[-1].startswith("a BAD "), line)
        for line in ("SORT (SUBJECT) ALL", "SORT (SUBJECT) KOI8-R ALL", 'UID SORT (SUBJECT) "" ALL'):
            self.assertTrue(client.say("a " + line)[-1].startswith("a NO [BADCHARSET (US-ASCII UTF-8)] "), line)
        self.assertEqual(client.say('a SORT (SUBJECT) "utf-8" ALL'), ["* SORT 1", OK])
        self.assertTrue(self.house.signed_in().say("a SORT (SUBJECT) UTF-8 ALL")[-1].startswith("a BAD "))

    def test_expunged_meanwhile(self):
        """What another client expunged is sorted as if it were empty until EXPUNGE can be told; nothing is missing."""
        self.put(mail("b"), mail("a"), mail("c"))
        client = self.house.selected()
        self.house.inbox.store([1], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.assertEqual(client.say("a SORT (SUBJECT) UTF-8 ALL")[0], "* SORT 1 2 3")
        self.assertIn("* 1 EXPUNGE", client.say("a UID SORT (SUBJECT) UTF-8 ALL"))
        self.assertEqual(client.say("a SORT (SUBJECT) UTF-8 ALL"), ["* SORT 1 2", OK])


class LargeFolders(SynchronousTestCase):
    """Thousands of messages, whose order is remembered."""

    COUNT = 2 * columns.ROWS + 500

    def setUp(self):
        self.house = House()
        self.dice = random.Random(7)
        self.add(self.COUNT)

    def add(self, count):
        inbox = self.house.inbox
        for _ in range(count):
            inbox._add(mail(f"s{self.dice.randrange(900)}", from_=f"u{self.dice.randrange(9)}@x"), 0,
                       float(self.dice.randrange(10**6)))
        inbox._renew()

    def answer(self, client, line):
        client.send(f"a {line}\r\n")
        heard = client.heard()
        while not heard.endswith("completed\r\n"):
            self.house.clock.advance(0.01)
            heard += client.heard()
        found = next(one for one in heard.split("\r\n") if one.startswith("* SORT"))
        return [int(number) for number in found.split()[2:]]

    def expected(self, *names):
        rows = self.house.inbox.rows(list(self.house.inbox.snapshot.uids), names)
        return [row[0] for row in sorted(rows, key=lambda row: row[1:])]

    def reads(self):
        return self.house.inbox.calls.count("rows")

    def test_remembered(self):
        """The second time nothing is read; what came and went since takes a few looks, for any client."""
        client = self.house.selected()
        line = "UID SORT (SUBJECT ARRIVAL) UTF-8 ALL"
        self.assertEqual(self.answer(client, line), self.expected("subject", "date"))
        before = self.reads()
        self.assertEqual(self.answer(self.house.selected(), line), self.answer(client, line))
        self.assertEqual(self.reads(), before)
        self.add(3)
        gone = self.dice.sample(range(1, self.COUNT), 40)
        self.house.inbox.store(gone, "add", ["\\Deleted"])
        self.house.inbox.expunge()
        client.say("a NOOP")
        before = self.reads()
        found = self.answer(client, line)
        self.assertLess(self.reads() - before, 60)
        self.assertEqual(found, self.expected("subject", "date"))

    def test_many_new(self):
        """When much is new, all is sorted anew."""
        client = self.house.selected()
        self.answer(client, "UID SORT (FROM SUBJECT) UTF-8 ALL")
        self.add(arrange.MOST_INSERTED + 1)
        client.say("a NOOP")
        self.assertEqual(self.answer(client, "UID SORT (FROM SUBJECT) UTF-8 ALL"), self.expected("from", "subject"))

    def test_part_of_it(self):
        """A search that finds half of a large folder is answered from the order of the whole, which stays."""
        client = self.house.selected()
        whole = self.answer(client, "UID SORT (SUBJECT) UTF-8 ALL")
        before = self.reads()
        half = f"1:{self.COUNT // 2}"
        self.assertEqual(self.answer(client, f"UID SORT (SUBJECT) UTF-8 {half}"),
                         [uid for uid in whole if uid <= self.COUNT // 2])
        self.assertEqual(self.answer(client, f"SORT (SUBJECT) UTF-8 NOT {half}"),
                         [uid for uid in whole if uid > self.COUNT // 2])
        self.assertEqual(self.answer(client, "UID SORT (SUBJECT) UTF-8 ALL"), whole)
        self.assertEqual(self.reads(), before)

    def test_gone_is_not_remembered(self):
        """An order made while messages were gone that the client does not know of yet is not kept."""
        client = self.house.selected()
        self.house.inbox.store([5], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.assertEqual(self.answer(client, "SORT (SUBJECT) UTF-8 ALL")[0], 5)
        self.assertEqual(Remembered.of(client.session.door.store).octets, 0)


class BothStores(SynchronousTestCase):
    LINES = [
        "SELECT INBOX",
        *(f"UID SORT ({one}) UTF-8 ALL" for one in ("ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO",
                                                   "DISPLAYFROM", "DISPLAYTO", "REVERSE FROM SIZE")),
        "SORT RETURN (ALL COUNT) (SUBJECT) US-ASCII NOT SUBJECT lunch",
        "SELECT Junk",
    ]

    def conversation(self, house):
        client = house.signed_in()
        dice = random.Random(3)
        for number in range(60):
            octets = mail(dice.choice(["lunch", "Re: lunch", "[x] dinner", "", "café"]),
                          dice.choice(["", day(3), day(9)]),
                          dice.choice(["", "robin@x", "Robin <r@x>"]), dice.choice(["", "chris@x", "A <z@x>, b@x"]),
                          dice.choice(["", "terry@x"]), "x" * dice.randrange(3))
            client.send(b'a APPEND INBOX () "%2d-Feb-2026 10:00:00 +0100" {%d+}\r\n' % (number % 7 + 1, len(octets)))
            client.send(octets + b"\r\n")
        heard = []
        for line in self.LINES:
            house.clock.advance(0.01)
            client.heard()
            client.send(f"a {line}\r\n")
            house.clock.advance(0.01)
            heard.append([one for one in client.heard().split("\r\n") if "SORT" in one or "ESEARCH" in one])
        return heard

    def test_same_order(self):
        """The store on disk and the one in memory give the same orders."""
        store = Store(self.mktemp(), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
        self.addCleanup(store.close)
        on_disk, in_memory = self.conversation(House(store=store)), self.conversation(House())
        self.assertEqual(on_disk, in_memory)
        self.assertEqual([len(one) for one in on_disk], [0, *[2] * 11, 0])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from([
    b"SORT", b"UID SORT", b" ", b"(", b")", b"SUBJECT", b"REVERSE", b"DATE", b"UTF-8", b"RETURN", b"COUNT", b"ALL",
    b"{3}\r\nALL", b"\"UTF-8\"", b"1:*", b"$", b"*", b"\\", b"NOT", b"SUBJECT x", b"PARTIAL 1:2",
]), max_size=14).map(b"".join), st.lists(st.integers(1, 30), max_size=4))
def test_grammar(words, sizes):
    """Whatever is said, and however it is cut, the answer is OK, NO or BAD and the connection lives."""
    house = House()
    house.inbox.put(mail("a"))
    client = house.selected()
    octets, pieces = b"a " + words + b"\r\n", []
    for size in sizes:
        pieces.append(octets[:size])
        octets = octets[size:]
    for piece in [*pieces, octets]:
        client.send(piece)
    client.send(b"b NOOP\r\n")
    heard = client.heard()
    assert "b OK" in heard or "b BAD" in heard or heard.count("+ ") > 0
    assert not client.closed
