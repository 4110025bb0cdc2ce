"""QRESYNC, section by section of RFC 7162, 3.2, with its examples, on the store in memory and on disk."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.store import Store

BIG = 2**63 - 1


class QresyncTestCase(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.inbox = self.house.inbox
        self.validity = self.inbox.snapshot.uidvalidity

    def put(self, uids, flags=()):
        for uid in uids:
            self.inbox._uidnext = uid
            self.inbox.put(MESSAGE, flags, recent=False)
        return self.inbox.snapshot.highest_modseq

    def drop(self, uids):
        """What another session does: the messages leave with one change."""
        self.inbox.store(uids, "add", ["\\Deleted"])
        self.inbox.expunge(uids)

    def enabled(self):
        client = self.house.signed_in()
        self.assertEqual(client.say("A01 ENABLE QRESYNC"), ["* ENABLED QRESYNC", "A01 OK ENABLE completed"])
        return client

    def resynced(self, known, verb="SELECT", client=None):
        """The responses about what was missed, for a client that knows `known`."""
        heard = (client or self.enabled()).say(f"A02 {verb} INBOX (QRESYNC ({known}))")
        self.assertTrue(heard[-1].startswith("A02 OK"), heard)
        return [line for line in heard if "VANISHED" in line or " FETCH (" in line]


class SelectTests(QresyncTestCase):
    def test_example(self):
        """3.2.5.1: what left and what changed since, of the UIDs that the client knows; VANISHED comes first."""
        self.put([*range(1, 40), 41, *range(43, 212), *range(214, 542)])
        since = self.inbox.snapshot.highest_modseq
        self.drop([41, *range(43, 117), 118, *range(120, 212), *range(214, 541)])
        self.inbox.store([117], "add", ["\\Seen", "\\Answered"])
        self.inbox.store([119, 39], "add", ["\\Draft"])
        at = self.inbox.snapshot.highest_modseq
        self.assertEqual(self.resynced(f"{self.validity} {since} 41,43:211,214:541"), [
            "* VANISHED (EARLIER) 41,43:116,118,120:211,214:540",
            f"* 40 FETCH (FLAGS (\\Answered \\Seen) MODSEQ ({at - 1}) UID 117)",
            f"* 41 FETCH (FLAGS (\\Draft) MODSEQ ({at}) UID 119)",
        ])

    def test_usual_responses_come_first(self):
        """SELECT says what it always says, CLOSED for the one before included, then what was missed."""
        since = self.put([1, 2])
        self.drop([1])
        client = self.enabled()
        client.say("a SELECT Junk")
        heard = client.say(f"A02 SELECT INBOX (QRESYNC ({self.validity} {since}))")
        self.assertEqual(heard[0], "* OK [CLOSED] Previous mailbox closed")
        at = self.inbox.snapshot.highest_modseq
        self.assertIn(f"* OK [HIGHESTMODSEQ {at}] Changes are counted", heard[:-2])
        self.assertEqual(heard[-2:], ["* VANISHED (EARLIER) 1", "A02 OK [READ-WRITE] SELECT completed"])

    def test_without_known_uids(self):
        """All UIDs there ever were count; messages that are new are told as changes."""
        since = self.put([1, 2, 3])
        self.drop([2])
        self.put([4, 5])
        self.drop([5])
        self.assertEqual(self.resynced(f"{self.validity} {since}"),
                         ["* VANISHED (EARLIER) 2,5", "* 3 FETCH (FLAGS () MODSEQ (7) UID 4)"])
        self.assertEqual(self.resynced(f"{self.validity} {since}", verb="EXAMINE")[0], "* VANISHED (EARLIER) 2,5")

    def test_nothing_happened(self):
        """With the newest number there is nothing to say, nor with one from the future."""
        since = self.put([1, 2, 3])
        self.assertEqual(self.resynced(f"{self.validity} {since} 1:3"), [])
        self.assertEqual(self.resynced(f"{self.validity} {BIG} 1:3 (1:3 1:3)"), [])

    def test_another_uidvalidity(self):
        """3.2.5: then everything else the client says is ignored, and it is an ordinary SELECT."""
        since = self.put([1, 2])
        self.drop([1])
        self.assertEqual(self.resynced(f"{self.validity + 1} {since} 1:2 (1,2 1,2)"), [])

    def test_beyond_what_is_remembered(self):
        """Too long ago: everything absent is told, and only then; the rest of the set is cut at UIDNEXT."""
        since = self.put(range(1, 11))
        self.drop([3, 4, 9])
        self.inbox.vanished_from = since + 5
        self.assertEqual(self.resynced(f"{self.validity} {since}"), ["* VANISHED (EARLIER) 3:4,9"])
        self.assertEqual(self.resynced(f"{self.validity} {since} 2:3,9:4000000000"), ["* VANISHED (EARLIER) 3,9"])
        self.drop([1, 2, 5, 6, 7, 8, 10])
        self.assertEqual(self.resynced(f"{self.validity} 1 1:8"), ["* VANISHED (EARLIER) 1:8"])

    def test_sequence_matches(self):
        """3.2.5.2: numbers that still fit prove that nothing below them left since, as far as it is forgotten."""
        self.put(range(3, 91, 3))
        since = self.inbox.snapshot.highest_modseq
        self.drop([66, 72])
        self.inbox.vanished_from = since + 5
        vanished = "* VANISHED (EARLIER) 61:62,64:68,70:74,76:77,79:80,82:83,85:86,88:89"
        self.assertEqual(self.resynced(f"{self.validity} {since} 1:89 (5,10,20,25,30 15,30,60,75,90)"), [vanished])
        self.assertEqual(self.resynced(f"{self.validity} {since} (5,10,20,25,30 15,30,60,75,90)"), [vanished])
        whole = self.resynced(f"{self.validity} {since} 1:89")[0]
        self.assertTrue(whole.startswith("* VANISHED (EARLIER) 1:2,4:5,"))
        self.inbox.vanished_from = 0
        self.assertEqual(self.resynced(f"{self.validity} {since} 1:89 (5,20 15,60)"), ["* VANISHED (EARLIER) 66,72"])

    def test_bad(self):
        """What makes no sense, or comes before ENABLE, is BAD and leaves the selected mailbox selected."""
        client = self.house.selected()
        self.assertEqual(client.say("a SELECT INBOX (QRESYNC (1 1))"), ["a BAD Please ENABLE QRESYNC first"])
        client.say("b ENABLE QRESYNC")
        for known in (
            "", "(1)", "(0 1)", "(1 x)", "(1 1 1:*)", "(1 1 *)", "(1 1 $)", "(1 1 1:2 (1:2 1:3))", "(1 1 (1 1:*))",
            f"(1 {BIG + 1})", "(4294967296 1)", "(1 1 1:2 (1 2) 3)", "(1 1 1:2 (1 2)", "(1 1  1)", "1 1", "(1 1 () )",
        ):  # fmt: skip
            self.assertTrue(client.say(f"c SELECT INBOX (QRESYNC {known})")[-1].startswith("c BAD"), known)
            self.assertEqual(client.say("d CHECK"), ["d OK CHECK completed"])

    def test_together_with_condstore(self):
        """Both parameters in one list, in either order."""
        since = self.put([1])
        for words in (f"CONDSTORE QRESYNC ({self.validity} {since})", f"QRESYNC ({self.validity} {since}) CONDSTORE"):
            self.assertTrue(self.enabled().say(f"a SELECT INBOX ({words})")[-1].startswith("a OK"))


class FetchTests(QresyncTestCase):
    """3.2.6: UID FETCH … (CHANGEDSINCE n VANISHED)."""

    def setUp(self):
        super().setUp()
        self.since = self.put([1, 2, 300, 404, 405, 406, 407])
        self.client = self.enabled()

    def test_example(self):
        """Of the UIDs named, those that left since, before those that changed."""
        self.drop([2, 404, 406])
        self.inbox.store([300, 405], "add", ["\\Seen"])
        at = self.inbox.snapshot.highest_modseq
        self.client.say("a SELECT INBOX")
        self.assertEqual(self.client.say(f"s100 UID FETCH 300:500 (FLAGS) (CHANGEDSINCE {self.since} VANISHED)"), [
            "* VANISHED (EARLIER) 404,406",
            f"* 2 FETCH (FLAGS (\\Seen) MODSEQ ({at}) UID 300)", f"* 3 FETCH (FLAGS (\\Seen) MODSEQ ({at}) UID 405)",
            "s100 OK FETCH completed",
        ])

    def test_what_leaves_during_the_session(self):
        """What is still in the client's view is told without EARLIER: its numbers change."""
        self.client.say("a SELECT INBOX")
        self.drop([404, 407])
        self.assertEqual(self.client.say(f"b UID FETCH 1:* (UID) (VANISHED CHANGEDSINCE {self.since})"), [
            "* VANISHED 404,407", "* VANISHED (EARLIER) 404,407", "b OK FETCH completed",
        ])

    def test_star(self):
        """`1:*` includes what was above the last message that is left."""
        self.drop([406, 407])
        self.client.say("a SELECT INBOX")
        self.assertEqual(self.client.say(f"b UID FETCH 405:* (UID) (CHANGEDSINCE {self.since} VANISHED)")[0],
                         "* VANISHED (EARLIER) 406:407")

    def test_bad(self):
        """Only with UID FETCH, CHANGEDSINCE and QRESYNC enabled; a refused one has no effect."""
        self.client.say("a SELECT INBOX")
        for line in ("FETCH 1 (FLAGS) (CHANGEDSINCE 1 VANISHED)", "UID FETCH 1 (FLAGS) (VANISHED)"):
            self.assertEqual(self.client.say(f"b {line}"), ["b BAD VANISHED goes with UID FETCH and CHANGEDSINCE"])
        other = self.house.selected()
        self.assertEqual(other.say("c UID FETCH 1 (FLAGS) (CHANGEDSINCE 1 VANISHED)"),
                         ["c BAD Please ENABLE QRESYNC first"])
        self.assertFalse(other.session.knows_modseq)


class VanishedTests(QresyncTestCase):
    """3.2.10: VANISHED takes the place of EXPUNGE for the rest of the connection."""

    def setUp(self):
        super().setUp()
        self.put([3, 4, 405, 407, 410, 425])
        self.client = self.enabled()
        self.client.say("a SELECT INBOX")

    def test_expunge(self):
        """3.2.7: one VANISHED with all, and the new number at the end."""
        self.client.say("b UID STORE 405,407,410,425 +FLAGS.SILENT (\\Deleted)")
        at = self.inbox.snapshot.highest_modseq + 1
        self.assertEqual(self.client.say("A202 EXPUNGE"), [
            "* VANISHED 405,407,410,425", f"A202 OK [HIGHESTMODSEQ {at}] EXPUNGE completed",
        ])
        self.assertEqual(self.client.say("c EXPUNGE")[-1], f"c OK [HIGHESTMODSEQ {at}] EXPUNGE completed")

    def test_uid_expunge(self):
        """3.2.9: only those named."""
        self.client.say("b UID STORE 405,407 +FLAGS.SILENT (\\Deleted)")
        self.assertEqual(self.client.say("c UID EXPUNGE 300:406")[0], "* VANISHED 405")

    def test_close(self):
        """3.2.8: CLOSE says nothing of what left, and so names no number."""
        self.client.say("b UID STORE 405 +FLAGS.SILENT (\\Deleted)")
        self.assertEqual(self.client.say("c CLOSE"), ["c OK CLOSE completed"])
        self.assertNotIn(405, self.inbox.snapshot.uids)

    def test_others(self):
        """What other sessions expunge comes with NOOP, in IDLE and with UID commands; plain ones hear EXPUNGE."""
        plain = self.house.selected()
        self.drop([4, 405])
        self.assertEqual(self.client.say("b NOOP")[0], "* VANISHED 4,405")
        self.assertEqual([line for line in plain.say("b NOOP") if "EXPUNGE" in line], ["* 3 EXPUNGE", "* 2 EXPUNGE"])
        self.drop([407])
        self.assertEqual(self.client.say("c UID FETCH 425 (UID)"),
                         ["* 4 FETCH (UID 425)", "* VANISHED 407", "c OK FETCH completed"])

    def test_not_while_numbers_are_spoken_of(self):
        """3.2.10.2: never during FETCH, STORE or SEARCH by number; and the number at hand does not pass it."""
        before = self.client.session.view.highest_modseq
        self.drop([4])
        for line in ("FETCH 1:* (FLAGS)", "STORE 1 +FLAGS (x)", "SEARCH ALL", "FETCH 1:* FLAGS (CHANGEDSINCE 1)"):
            heard = self.client.say(f"b {line}")
            self.assertFalse([one for one in heard if "VANISHED" in one], line)
            self.assertEqual(self.client.session.view.highest_modseq, before)
        self.assertEqual(self.client.say("c NOOP")[0], "* VANISHED 4")
        self.assertEqual(self.client.session.view.highest_modseq, self.inbox.snapshot.highest_modseq)

    def test_fetch_tells_uid_and_modseq(self):
        """3.2.4: changes come with UID and MODSEQ."""
        self.inbox.store([3], "add", ["\\Seen"])
        at = self.inbox.snapshot.highest_modseq
        self.assertEqual(self.client.say("b NOOP")[0], f"* 1 FETCH (UID 3 FLAGS (\\Seen) MODSEQ ({at}))")

    def test_came_and_left(self):
        """What came and left before it could be told is no news."""
        self.put([430])
        self.drop([430, 3])
        self.assertEqual(self.client.say("b NOOP"), ["* VANISHED 3", "b OK NOOP completed"])

    def test_move(self):
        """RFC 6851: COPYUID, then VANISHED, then the end with the new number."""
        heard = self.client.say("b UID MOVE 405:407 Junk")
        at = self.inbox.snapshot.highest_modseq
        self.assertEqual(heard[1:], ["* VANISHED 405,407", f"b OK [HIGHESTMODSEQ {at}] MOVE completed"])
        self.assertIn("[COPYUID ", heard[0])


class OnDiskTests(SynchronousTestCase):
    """The same day with the real store, seen by two processes."""

    def setUp(self):
        self.directory = self.mktemp()
        self.now = 1_795_000_000.0
        self.first, self.second = (self.process() for _ in range(2))

    def process(self):
        store = Store(self.directory, disk=Disk(), now=lambda: self.now, host="h")
        self.addCleanup(store.close)
        return House(store=store)

    def say(self, house, client, line):
        client.send(line.encode() + b"\r\n")
        for _ in range(3):
            house.clock.advance(0.01)
        return client.heard().split("\r\n")[:-1]

    def inbox(self, house):
        return house.door.store.account("u-robin").folder("INBOX")

    def append(self, house, client, count):
        for _ in range(count):
            client.send(b"x APPEND INBOX {%d+}\r\n%b\r\n" % (len(MESSAGE), MESSAGE))
            for _ in range(3):
                house.clock.advance(0.01)
            client.heard()

    def test_a_day_away(self):
        """What one process did, a client hears from the other when it comes back; numbers only rise."""
        here, there = self.first.signed_in(), self.second.signed_in()
        self.append(self.first, here, 6)
        self.say(self.second, there, "a ENABLE QRESYNC")
        opened = "\n".join(self.say(self.second, there, "b SELECT INBOX"))
        validity, since = (int(opened.partition(f"[{word} ")[2].partition("]")[0])
                           for word in ("UIDVALIDITY", "HIGHESTMODSEQ"))
        self.say(self.second, there, "c UNSELECT")

        self.say(self.first, here, "d SELECT INBOX")
        self.say(self.first, here, "e UID STORE 2,5 +FLAGS.SILENT (\\Deleted)")
        self.say(self.first, here, "f EXPUNGE")
        self.say(self.first, here, "g UID STORE 3 +FLAGS.SILENT (\\Flagged)")
        self.say(self.first, here, "h UID MOVE 6 Junk")
        at = self.inbox(self.first).snapshot.highest_modseq
        self.assertGreater(at, since)

        heard = self.say(self.second, there, f"i SELECT INBOX (QRESYNC ({validity} {since} 1:6))")
        self.assertEqual(heard[-3], "* VANISHED (EARLIER) 2,5:6")
        self.assertRegex(heard[-2], r"^\* 2 FETCH \(FLAGS \(\\Flagged\) MODSEQ \([0-9]+\) UID 3\)$")
        self.assertIn(f"* OK [HIGHESTMODSEQ {at}] Changes are counted", heard)

        self.say(self.first, here, "j UID STORE 1 +FLAGS.SILENT (\\Deleted)")
        self.say(self.first, here, "k EXPUNGE")
        self.assertEqual(self.say(self.second, there, "l NOOP")[0], "* VANISHED 1")

    def test_conditional_store_across_processes(self):
        """A change in one process makes the other's conditional STORE fail, even before it looked."""
        here, there = self.first.signed_in(), self.second.signed_in()
        self.append(self.first, here, 2)
        self.say(self.second, there, "a SELECT INBOX (CONDSTORE)")
        since = self.inbox(self.second).snapshot.highest_modseq
        self.inbox(self.first).store([2], "add", ["\\Seen"])
        heard = self.say(self.second, there, f"b UID STORE 1:2 (UNCHANGEDSINCE {since}) +FLAGS.SILENT (\\Deleted)")
        self.assertTrue(heard[-1].startswith("b OK [MODIFIED 2] "))
        self.assertRegex(heard[1], r"^\* 2 FETCH \(UID 2 FLAGS \(\\Recent \\Seen\) MODSEQ \([0-9]+\)\)$")

    def test_forgotten(self):
        """After months what left is not remembered one by one: everything absent is told."""
        here = self.first.signed_in()
        self.append(self.first, here, 4)
        folder = self.inbox(self.first)
        since, validity = folder.snapshot.highest_modseq, folder.snapshot.uidvalidity
        folder.store([2, 3], "add", ["\\Deleted"])
        folder.expunge()
        account = folder.account
        account.settle()
        self.now += 200 * 86_400
        account.settle()
        self.assertIsNone(folder.vanished_since(since))
        self.say(self.first, here, "a ENABLE QRESYNC")
        heard = self.say(self.first, here, f"b SELECT INBOX (QRESYNC ({validity} {since} 1:4))")
        self.assertEqual(heard[-2], "* VANISHED (EARLIER) 2:3")

    def test_numbers_of_63_bits(self):
        """An account that has counted nearly to the end of 63 bits still tells the right numbers."""
        here = self.first.signed_in()
        self.append(self.first, here, 1)
        folder = self.inbox(self.first)
        near = 2**63 - 50_000
        with folder.access.using() as index, index.changing():
            index.execute("UPDATE counters SET modseq = ?, reserved = ?", near, near)
        folder.store([1], "add", ["\\Seen"])
        self.say(self.first, here, "a SELECT INBOX (CONDSTORE)")
        (line,) = [one for one in self.say(self.first, here, "b FETCH 1 (FLAGS MODSEQ)") if " FETCH (" in one]
        self.assertEqual(line, f"* 1 FETCH (FLAGS (\\Recent \\Seen) MODSEQ ({near + 1}))")
        self.assertEqual(folder.vanished_since(near), [])
