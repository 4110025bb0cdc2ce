"""CONTEXT=SEARCH (RFC 5267): a client that follows a search is told what changes in its result."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.imap.search.live import MOST


def put(house, subject, *flags):
    return house.inbox.put(f"Subject: {subject}\r\n\r\nbody of {subject}\r\n".encode(), flags, recent=False)


def esearches(heard):
    return [line for line in heard if line.startswith("* ESEARCH")]


class Following(SynchronousTestCase):
    """Six messages, the even ones with $Junk."""

    def setUp(self):
        self.house = House()
        for number in range(1, 7):
            put(self.house, f"s{number}", *(["$Junk"] if number % 2 == 0 else []))
        self.client = self.house.selected()

    def test_result_and_updates(self):
        """The result comes as asked for; ADDTO and REMOVEFROM carry the tag of the search (4.3)."""
        self.assertEqual(self.client.say("B01 UID SEARCH RETURN (UPDATE COUNT) DELETED KEYWORD $Junk"),
                         ['* ESEARCH (TAG "B01") UID COUNT 0', "B01 OK SEARCH completed"])
        heard = self.client.say("a STORE 1:4 +FLAGS.SILENT (\\Deleted)")
        self.assertEqual(heard, ['* ESEARCH (TAG "B01") UID ADDTO (0 2,4)', "a OK STORE completed"])
        heard = self.client.say("a UID STORE 4 -FLAGS.SILENT ($Junk)")
        self.assertEqual(esearches(heard), ['* ESEARCH (TAG "B01") UID REMOVEFROM (0 4)'])
        self.assertEqual(esearches(self.client.say("a NOOP")), [])

    def test_what_others_do(self):
        """New mail, flags and expunges of other sessions are told with everything else that changed."""
        self.client.say("B01 UID SEARCH RETURN (UPDATE) KEYWORD $Junk")
        other = self.house.selected()
        other.say("a STORE 2 -FLAGS ($Junk)")
        other.say("a STORE 4 +FLAGS (\\Deleted)")
        other.say("a EXPUNGE")
        put(self.house, "new", "$Junk")
        heard = self.client.say("a NOOP")
        self.assertEqual(esearches(heard), [
            '* ESEARCH (TAG "B01") UID REMOVEFROM (0 4)', '* ESEARCH (TAG "B01") UID REMOVEFROM (0 2)',
            '* ESEARCH (TAG "B01") UID ADDTO (0 7)',
        ])

    def test_order_of_numbers(self):
        """Numbers are told while they are valid: gone before EXPUNGE, new after EXISTS (4.3.3, 4.3.4)."""
        self.client.say("B01 SEARCH RETURN (UPDATE) KEYWORD $Junk")
        self.house.inbox.store([1, 2, 6], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        put(self.house, "new", "$Junk")
        heard = self.client.say("a NOOP")
        self.assertEqual([line for line in heard if "FETCH" not in line and "RECENT" not in line], [
            '* ESEARCH (TAG "B01") REMOVEFROM (0 2,6)', "* 6 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE", "* 4 EXISTS",
            '* ESEARCH (TAG "B01") ADDTO (0 4)', "a OK NOOP completed",
        ])

    def test_withheld(self):
        """While an EXPUNGE may not be told, the message stays in the result."""
        self.client.say("B01 SEARCH RETURN (UPDATE) KEYWORD $Junk")
        self.house.inbox.store([2], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.assertEqual(esearches(self.client.say("a FETCH 4 (FLAGS)")), [])
        self.assertEqual(esearches(self.client.say("a NOOP")), ['* ESEARCH (TAG "B01") REMOVEFROM (0 2)'])

    def test_idle(self):
        """Updates come during IDLE, at once."""
        self.client.say("B01 UID SEARCH RETURN (UPDATE) BODY lunch")
        self.client.say("a IDLE")
        put(self.house, "lunch")
        self.house.doorbell.ring(self.house.account.id, "INBOX")
        self.assertIn('* ESEARCH (TAG "B01") UID ADDTO (0 7)', self.client.heard().split("\r\n"))
        self.client.say("DONE")

    def test_no_interaction(self):
        """Updates are about all that matches, whatever else was returned (4.3); SAVE and `$` stay as they were."""
        self.client.say("B01 UID SEARCH RETURN (UPDATE MIN SAVE PARTIAL 1:1) KEYWORD $Junk")
        put(self.house, "new", "$Junk")
        self.assertEqual(esearches(self.client.say("a NOOP")), ['* ESEARCH (TAG "B01") UID ADDTO (0 7)'])
        self.assertEqual(self.client.say("a UID SEARCH $")[0], "* SEARCH 2")

    def test_several(self):
        """Several searches are followed, each under its tag; numbers mean what they meant."""
        self.client.say("B01 UID SEARCH RETURN (UPDATE) 1:3 NOT DELETED")
        self.client.say("B02 SEARCH RETURN (UPDATE) UID 5:* UNSEEN")
        self.house.inbox.store([1], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.client.say("a NOOP")
        heard = self.client.say("a STORE 2:5 +FLAGS.SILENT (\\Deleted \\Seen)")
        self.assertEqual(esearches(heard), [
            '* ESEARCH (TAG "B01") UID REMOVEFROM (0 3)', '* ESEARCH (TAG "B02") REMOVEFROM (0 4:5)',
        ])
        put(self.house, "new")
        self.assertEqual(esearches(self.client.say("a NOOP")), ['* ESEARCH (TAG "B02") ADDTO (0 6)'])

    def test_tag_reuse(self):
        """A tag that is in use is BAD, and the first search goes on (4.3)."""
        self.client.say("B01 UID SEARCH RETURN (UPDATE) KEYWORD $Junk")
        self.assertTrue(self.client.say("B01 UID SEARCH RETURN (UPDATE) ALL")[0].startswith("B01 BAD "))
        self.assertEqual(self.client.say("B01 UID SEARCH ALL")[1], "B01 OK SEARCH completed")
        put(self.house, "new", "$Junk")
        self.assertEqual(esearches(self.client.say("a NOOP")), ['* ESEARCH (TAG "B01") UID ADDTO (0 7)'])

    def test_limit(self):
        """One too many is answered without updates, which the client is told (4.3.1); cancelling makes room."""
        for number in range(MOST):
            self.client.say(f"B{number} UID SEARCH RETURN (UPDATE) KEYWORD $Junk")
        heard = self.client.say("B99 UID SEARCH RETURN (UPDATE COUNT) KEYWORD $Junk")
        self.assertTrue(heard[0].startswith('* NO [NOUPDATE "B99"] '))
        self.assertEqual(heard[1:], ['* ESEARCH (TAG "B99") UID COUNT 3', "B99 OK SEARCH completed"])
        self.assertEqual(self.client.say('a CANCELUPDATE "B0"'), ["a OK CANCELUPDATE completed"])
        self.assertEqual(len(self.client.say("B98 UID SEARCH RETURN (UPDATE COUNT) KEYWORD $Junk")), 2)

    def test_ages(self):
        """What changes as time goes by cannot be followed."""
        self.assertIn('* NO [NOUPDATE "B1"] ', self.client.say("B1 SEARCH RETURN (UPDATE) YOUNGER 60 UNSEEN")[0])

    def test_cancel(self):
        """After CANCELUPDATE nothing more comes (4.3.5); a tag that is not followed is NO, and nonsense BAD."""
        for tag in ("B01", "B02", "B03"):
            self.client.say(f"{tag} UID SEARCH RETURN (UPDATE) KEYWORD $Junk")
        self.assertEqual(self.client.say('a CANCELUPDATE "B01" "B03"'), ["a OK CANCELUPDATE completed"])
        put(self.house, "new", "$Junk")
        self.assertEqual(esearches(self.client.say("a NOOP")), ['* ESEARCH (TAG "B02") UID ADDTO (0 7)'])
        self.assertTrue(self.client.say('a CANCELUPDATE "B01"')[0].startswith("a NO "))
        for line in ("CANCELUPDATE", 'CANCELUPDATE "', 'CANCELUPDATE "B02" (', "CANCELUPDATE" + ' "x"' * 200):
            self.assertTrue(self.client.say("a " + line)[0].startswith("a BAD "), line)

    def test_another_mailbox(self):
        """Updates cease when the mailbox is not selected any more, and the tags are free again."""
        self.client.say("B01 UID SEARCH RETURN (UPDATE) KEYWORD $Junk")
        self.client.say("a SELECT Junk")
        self.client.say("a SELECT INBOX")
        put(self.house, "new", "$Junk")
        self.assertEqual(esearches(self.client.say("a NOOP")), [])
        self.assertEqual(len(self.client.say("B01 UID SEARCH RETURN (UPDATE) KEYWORD $Junk")), 2)

    def test_multisearch(self):
        """ESEARCH of the selected mailbox is followed too, and its updates name the mailbox."""
        self.client.say("B01 ESEARCH RETURN (UPDATE COUNT) KEYWORD $Junk")
        put(self.house, "new", "$Junk")
        (update,) = esearches(self.client.say("a NOOP"))
        self.assertRegex(update, r'^\* ESEARCH \(TAG "B01" MAILBOX INBOX UIDVALIDITY \d+\) UID ADDTO \(0 7\)$')

    def test_nothing_is_read_twice(self):
        """What cannot change is looked at once: a flag does not make messages be read again."""
        self.client.say("B01 UID SEARCH RETURN (UPDATE) NOT HEADER X-Room lobby")
        self.house.inbox.calls.clear()
        self.client.say("a STORE 1:* +FLAGS (\\Seen)")
        self.assertNotIn("content", self.house.inbox.calls)
        put(self.house, "new")
        self.client.say("a NOOP")
        self.assertEqual(self.house.inbox.calls.count("content"), 1)


STEPS = st.lists(st.one_of(
    st.tuples(st.sampled_from(["+", "-", ""]), st.sampled_from(["\\Seen", "\\Flagged", "work"]), st.integers(1, 9),
              st.integers(1, 9), st.booleans()),
    st.sampled_from(["expunge", "mail a", "mail b", "noop", "fetch"]),
), max_size=14)
CRITERIA = st.sampled_from([
    "UNSEEN", "SUBJECT a", "OR FLAGGED (KEYWORD work SUBJECT b)", "NOT (SEEN FLAGGED)", "UID 3:*", "BODY b UNFLAGGED",
    "ALL", "NOT RECENT",
])


@settings(max_examples=120, deadline=None)
@given(CRITERIA, STEPS, st.booleans())
def test_followed_results_are_searched_results(criteria, steps, by_uid):
    """Whatever several sessions do, what the client has put together equals what a new search finds."""
    house = House()
    for number in range(5):
        put(house, "ab"[number % 2])
    client, other = house.selected(), house.selected()
    kind = "UID SEARCH" if by_uid else "SEARCH"
    client.say(f"B01 {kind} RETURN (UPDATE) {criteria}")
    result = numbers(client.say(f"a {kind} {criteria}")[0])
    for number, step in enumerate(steps):
        if step == "expunge":
            house.inbox.store(house.inbox.snapshot.uids[number % 3 :: 4], "add", ["\\Deleted"])
            heard = other.say("a EXPUNGE") and []
        elif step in ("mail a", "mail b"):
            put(house, step[-1], *(["\\Flagged"] if number % 2 else []))
            heard = client.say("a NOOP")
        elif step == "noop":
            heard = client.say("a NOOP")
        elif step == "fetch":
            heard = client.say("a FETCH 1:* (FLAGS)")
        else:
            sign, flag, one, last, mine = step
            heard = (client if mine else other).say(f"a UID STORE {one}:{last} {sign}FLAGS.SILENT ({flag})")
            heard = heard if mine else []
        result = followed(result, heard, by_uid)
    result = followed(result, client.say("a NOOP"), by_uid)
    assert result == numbers(client.say(f"a {kind} {criteria}")[0])


def numbers(text):
    return set(map(int, re.findall(r"\d+", text)))


def followed(result, heard, by_uid):
    """The result after what the client heard, line by line: as a client keeps it."""
    for line in heard:
        update = re.fullmatch(r'\* ESEARCH \(TAG "B01"\)( UID)? (ADDTO|REMOVEFROM) \(0 ([0-9:,]+)\)', line)
        gone = re.fullmatch(r"\* (\d+) EXPUNGE", line)
        if update:
            assert bool(update[1]) == by_uid
            named = set()
            for item in update[3].split(","):
                begin, _, end = item.partition(":")
                named.update(range(int(begin), int(end or begin) + 1))
            assert named.isdisjoint(result) if update[2] == "ADDTO" else named <= result
            result = result | named if update[2] == "ADDTO" else result - named
        elif gone and not by_uid:
            number = int(gone[1])
            assert number not in result
            result = {n - (n > number) for n in result}
    return result
