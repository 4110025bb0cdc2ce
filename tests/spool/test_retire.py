"""Records leave the commit journal in order, once what they promise is durable; one in trouble stops nobody else."""

import os

from twisted.trial.unittest import SynchronousTestCase

from tests.power.recording import RecordingDisk
from tests.spool.room import a_spool, files_under, receive
from unitymail.interfaces.errors import TryAgain
from unitymail.routing.steps import Deliver, RelayToSmartHost

ROBIN = Deliver("u-robin", "robin@vm1.example.com")
CHRIS = Deliver("u-chris", "chris@vm1.example.com")
RELAY = RelayToSmartHost("pat@elsewhere.example")


class RetireTests(SynchronousTestCase):
    def setUp(self):
        self.fails = lambda call: False
        root = self.mktemp()
        os.makedirs(root)
        self.disk = RecordingDisk(root, self.before)
        self.room = a_spool(root, disk=self.disk)
        self.make_durable = self.room.store.make_durable

    def before(self, call):
        if self.fails(call):
            raise OSError(5, "Input/output error")

    def send(self, trace, *steps):
        self.successResultOf(receive(self.room, trace, b"\r\nx\r\n", *steps)[0])

    def retire(self):
        """Let it happen; the traces whose intake files are still there."""
        self.room.clock.advance(1)
        return sorted(name.split(".")[0] for name in files_under(self.room.places.intake))

    def troubles(self):
        return [event.args[0] for event in self.room.journal.named("trouble")]

    def trouble_in(self, account):
        def make_durable(accounts):
            if account in accounts:
                raise TryAgain(why=f"{account} is in trouble")
            self.make_durable(accounts)

        self.room.store.make_durable = make_durable

    def test_the_order(self):
        """Mailboxes and items are durable before an intake file goes; it is durably gone before its segment goes."""
        self.room.store.make_durable = lambda accounts: self.disk.mark("mailboxes durable")
        self.send("t1", ROBIN, RELAY)
        since = len(self.disk.events)
        self.assertEqual(self.retire(), [])
        order = [
            (event[0], os.path.dirname(event[1]) if event[0] == "unlink" else event[1])
            for event in self.disk.events[since:]
            if event[0] in ("mark", "flush_directory", "unlink")
        ]
        self.assertEqual(
            order[1:],
            [("mark", ("mailboxes durable",)), ("flush_directory", "spool/items"), ("unlink", "spool/intake"),
             ("flush_directory", "spool/intake"), ("unlink", "spool/journal")],
        )  # fmt: skip
        self.assertEqual([event[0] for event in self.disk.events[since:]].count("flush"), 1)

    def test_a_mailbox_in_trouble_holds_back_its_own(self):
        """Records of other mailboxes are retired; its own are when the trouble is over."""
        self.trouble_in("u-robin")
        self.send("t1", ROBIN)
        self.assertEqual(self.retire(), ["t1"])
        self.send("t2", CHRIS)
        self.assertEqual(self.retire(), ["t1"])
        self.assertIn("making the mailbox u-robin durable", self.troubles())
        self.room.store.make_durable = self.make_durable
        self.assertEqual(self.retire(), [])
        self.assertEqual(self.room.spool._commits.unretired(), 0)

    def test_a_mailbox_that_took_nothing_is_not_asked(self):
        """A link that failed is the courier's; the mailbox need not be made durable for the record to go."""
        self.room.store.broken.add("u-robin")
        self.trouble_in("u-robin")
        self.send("t1", ROBIN, CHRIS)
        self.assertEqual(self.retire(), [])
        self.assertEqual(self.room.store.durable, [{"u-chris"}])
        self.assertEqual(self.room.spool.queue.due(self.room.clock.seconds()), "t1")

    def test_an_item_that_cannot_be_made_holds_back_its_own(self):
        """A message whose item cannot be made stays committed, and is tried again, while others are retired."""
        self.fails = lambda call: call == "link" and not files_under(self.room.places.items)
        self.send("t1", RELAY)
        self.assertEqual(self.retire(), ["t1"])
        self.fails = lambda call: False
        self.send("t2", ROBIN)
        self.fails = lambda call: call == "link"
        self.assertEqual(self.retire(), ["t1"])
        self.fails = lambda call: False
        self.assertEqual(self.retire(), [])
        self.assertEqual(self.room.spool.queue.due(self.room.clock.seconds()), "t1")

    def test_an_intake_file_that_cannot_be_removed(self):
        """Its record stays, and it is removed when the next records are retired."""
        self.send("t1", ROBIN)
        self.fails = lambda call: call == "unlink"
        self.assertEqual(self.retire(), ["t1"])
        self.assertEqual(self.room.spool._commits.unretired(), 1)
        self.fails = lambda call: False
        self.send("t2", CHRIS)
        self.assertEqual(self.retire(), [])
        self.assertEqual(self.room.spool._commits.unretired(), 0)

    def test_a_long_trouble_keeps_no_descriptors_open(self):
        """Segments that wait cost a file each, no descriptor."""
        self.trouble_in("u-robin")
        self.send("t0", ROBIN)
        self.retire()
        before = len(os.listdir("/proc/self/fd"))
        for n in range(1, 20):
            self.send(f"t{n}", ROBIN)
            self.retire()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        self.room.store.make_durable = self.make_durable
        self.assertEqual(self.retire(), [])
