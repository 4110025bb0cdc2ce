"""What other processes put in, change or take away is noticed by the node that runs."""

import os
from dataclasses import replace
from itertools import pairwise

from tests.spool.queue_room import WAITING, QueueTests
from tests.spool.room import NOW
from unitymail.disk import Disk
from unitymail.spool.answers import A_TURN_S
from unitymail.spool.nudges import Nudges
from unitymail.spool.places import Places
from unitymail.spool.queue import ASKED_AT_ONCE


class NoticingTests(QueueTests):
    def test_what_others_put_in_is_found(self):
        """`look` notices new items and those that left; a start reads no envelope, times are the files' own."""
        self.put("t1", steps=(replace(WAITING, next_at=NOW + 50),))
        self.put("t2", priority=1)
        self.assertEqual(self.queue.look(), 2)
        self.assertEqual(self.queue.due(NOW + 1), "t2")
        self.assertIsNone(self.queue.due(NOW + 49))
        self.assertEqual(self.queue.due(NOW + 50), "t1")
        self.items.unlink("t1")
        self.put("t3")
        self.release("t1", NOW + 90)
        self.assertEqual(self.queue.look(), 2)
        self.assertEqual(self.queue.due(NOW + 1), "t3")

    def test_a_hint_far_in_the_future_is_not_believed_for_ever(self):
        """A file whose time is nonsense is looked at within the hour."""
        self.put("t1")
        os.utime(self.items.envelope_path("t1"), (NOW + 10**8, NOW + 10**8))
        self.queue.look()
        self.assertEqual(self.queue.due(NOW + 3_600), "t1")

    def test_a_clock_that_was_set_back_hides_nothing(self):
        """What is put in after the clock went back by hours is found."""
        self.put("t1")
        os.utime(self.places.items, (NOW - 5, NOW - 5))
        self.assertEqual(self.queue.look(), 1)
        self.put("t2")
        os.utime(self.places.items, (NOW - 7_200, NOW - 7_200))
        self.assertEqual(self.queue.look(), 2)

    def test_looking_through_a_large_folder_takes_its_share(self):
        """A look that took a second is followed by 49 without one; what administrators did is seen at once anyway."""
        self.put("t1")
        scan = self.queue._scan
        self.queue._scan = lambda: (self.room.clock.advance(1), scan())
        self.queue.look()
        self.put("t2")
        self.room.clock.advance(40)
        self.assertEqual(self.queue.look(), 1)
        Nudges(self.places.nudges, Disk()).leave("root", "retried", ["t2"])
        self.assertEqual(self.queue.look(), 2)
        self.put("t3")
        self.room.clock.advance(10)
        self.assertEqual(self.queue.look(), 3)

    def test_a_nudge_is_told_and_forgotten(self):
        """The journal hears who did what; the item is looked at as its file says now; the folder is empty again."""
        self.put("t1", steps=(replace(WAITING, next_at=NOW + 900),))
        self.queue.look()
        self.put("t1", priority=1)
        Nudges(self.places.nudges, Disk()).leave("root", "retried", ["t1", "gone"])
        self.queue.look()
        self.assertEqual(self.queue.due(NOW), "t1")
        self.assertEqual(
            [event.args for event in self.room.journal.named("administered")],
            [("t1", "root", "retried"), ("gone", "root", "retried")],
        )
        self.assertEqual(os.listdir(self.places.nudges), [])

    def nudge(self, count, portion):
        traces = [f"t{number:05}" for number in range(count)]
        for start in range(0, count, portion):
            Nudges(self.places.nudges, Disk()).leave("root", "retried", traces[start : start + portion])
        self.queue.look()
        return traces

    def test_what_was_done_to_many_is_told_over_many_turns(self):
        """The journal takes its time over each of them; a turn has a few milliseconds for all of that."""
        told, each = self.room.journal.administered, 0.000_1

        def slowly(*what):
            told(*what)
            self.room.clock.rightNow += each

        def in_the_next_turn(delay, call):
            turns.append(len(self.room.journal.named("administered")))
            return later(delay, call)

        turns, later = [0], self.room.clock.callLater
        self.room.journal.administered, self.room.clock.callLater = slowly, in_the_next_turn
        traces = self.nudge(1_000, 200)
        self.queue.due(NOW)
        self.room.clock.advance(0)
        self.assertEqual({event.args[0] for event in self.room.journal.named("administered")}, set(traces))
        self.assertLessEqual(max(after - before for before, after in pairwise([*turns, 1_000])), A_TURN_S / each + 1)

    def test_the_courier_hears_of_many_in_portions(self):
        """Of more than a turn has time for; nobody is taken up before it has heard of all, and it is asked again."""
        heard = []
        self.queue.listen(lambda: None, heard.extend)
        self.put("t00000")
        self.put("other")
        traces = self.nudge(3 * ASKED_AT_ONCE, 500)
        calls = []
        while not calls or calls[-1][0] is None:
            before = len(heard)
            calls.append((self.queue.due(NOW), len(heard) - before, self.queue.next_time()))
        self.assertEqual([count for _, count, _ in calls], [ASKED_AT_ONCE] * 3)
        self.assertEqual([when <= self.room.clock.seconds() for _, _, when in calls], [True] * 3)
        self.assertEqual(sorted(heard), traces)

    def test_nobody_takes_an_item_away_from_its_worker(self):
        """A nudge for an item that is being worked on changes nothing: its claim came later."""
        self.put("t1")
        self.queue.look()
        self.assertEqual(self.queue.due(NOW), "t1")
        self.claim("t1")
        Nudges(self.places.nudges, Disk()).leave("root", "retried", ["t1"])
        self.queue.look()
        self.assertIsNone(self.queue.due(NOW + 9))

    def test_garbage_among_nudges(self):
        """Whatever lies there is taken away and nobody stumbles over it."""
        for number, octets in enumerate((b"{", b"[1]", b'{"who": 1, "what": 2, "traces": ["../x"]}')):
            with open(os.path.join(self.places.nudges, f"{number}.json"), "wb") as file:
                file.write(octets)
        self.assertEqual(self.queue.look(), 0)
        self.assertEqual(os.listdir(self.places.nudges), [])


def test_a_stranger_cannot_make_nudges_lead_elsewhere(tmp_path):
    """Traces in nudges become file names: only such are taken."""
    places = Places(str(tmp_path / "spool"))
    places.make(Disk())
    nudges = Nudges(places.nudges, Disk())
    nudges.leave("root", "held", ["t1", "../t2", "a/b"])
    (nudge,) = nudges.take()
    assert nudge.traces == ("t1",)
