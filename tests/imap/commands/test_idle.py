"""IDLE: news at once, alive for as long as the client wants, ended by DONE only."""

from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import HeldThreads
from tests.imap.conversation import MESSAGE, House


class IdleTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.house.inbox.put(MESSAGE)
        self.client = self.house.selected()

    def test_a_delivery(self):
        """A ring makes a push at once; DONE ends it."""
        self.assertEqual(self.client.say("a IDLE"), ["+ idling"])
        self.house.inbox.arrive(MESSAGE)
        self.house.doorbell.ring("u-robin", "INBOX")
        self.assertEqual(self.client.heard(), "* 2 EXISTS\r\n* 2 RECENT\r\n")
        self.assertEqual(self.client.say("done"), ["a OK IDLE completed"])
        self.assertEqual(len(self.house.door.watches), 0)

    def test_changes_of_others(self):
        """Flags and expunges of another session are pushed too."""
        self.client.say("a IDLE")
        self.house.inbox.store([1], "add", ["\\Deleted"])
        self.house.doorbell.ring("u-robin", "INBOX")
        self.assertEqual(self.client.heard(), "* 1 FETCH (FLAGS (\\Recent \\Deleted))\r\n")
        self.house.inbox.expunge()
        self.house.doorbell.ring("u-robin", "INBOX")
        self.assertEqual(self.client.heard(), "* 1 EXPUNGE\r\n")

    def test_what_waited_is_told_first(self):
        """What happened before IDLE is told at its start."""
        self.house.inbox.arrive(MESSAGE)
        self.assertEqual(self.client.say("a IDLE"), ["+ idling", "* 2 EXISTS", "* 2 RECENT"])

    def test_without_a_ring(self):
        """Five seconds later it is told nevertheless."""
        self.client.say("a IDLE")
        self.house.inbox.arrive(MESSAGE)
        self.house.clock.advance(5)
        self.assertEqual(self.client.heard(), "* 2 EXISTS\r\n* 2 RECENT\r\n")

    def test_one_look_for_all(self):
        """A hundred idle sessions cost one look at a ring."""
        self.house.login.passwords[b"robin"] = b"secret"
        clients = [self.client, *(self.house.selected() for _ in range(30))]
        for client in clients:
            client.say("a IDLE")
        self.house.inbox.calls.clear()
        self.house.clock.advance(3)
        self.house.inbox.arrive(MESSAGE)
        self.house.doorbell.ring("u-robin", "INBOX")
        self.assertEqual(self.house.inbox.calls.count("refresh"), 1)
        self.assertEqual([client.heard().split("\r\n")[0] for client in clients], ["* 2 EXISTS"] * 31)

    def test_still_here(self):
        """Every two minutes an untagged OK, and half an hour of silence is no reason to drop the link."""
        self.client.say("a IDLE")
        for _ in range(15):
            self.house.clock.advance(120)
            self.assertEqual(self.client.heard(), "* OK Still here\r\n")
        self.assertFalse(self.client.closed)
        self.house.clock.advance(61)
        self.assertEqual(self.client.heard(), "* BYE Autologout; idle for too long\r\n")
        self.assertEqual(self.house.clock.getDelayedCalls(), [self.client.protocol._last])

    def test_renewing(self):
        """A client that renews its IDLE stays."""
        for _ in range(4):
            self.client.say("a IDLE")
            for _ in range(29):
                self.house.clock.advance(60)
            self.client.say("DONE")
        self.assertFalse(self.client.closed)

    def test_only_done(self):
        """Anything else is BAD and not run; the session goes on."""
        self.client.say("a IDLE")
        self.assertEqual(self.client.say("b NOOP"), ["a BAD Expected DONE"])
        self.assertEqual(self.client.say("c NOOP"), ["c OK NOOP completed"])

    def test_done_in_the_same_packet(self):
        """IDLE, DONE and the next command may come together."""
        self.client.send("a IDLE\r\nDONE\r\nb NOOP\r\n")
        self.assertEqual(self.client.heard(), "+ idling\r\na OK IDLE completed\r\nb OK NOOP completed\r\n")

    def test_nothing_selected(self):
        """IDLE without a mailbox just waits."""
        client = self.house.signed_in()
        self.assertEqual(client.say("a IDLE"), ["+ idling"])
        self.assertEqual(client.say("DONE"), ["a OK IDLE completed"])

    def test_the_folder_is_deleted(self):
        """The deletion of the folder ends the idling, with a reason."""
        self.house.account.create("Work")
        self.client.say("a SELECT Work")
        self.client.say("b IDLE")
        self.house.account.delete("Work")
        self.house.doorbell.ring("u-robin", "Work")
        self.assertEqual(self.client.heard(), "* BYE The selected mailbox was deleted\r\n")

    def test_a_full_way_out(self):
        """Who does not read gets no more signs of life."""
        self.client.say("a IDLE")
        self.client.wire.producer.pauseProducing()
        self.house.clock.advance(119)
        self.client.wire.producer.resumeProducing()
        self.client.wire.producer.pauseProducing()
        self.house.clock.advance(2)
        self.assertEqual(self.client.heard(), "")

    def test_done_while_looking(self):
        """DONE that comes while the disk is asked waits for the answer, then ends it."""
        house = House(threads=(threads := HeldThreads()))
        client = house.connect()
        client.send("x LOGIN robin secret\r\nx SELECT INBOX\r\n")
        while threads.waiting:
            threads.step()
        client.heard()
        client.send("a IDLE\r\nDONE\r\n")
        self.assertEqual(client.heard(), "+ idling\r\n")
        while threads.waiting:
            threads.step()
        self.assertEqual(client.heard(), "a OK IDLE completed\r\n")
