"""THREAD=REFERENCES and THREAD=ORDEREDSUBJECT (RFC 5256), as a client sees them."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.disk import Disk
from unitymail.imap.sort.columns import ROWS
from unitymail.imap.sort.remembered import Remembered
from unitymail.store import Store

OK = "a OK THREAD completed"


def mail(subject="", id="", references="", sent="", answers=""):
    fields = (("Subject", subject), ("Message-ID", id and f"<{id}@x>"), ("Date", sent), ("In-Reply-To", answers),
              ("References", "\r\n ".join(f"<{one}@x>" for one in references)))
    header = "".join(f"{name}: {value}\r\n" for name, value in fields if value)
    return f"{header}\r\n".encode()


def day(number):
    return f"{number} Mar 2000 10:00:00 +0000"


class Threading(SynchronousTestCase):
    def setUp(self):
        self.house = House()

    def put(self, *octets):
        for one in octets:
            self.house.inbox.put(one, recent=False)

    def threads(self, line):
        heard, done = self.house.selected().say(f"a {line}")
        self.assertEqual(done, OK)
        self.assertEqual(heard[:8], "* THREAD")
        return heard[9:]

    def test_offered(self):
        """Both algorithms are announced."""
        line = self.house.signed_in().say("a CAPABILITY")[0] + " "
        self.assertIn(" THREAD=ORDEREDSUBJECT ", line)
        self.assertIn(" THREAD=REFERENCES ", line)

    def test_ordered_subject(self):
        """As in the example of RFC 5256, 3: a thread a base subject, its answers side by side, by date."""
        self.put(*(mail(subject, sent=day(date)) for subject, date in [
            ("a", 6), ("b", 7), ("Re: c", 12), ("c", 8), ("Re: C", 13), ("[x] c", 11), ("d", 9), ("Fwd: d", 10),
            ("b", 1),
        ]))  # fmt: skip
        self.assertEqual(self.threads("THREAD ORDEREDSUBJECT UTF-8 SENTSINCE 5-MAR-2000"), "(1)(2)(4 (6)(3)(5))(7 8)")
        self.assertEqual(self.threads("THREAD ordereDsubject UTF-8 ALL"), "(9 2)(1)(4 (6)(3)(5))(7 8)")

    def test_nothing_found(self):
        """An untagged THREAD comes all the same."""
        self.put(mail("a"))
        for algorithm in ("ORDEREDSUBJECT", "REFERENCES"):
            client = self.house.selected()
            self.assertEqual(client.say(f'a THREAD {algorithm} US-ASCII TEXT "gewp"'), ["* THREAD", OK])
            client.say("a SELECT Junk")
            self.assertEqual(client.say(f"a UID THREAD {algorithm} UTF-8 ALL"), ["* THREAD", OK])

    def test_references(self):
        """Answers stand below what they answer, by References or In-Reply-To; what is missing holds them together."""
        self.put(
            mail("lunch", "1", sent=day(1)), mail("Re: lunch", "2", "1", day(3)), mail("other", "3", "12", day(2)),
            mail("x", "4", "9", day(4)), mail("y", "5", "9", day(5)), mail("z", "6", answers="Yours <2@x> of today"),
            mail("Re: lunch", "7", sent=day(6)),
        )
        self.assertEqual(self.threads("THREAD REFERENCES UTF-8 ALL"), "(1 (2 (3)(6))(7))((4)(5))")

    def test_only_what_was_searched(self):
        """Messages that the search leaves out are as good as missing."""
        self.put(mail("a", "1"), mail("b", "2", "1"), mail("c", "3", "1"))
        self.assertEqual(self.threads("THREAD REFERENCES UTF-8 ALL"), "(1 (2)(3))")
        self.assertEqual(self.threads("THREAD REFERENCES UTF-8 2:3"), "((2)(3))")
        self.assertEqual(self.threads("THREAD REFERENCES UTF-8 3"), "(3)")

    def test_uids(self):
        """UID THREAD answers with UIDs, THREAD with sequence numbers."""
        self.put(mail("gone"), mail("a", "1"), mail("b", "2", "1"), mail("c"))
        self.house.inbox.store([1], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.assertEqual(self.threads("UID THREAD REFERENCES UTF-8 ALL"), "(2 3)(4)")
        self.assertEqual(self.threads("THREAD REFERENCES UTF-8 ALL"), "(1 2)(3)")
        self.assertEqual(self.threads("UID THREAD REFERENCES UTF-8 UID 3:4"), "(3)(4)")
        self.assertEqual(self.threads("THREAD REFERENCES UTF-8 2:3"), "(2)(3)")

    def test_refused(self):
        """An algorithm that is not known, a missing charset or criterion are BAD, a foreign charset is NO."""
        self.put(mail("a"))
        for line in ("THREAD", "THREAD REFERENCES", "THREAD REFERENCES UTF-8", "THREAD REFS UTF-8 ALL",
                     "THREAD (REFERENCES) UTF-8 ALL", "UID THREAD ORDEREDSUBJECT UTF-8 FOO"):
            self.assertTrue(self.house.selected().say("a " + line)[-1].startswith("a BAD "), line)
        client = self.house.selected()
        for line in ("THREAD REFERENCES KOI8-R ALL", "THREAD REFERENCES ALL SEEN"):
            self.assertTrue(client.say("a " + line)[-1].startswith("a NO [BADCHARSET (US-ASCII UTF-8)] "), line)
        self.assertEqual(client.say("a THREAD references us-ascii ALL"), ["* THREAD (1)", OK])
        self.assertTrue(self.house.signed_in().say("a THREAD REFERENCES UTF-8 ALL")[-1].startswith("a BAD "))

    def test_expunged_meanwhile(self):
        """What another client expunged stands alone until EXPUNGE can be told."""
        self.put(mail("a", "1"), mail("b", "2", "1"))
        client = self.house.selected()
        self.house.inbox.store([1], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.assertEqual(sorted(client.say("a THREAD REFERENCES UTF-8 ALL")[0].split(" ", 2)[2]), sorted("(1)(2)"))
        self.assertIn("* 1 EXPUNGE", client.say("a NOOP"))
        self.assertEqual(client.say("a THREAD REFERENCES UTF-8 ALL"), ["* THREAD (1)", OK])


class LargeFolders(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        dice = random.Random(7)
        for number in range(2 * ROWS + 500):
            references = [str(dice.randrange(number))] if number and dice.random() < 0.6 else ()
            self.house.inbox._add(mail(f"s{number}", str(number), references), 0, float(number))
        self.house.inbox._renew()

    def answer(self, client, line):
        client.send(f"a {line}\r\n")
        heard = client.heard()
        while not heard.endswith("completed\r\n"):
            self.house.clock.advance(0.01)
            heard += client.heard()
        return next(one for one in heard.split("\r\n") if one.startswith("* THREAD"))

    def test_remembered(self):
        """The second time nothing is read, by UID or by number; what came since is threaded."""
        client, calls = self.house.selected(), self.house.inbox.calls
        first = self.answer(client, "UID THREAD REFERENCES UTF-8 ALL")
        before = calls.count("rows")
        self.assertEqual(self.answer(self.house.selected(), "UID THREAD REFERENCES UTF-8 ALL"), first)
        self.assertEqual(self.answer(client, "THREAD REFERENCES UTF-8 ALL"), first)
        self.assertEqual(calls.count("rows"), before)
        self.answer(client, f"UID THREAD REFERENCES UTF-8 1:{ROWS + 9}")
        before = calls.count("rows")
        self.assertEqual(self.answer(client, "UID THREAD REFERENCES UTF-8 ALL"), first)
        self.answer(client, f"UID THREAD REFERENCES UTF-8 1:{ROWS + 9}")
        self.assertEqual(calls.count("rows"), before)
        self.house.inbox.put(mail("answer", "new", "0"))
        client.say("a NOOP")
        self.assertEqual(self.answer(client, "UID THREAD REFERENCES UTF-8 ALL").count("("), first.count("(") + 1)
        self.house.inbox.store([3], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        client.say("a NOOP")
        by_uid = self.answer(client, "UID THREAD REFERENCES UTF-8 ALL")
        self.assertNotIn("3", by_uid.replace("(", " ").replace(")", " ").split())
        by_number = self.answer(client, "THREAD REFERENCES UTF-8 ALL")
        self.assertEqual(by_number.count("("), by_uid.count("("))
        self.assertEqual(
            sorted(map(int, by_number[8:].replace("(", " ").replace(")", " ").split())),
            list(range(1, 2 * ROWS + 501)),
        )

    def test_gone_is_not_remembered(self):
        """Threads made while messages were gone that the client does not know of yet are not kept."""
        client = self.house.selected()
        self.house.inbox.store([5], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.answer(client, "THREAD REFERENCES UTF-8 ALL")
        self.assertEqual(Remembered.of(client.session.door.store).octets, 0)


class BothStores(SynchronousTestCase):
    def conversation(self, house):
        client = house.signed_in()
        dice = random.Random(3)
        for number in range(80):
            octets = mail(dice.choice(["lunch", "Re: lunch", "[x] dinner", "", "café"]), dice.choice(["", str(number)]),
                          [str(dice.randrange(number + 2)) for _ in range(dice.randrange(4))],
                          dice.choice(["", day(3), day(9)]))
            client.send(b'a APPEND INBOX () "%2d-Feb-2026 10:00:00 +0100" {%d+}\r\n' % (number % 7 + 1, len(octets)))
            client.send(octets + b"\r\n")
        heard = []
        for line in ("SELECT INBOX", "THREAD REFERENCES UTF-8 ALL", "UID THREAD ORDEREDSUBJECT UTF-8 2:70"):
            house.clock.advance(0.01)
            client.heard()
            client.send(f"a {line}\r\n")
            house.clock.advance(0.01)
            heard.append([one for one in client.heard().split("\r\n") if "THREAD" in one])
        return heard

    def test_same_threads(self):
        """The store on disk and the one in memory give the same threads."""
        store = Store(self.mktemp(), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
        self.addCleanup(store.close)
        on_disk, in_memory = self.conversation(House(store=store)), self.conversation(House())
        self.assertEqual(on_disk, in_memory)
        self.assertEqual([len(one) for one in on_disk], [0, 2, 2])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from([
    b"THREAD", b"UID THREAD", b" ", b"(", b")", b"REFERENCES", b"ORDEREDSUBJECT", b"UTF-8", b"ALL", b"{3}\r\nALL", b"1",
    b"\"UTF-8\"", b"1:*", b"$", b"*", b"\\", b"NOT", b"\xff", b"{10}\r\nREFERENCES",
]), max_size=12).map(b"".join), st.lists(st.integers(1, 30), max_size=4))
def test_grammar(words, sizes):
    """Whatever is said, and however it is cut, the answer is OK, NO or BAD and the connection lives."""
    house = House()
    house.inbox.put(mail("a", "1", "2"))
    client = house.selected()
    octets = b"a " + words + b"\r\n"
    for size in sizes:
        client.send(octets[:size])
        octets = octets[size:]
    client.send(octets)
    client.send(b"b NOOP\r\n")
    heard = client.heard()
    assert "b OK" in heard or "b BAD" in heard or heard.count("+ ") > 0
    assert not client.closed
