"""CONDSTORE, section by section of RFC 7162, 3.1, with its examples' shapes."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House

BIG = 2**63 - 1


def folder_of(house, messages, *, modseq=1):
    """INBOX with {uid: (modseq, flags)}; the next change gets a number above `modseq`."""
    inbox = house.inbox
    for uid, (changed, flags) in messages.items():
        inbox._uidnext, inbox._modseq = uid, changed - 1
        inbox.put(MESSAGE, flags, recent=False)
    inbox._modseq = max(modseq, *(changed for changed, _ in messages.values()))
    inbox._renew()
    return inbox


class CondstoreTestCase(SynchronousTestCase):
    """UIDs 4, 6, 7 and 8, changed last at 105, 117, 124 and 109."""

    def setUp(self):
        self.house = House()
        self.inbox = folder_of(self.house, {
            4: (105, []), 6: (117, ["\\Seen"]), 7: (124, []), 8: (109, ["\\Flagged"]),
        }, modseq=130)  # fmt: skip

    def by_hand(self, uids, change, flags):
        """What another session does."""
        self.inbox.store(uids, change, flags)


class AwarenessTests(CondstoreTestCase):
    def test_offered(self):
        """The word is offered, and SELECT and EXAMINE tell HIGHESTMODSEQ to everybody (3.1.2.1)."""
        client = self.house.signed_in()
        self.assertIn(" CONDSTORE ", client.say("a CAPABILITY")[0])
        for verb in ("SELECT", "EXAMINE"):
            self.assertIn("* OK [HIGHESTMODSEQ 130] Changes are counted", client.say(f"b {verb} INBOX"))

    def test_who_knows_nothing_is_told_nothing(self):
        """Without a CONDSTORE-enabling command no response has a MODSEQ, whatever happens."""
        client = self.house.selected()
        self.by_hand([6], "add", ["\\Flagged"])
        self.inbox.put(MESSAGE)
        heard = [
            *client.say("a NOOP"), *client.say("b FETCH 1:* (UID FLAGS)"), *client.say("c STORE 1 +FLAGS (\\Deleted)"),
            *client.say("d FETCH 1 BODY[]"), *client.say("e EXPUNGE"), *client.say("f STATUS INBOX (UIDNEXT)"),
        ]  # fmt: skip
        self.assertFalse([line for line in heard if "MODSEQ" in line])

    def test_every_enabling_command(self):
        """Each tells HIGHESTMODSEQ when a mailbox is selected, once, and changes come with MODSEQ then (3.1)."""
        for line in (
            "ENABLE CONDSTORE", "FETCH 1 (MODSEQ)", "FETCH 1 (UID) (CHANGEDSINCE 500)", "SEARCH MODSEQ 500",
            "STORE 1 (UNCHANGEDSINCE 1) +FLAGS (x)", "STATUS Junk (HIGHESTMODSEQ)", "ENABLE QRESYNC",
        ):  # fmt: skip
            client = self.house.selected()
            heard = client.say(f"a {line}")
            at = self.inbox.snapshot.highest_modseq
            self.assertEqual(heard[0], f"* OK [HIGHESTMODSEQ {at}] Changes are counted from here", line)
            self.assertIn("a OK", heard[-1], line)
            self.assertFalse([one for one in client.say(f"b {line}") if "Changes are counted" in one], line)
            self.by_hand([6], "remove" if "\\Draft" in self.inbox.flags_of(6) else "add", ["\\Draft"])
            (told,) = [one for one in client.say("c NOOP") if " FETCH " in one]
            self.assertRegex(told, rf"^\* 2 FETCH \(UID 6 FLAGS \(.*\) MODSEQ \({at + 1}\)\)$")

    def test_enabling_by_select(self):
        """SELECT (CONDSTORE), EXAMINE (CONDSTORE): one HIGHESTMODSEQ; a SELECT that fails changes nothing."""
        for verb in ("SELECT", "EXAMINE"):
            client = self.house.signed_in()
            heard = client.say(f"a {verb} INBOX (CONDSTORE)")
            self.assertEqual(len([line for line in heard if "HIGHESTMODSEQ" in line]), 1)
            self.by_hand([7], "add", [f"k{verb}"])
            self.assertIn(f"MODSEQ ({self.inbox.snapshot.highest_modseq}))", client.say("b NOOP")[-2])
        client = self.house.signed_in()
        client.say("a SELECT Nowhere (CONDSTORE)")
        self.assertFalse(client.session.knows_modseq)
        for line in ("SELECT INBOX (CONDSTORE CONDSTORE)", "SELECT INBOX (CONDSTORE 5)", "SELECT INBOX ()"):
            self.assertTrue(client.say(f"b {line}")[-1].startswith("b BAD"), line)

    def test_hidden(self):
        """A user's programs that cannot bear it are not offered it, and cannot enable it."""
        house = House()
        client = house.signed_in()
        client.session.user = replace(client.session.user, hidden_capabilities=("CONDSTORE",))
        self.assertNotIn("CONDSTORE", client.say("a CAPABILITY")[0])
        self.assertEqual(client.say("b ENABLE CONDSTORE"), ["* ENABLED", "b OK ENABLE completed"])

    def test_highestmodseq_is_what_was_told(self):
        """While an expunge is held back, the number does not pass it: who comes back with it misses nothing."""
        client = self.house.selected()
        before = self.inbox.snapshot.highest_modseq
        self.by_hand([6], "add", ["\\Deleted"])
        self.inbox.expunge()
        heard = client.say("a FETCH 1:* (FLAGS MODSEQ)")
        self.assertEqual(heard[0], f"* OK [HIGHESTMODSEQ {before}] Changes are counted from here")
        self.assertFalse([line for line in heard if "EXPUNGE" in line])
        self.assertEqual(client.session.view.highest_modseq, before)
        client.say("b NOOP")
        self.assertEqual(client.session.view.highest_modseq, self.inbox.snapshot.highest_modseq)


class FetchTests(CondstoreTestCase):
    def test_modseq_item(self):
        """3.1.4.2: MODSEQ of each message, alone or beside FLAGS, in parentheses."""
        client = self.house.selected()
        client.say("x ENABLE CONDSTORE")
        self.assertEqual(client.say("a FETCH 1:3 (MODSEQ)"), [
            "* 1 FETCH (MODSEQ (105))", "* 2 FETCH (MODSEQ (117))", "* 3 FETCH (MODSEQ (124))", "a OK FETCH completed",
        ])
        self.assertEqual(client.say("b UID FETCH 6 (FLAGS MODSEQ INTERNALDATE)")[0].partition(" INTERNALDATE")[0],
                         "* 2 FETCH (FLAGS (\\Seen) MODSEQ (117) UID 6")

    def test_changedsince(self):
        """3.1.4.1: only what changed after the number, with its MODSEQ unasked."""
        client = self.house.selected()
        client.say("x ENABLE CONDSTORE")
        self.assertEqual(client.say("s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 109)"), [
            "* 2 FETCH (FLAGS (\\Seen) MODSEQ (117) UID 6)", "* 3 FETCH (FLAGS () MODSEQ (124) UID 7)",
            "s100 OK FETCH completed",
        ])
        self.assertEqual(client.say("a FETCH 4,1 FLAGS (CHANGEDSINCE 108)"), [
            "* 4 FETCH (FLAGS (\\Flagged) MODSEQ (109))", "a OK FETCH completed",
        ])
        self.assertEqual(client.say("a FETCH 1:* FLAGS (CHANGEDSINCE 124)"), ["a OK FETCH completed"])
        self.assertEqual(len(client.say("a FETCH 1:* MODSEQ (changedsince 0)")), 5)

    def test_up_to_now(self):
        """What others changed and added since the client was told last counts too."""
        client = self.house.selected()
        client.say("x ENABLE CONDSTORE")
        self.by_hand([4], "add", ["\\Draft"])
        self.inbox.put(MESSAGE, recent=False)
        heard = client.say("a UID FETCH 1:* (RFC822.SIZE) (CHANGEDSINCE 130)")
        self.assertIn(f"* 1 FETCH (MODSEQ (131) UID 4 RFC822.SIZE {len(MESSAGE)})", heard)
        self.assertIn(f"* 5 FETCH (MODSEQ (132) UID 9 RFC822.SIZE {len(MESSAGE)})", heard)
        self.assertLess(heard.index("* 5 EXISTS"), len(heard) - 2)

    def test_unchanged_messages_are_not_marked_as_read(self):
        r"""What CHANGEDSINCE leaves out keeps its \Seen."""
        client = self.house.selected()
        client.say("a FETCH 1:* BODY[] (CHANGEDSINCE 117)")
        self.assertEqual([sorted(self.inbox.flags_of(uid)) for uid in (4, 7)], [[], ["\\Seen"]])

    def test_bad(self):
        """Numbers are of 63 bits; the list has names that exist, once."""
        client = self.house.selected()
        for line in (
            "FETCH 1 FLAGS (CHANGEDSINCE)", "FETCH 1 FLAGS (CHANGEDSINCE x)", "FETCH 1 FLAGS (CHANGEDSINCE 1",
            "FETCH 1 FLAGS (CHANGEDSINCE -1)", f"FETCH 1 FLAGS (CHANGEDSINCE {BIG + 1})", "FETCH 1 FLAGS ()",
            "FETCH 1 FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)", "FETCH 1 FLAGS (SINCE 1)", "FETCH 1 FLAGS x",
            "FETCH 9 FLAGS (CHANGEDSINCE 1)", "FETCH 1 (CHANGEDSINCE 1)",
        ):  # fmt: skip
            self.assertTrue(client.say("a " + line)[-1].startswith("a BAD "), line)
            client.say("a NOOP")
        self.assertEqual(client.say(f"a FETCH 1 FLAGS (CHANGEDSINCE {BIG})")[-1], "a OK FETCH completed")

    def test_implicit_seen_comes_with_uid_and_modseq(self):
        r"""3.2.4: a FETCH that sets \Seen says so with UID and MODSEQ; one that does not says what was asked for."""
        client = self.house.selected()
        client.say("x ENABLE CONDSTORE")
        heard = "\n".join(client.say("a FETCH 1:2 BODY[TEXT]"))
        self.assertIn("* 1 FETCH (FLAGS (\\Seen) MODSEQ (131) UID 4 BODY[TEXT] ", heard)
        self.assertIn("* 2 FETCH (UID 6 BODY[TEXT] ", heard)
        self.assertEqual(client.say("b FETCH 1 FLAGS")[0], "* 1 FETCH (FLAGS (\\Seen))")
        self.assertEqual(client.say("c NOOP"), ["c OK NOOP completed"])

    def test_a_keyword_with_a_percent_sign(self):
        """What other programs wrote into the flags is no formatting."""
        self.by_hand([4], "add", ["50%d"])
        client = self.house.selected()
        self.assertIn("* 1 FETCH (FLAGS (50%d) MODSEQ (131))", client.say("a FETCH 1 (FLAGS MODSEQ)"))


class StoreTests(CondstoreTestCase):
    def setUp(self):
        super().setUp()
        self.client = self.house.selected()

    def say(self, line):
        return [one for one in self.client.say(line) if "Changes are counted" not in one]

    def test_all_unchanged(self):
        """3.1.3, example 3: nothing changed meanwhile; MODSEQ is told even by .SILENT, with the UID."""
        self.assertEqual(self.say("a103 UID STORE 6,4,8 (UNCHANGEDSINCE 120) +FLAGS.SILENT (\\Deleted)"), [
            "* 1 FETCH (MODSEQ (131) UID 4)", "* 2 FETCH (MODSEQ (131) UID 6)", "* 4 FETCH (MODSEQ (131) UID 8)",
            "a103 OK STORE completed",
        ])
        self.assertEqual(self.say("a NOOP"), ["a OK NOOP completed"])

    def test_not_silent(self):
        """Without .SILENT the flags are told too."""
        self.assertEqual(self.say("a STORE 1 (UNCHANGEDSINCE 105) FLAGS (\\Draft)"), [
            "* 1 FETCH (FLAGS (\\Draft) MODSEQ (131) UID 4)", "a OK STORE completed",
        ])

    def test_modified(self):
        """Example 7: those that changed meanwhile are left alone and named, by number or by UID."""
        self.assertEqual(self.say("d105 STORE 3,2,1 (UNCHANGEDSINCE 110) +FLAGS.SILENT (\\Deleted)"), [
            "* 1 FETCH (MODSEQ (131) UID 4)",
            "d105 OK [MODIFIED 2:3] STORE completed, without messages that were changed meanwhile",
        ])
        self.assertEqual(self.say("a UID STORE 1:* (UNCHANGEDSINCE 109) -FLAGS (\\Flagged)"), [
            "* 4 FETCH (FLAGS () MODSEQ (132) UID 8)",
            "a OK [MODIFIED 4,6:7] STORE completed, without messages that were changed meanwhile",
        ])
        self.assertEqual([sorted(self.inbox.flags_of(u)) for u in (4, 6, 7)], [["\\Deleted"], ["\\Seen"], []])

    def test_what_others_changed_is_told(self):
        """Example 7: the client hears what became of the messages it could not change."""
        self.by_hand([6], "add", ["\\Answered"])
        self.assertEqual(self.say("a STORE 1:2 (UNCHANGEDSINCE 130) +FLAGS.SILENT (\\Deleted)"), [
            "* 1 FETCH (MODSEQ (132) UID 4)",
            "* 2 FETCH (UID 6 FLAGS (\\Answered \\Seen) MODSEQ (131))",
            "a OK [MODIFIED 2] STORE completed, without messages that were changed meanwhile",
        ])

    def test_zero_always_fails(self):
        """UNCHANGEDSINCE 0: every message has changed after that."""
        self.assertEqual(self.say("a102 STORE 1 (UNCHANGEDSINCE 0) +FLAGS.SILENT ($MDNSent)"), [
            "a102 OK [MODIFIED 1] STORE completed, without messages that were changed meanwhile",
        ])
        self.assertEqual(self.inbox.flags_of(4), set())

    def test_nothing_to_change(self):
        """A STORE of no flags asks which messages were changed; without the condition it is nothing at all."""
        self.by_hand([6], "add", ["\\Answered"])
        self.assertEqual(self.say("a UID STORE 4,6 (UNCHANGEDSINCE 130) +FLAGS.SILENT ()"), [
            "* 1 FETCH (MODSEQ (105) UID 4)",
            "* 2 FETCH (UID 6 FLAGS (\\Answered \\Seen) MODSEQ (131))",
            "a OK [MODIFIED 6] STORE completed, without messages that were changed meanwhile",
        ])
        self.assertEqual(self.say("a STORE 1 (UNCHANGEDSINCE 0) -FLAGS ()"), [
            "a OK [MODIFIED 1] STORE completed, without messages that were changed meanwhile",
        ])
        self.assertEqual(self.say("a STORE 1:2 +FLAGS ()"), ["a OK STORE completed"])

    def test_gone_meanwhile(self):
        """3.1.3, last example: NO with MODIFIED when some are no longer there; EXPUNGE is told afterwards only."""
        self.by_hand([6], "add", ["\\Deleted"])
        self.inbox.expunge()
        heard = self.say("B001 STORE 1:3 (UNCHANGEDSINCE 110) +FLAGS.SILENT ($Processed)")
        self.assertEqual(heard[-1], "B001 NO [MODIFIED 3] Some of the messages no longer exist")
        self.assertIn("* 1 FETCH (MODSEQ (133) UID 4)", heard)
        self.assertFalse([line for line in heard if "EXPUNGE" in line])
        self.assertIn("* 2 EXPUNGE", self.say("B002 NOOP"))

    def test_gone_meanwhile_by_uid(self):
        """A UID that is no longer there is no error."""
        self.by_hand([6], "add", ["\\Deleted"])
        self.inbox.expunge()
        heard = self.say("a UID STORE 4:7 (UNCHANGEDSINCE 110) +FLAGS.SILENT ($Processed)")
        self.assertEqual(heard[-1], "a OK [MODIFIED 7] STORE completed, without messages that were changed meanwhile")
        self.assertIn("* 2 EXPUNGE", heard)

    def test_each_message_once(self):
        """A message that is named twice does not fail because the first time changed it."""
        self.assertEqual(self.say("a STORE 1,1:1,1 (UNCHANGEDSINCE 110) +FLAGS.SILENT (x)")[-1], "a OK STORE completed")

    def test_an_ordinary_store_tells_modseq_too(self):
        """Once aware, also STORE and STORE.SILENT without a condition are answered with MODSEQ."""
        self.client.say("x ENABLE CONDSTORE")
        self.assertEqual(self.say("a STORE 1 +FLAGS (\\Seen)"),
                         ["* 1 FETCH (FLAGS (\\Seen) MODSEQ (131) UID 4)", "a OK STORE completed"])
        self.assertEqual(self.say("b STORE 1 -FLAGS.SILENT (\\Seen)"),
                         ["* 1 FETCH (MODSEQ (132) UID 4)", "b OK STORE completed"])

    def test_silent_with_what_others_did(self):
        """Another session's change of the same message is told with flags, in one response."""
        self.client.say("x ENABLE CONDSTORE")
        self.by_hand([4], "add", ["\\Flagged"])
        self.assertEqual(self.say("a STORE 1:2 +FLAGS.SILENT (\\Answered)"), [
            "* 2 FETCH (MODSEQ (132) UID 6)", "* 1 FETCH (UID 4 FLAGS (\\Answered \\Flagged) MODSEQ (132))",
            "a OK STORE completed",
        ])

    def test_there_and_back(self):
        """A flag that another session set and cleared again leaves a higher MODSEQ, which is told."""
        self.client.say("x ENABLE CONDSTORE")
        self.by_hand([4], "add", ["\\Flagged"])
        self.by_hand([4], "remove", ["\\Flagged"])
        self.assertEqual(self.say("a NOOP"), ["* 1 FETCH (UID 4 FLAGS () MODSEQ (132))", "a OK NOOP completed"])
        other = self.house.selected()
        self.by_hand([4], "add", ["\\Flagged"])
        self.by_hand([4], "remove", ["\\Flagged"])
        self.assertEqual(other.say("a NOOP"), ["a OK NOOP completed"])

    def test_bad(self):
        """What makes no sense is BAD, and changes nothing."""
        for line in (
            "STORE 1 (UNCHANGEDSINCE) FLAGS (x)", "STORE 1 (UNCHANGEDSINCE x) FLAGS (x)", "STORE 1 () FLAGS (x)",
            f"STORE 1 (UNCHANGEDSINCE {BIG + 1}) FLAGS (x)", "STORE 1 (UNCHANGEDSINCE 1)FLAGS (x)",
            "STORE 1 (UNCHANGEDSINCE 1 UNCHANGEDSINCE 2) FLAGS (x)", "STORE 1 (UNCHANGEDSINCE 1)",
            "STORE 1 FLAGS (x) (",
        ):  # fmt: skip
            self.assertTrue(self.client.say("a " + line)[-1].startswith("a BAD "), line)
            self.client.say("a NOOP")
        self.assertEqual(self.inbox.snapshot.highest_modseq, 130)

    def test_read_only(self):
        """EXAMINE: a conditional STORE is refused as any other."""
        client = self.house.selected(command="EXAMINE")
        self.assertTrue(client.say("a STORE 1 (UNCHANGEDSINCE 200) +FLAGS (x)")[-1].startswith("a NO "))


class EffectTests(CondstoreTestCase):
    def test_status(self):
        """3.1.7: STATUS (HIGHESTMODSEQ), also of a folder with nothing in it."""
        client = self.house.signed_in()
        self.assertEqual(client.say("a STATUS INBOX (MESSAGES HIGHESTMODSEQ)")[0],
                         "* STATUS INBOX (MESSAGES 4 HIGHESTMODSEQ 130)")
        self.assertEqual(client.say("b STATUS Junk (HIGHESTMODSEQ)")[0], "* STATUS Junk (HIGHESTMODSEQ 1)")

    def test_arrivals_copies_and_moves_are_changes(self):
        """What is appended, copied or moved in has a MODSEQ above all before; so has the folder it left."""
        client = self.house.selected()
        client.say("x ENABLE CONDSTORE")
        self.inbox.put(MESSAGE)
        client.say("a NOOP")
        self.assertEqual(client.say("a FETCH 5 MODSEQ")[0], "* 5 FETCH (MODSEQ (131))")
        client.say("b COPY 1:2 INBOX")
        self.assertEqual([line.split("MODSEQ ")[1] for line in client.say("c FETCH 6:7 MODSEQ")[:2]],
                         ["(132))", "(133))"])
        client.say("d MOVE 1 Junk")
        self.assertEqual(client.session.view.highest_modseq, 134)
        self.assertEqual(client.say("e STATUS Junk (HIGHESTMODSEQ)")[0], "* STATUS Junk (HIGHESTMODSEQ 2)")

    def test_recent_is_no_change(self):
        r"""\Recent comes and goes without a MODSEQ."""
        self.inbox.put(MESSAGE)
        at = self.inbox.snapshot.highest_modseq
        first, second = self.house.selected(), self.house.selected()
        self.assertEqual((len(first.session.view.recent), second.session.view.recent_count()), (1, 0))
        self.assertEqual(self.inbox.snapshot.highest_modseq, at)
        self.assertEqual(second.say("a FETCH 5 (MODSEQ)")[1:], [f"* 5 FETCH (MODSEQ ({at}))", "a OK FETCH completed"])

    def test_expunge(self):
        """The end of EXPUNGE names the new number to those who count, and to nobody else; CLOSE to none."""
        self.by_hand([4, 6], "add", ["\\Deleted"])
        aware, plain = self.house.selected(), self.house.selected()
        aware.say("x ENABLE CONDSTORE")
        self.assertEqual(plain.say("a UID EXPUNGE 4")[-1], "a OK EXPUNGE completed")
        self.assertEqual(aware.say("a EXPUNGE"), [
            "* 2 EXPUNGE", "* 1 EXPUNGE", "a OK [HIGHESTMODSEQ 133] EXPUNGE completed",
        ])
        aware.say("b STORE 1 +FLAGS.SILENT (\\Deleted)")
        self.assertEqual(aware.say("c CLOSE"), ["c OK CLOSE completed"])

    def test_numbers_of_63_bits(self):
        """The largest number there is goes through every response."""
        self.inbox._modseq = BIG - 3
        self.by_hand([4], "add", ["\\Seen"])
        client = self.house.selected()
        self.assertIn(f"* 1 FETCH (FLAGS (\\Seen) MODSEQ ({BIG - 2}))", client.say("a FETCH 1 (FLAGS MODSEQ)"))
        self.assertIn(f"* 1 FETCH (MODSEQ ({BIG - 1}) UID 4)",
                      client.say(f"b STORE 1 (UNCHANGEDSINCE {BIG - 2}) +FLAGS.SILENT (x)"))
        self.by_hand([4], "add", ["y"])
        self.assertIn("[MODIFIED 1]", client.say(f"c STORE 1 (UNCHANGEDSINCE {BIG - 1}) +FLAGS (z)")[-1])
        self.assertEqual(client.say("d STATUS INBOX (HIGHESTMODSEQ)")[0], f"* STATUS INBOX (HIGHESTMODSEQ {BIG})")
        self.assertIn(f"[HIGHESTMODSEQ {BIG}]", "".join(client.say("e SELECT INBOX")))
