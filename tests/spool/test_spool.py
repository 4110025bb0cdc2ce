"""The spool as doors see it: what is durable, what is shared, what is told, and what leaves when."""

import os
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.power.recording import DROPPED, Model, RecordingDisk
from tests.spool.room import NOW, LinkStore, a_decision, a_spool, an_envelope, files_under, receive
from tests.spool.test_commit import HeldThreads
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.spool import DONE, ISpool
from unitymail.mail.message import Importance
from unitymail.routing.steps import Deliver, RelayToSmartHost
from unitymail.spool.badmail import BadMailFolder
from unitymail.spool.intake import HEAD_ROOM
from unitymail.spool.items import Items
from unitymail.spool.places import Places

ROBIN = Deliver("u-robin", "robin@vm1.example.com")
CHRIS = Deliver("u-chris", "chris@vm1.example.com")


def with_outcome(item, outcome=DONE):
    """The item with the same outcome for every step."""
    return replace(item, steps=tuple(replace(state, outcome=outcome) for state in item.steps))


class SpoolTests(SynchronousTestCase):
    def claim(self, room, trace):
        return self.successResultOf(room.spool.queue.claim(trace))


class CommitTests(SpoolTests):
    def setUp(self):
        self.room = a_spool(self.mktemp())
        self.successResultOf(self.room.spool.recover())

    def test_keeps_its_promise(self):
        """The spool provides what doors were promised."""
        verifyObject(ISpool, self.room.spool)

    def test_one_message_is_in_its_mailbox_when_answered(self):
        """After the answer the mailbox holds our block and exactly the octets received, under a name of the trace."""
        done, head = receive(self.room, "t1", b"A: b\r\n\r\nbody\r\n")
        self.successResultOf(done)
        octets = head + b"A: b\r\n\r\nbody\r\n"
        self.assertEqual(
            self.room.store.mailbox("u-robin"), {f"{int(NOW)}.t1.vm1.example.com,S={len(octets)}": octets}
        )

    def test_a_large_message_has_room_for_its_head(self):
        """A message too large for memory is in the mailbox whole, its head block padded into the reserved room."""
        body = b"Subject: Large\r\n\r\n" + b"x" * 70 * 997 + b"\r\n" + os.urandom(300_000).replace(b"\n", b"")
        done, head = receive(self.room, "t1", body)
        self.successResultOf(done)
        ((name, octets),) = self.room.store.mailbox("u-robin").items()
        self.assertTrue(octets.startswith(head[:60]))
        self.assertEqual(octets[HEAD_ROOM:], body)
        self.assertIn(b"\r\nSubject: Large", octets[HEAD_ROOM - 2 : HEAD_ROOM + 20])
        self.assertTrue(name.endswith(f",S={len(octets)}"))

    def test_all_mailboxes_share_one_inode(self):
        """However many recipients, one file on the disk."""
        done, _ = receive(self.room, "t1", b"\r\nx\r\n", ROBIN, CHRIS)
        self.successResultOf(done)
        (name,) = self.room.store.mailbox("u-robin")
        paths = [os.path.join(self.room.store.root, account, "new", name) for account in ("u-robin", "u-chris")]
        self.assertTrue(os.path.samefile(*paths))

    def test_everyone_is_told(self):
        """Delivered is journalled, the doorbell rings and the usage grows, once a mailbox."""
        done, head = receive(self.room, "t1", b"\r\nx\r\n", ROBIN, CHRIS)
        self.successResultOf(done)
        self.assertEqual(
            [event.args for event in self.room.journal.named("delivered")],
            [("t1", "u-robin", ROBIN.to), ("t1", "u-chris", CHRIS.to)],
        )
        self.assertEqual(self.room.doorbell.rings, [("u-robin", "INBOX"), ("u-chris", "INBOX")])
        self.assertEqual(self.room.usage["u-robin"], len(head) + 5)

    def test_nothing_to_do_keeps_nothing(self):
        """A message without steps (a receipt that a user rejects) is answered and leaves no file."""
        incoming = self.room.spool.receive("t1")
        incoming.write(b"x" * 100_000)
        self.successResultOf(self.room.spool.commit(incoming, an_envelope(), a_decision(), b""))
        self.assertEqual(files_under(self.room.places.intake), [])

    def test_the_same_trace_is_stored_once(self):
        """Committing a trace again answers well and stores nothing."""
        self.successResultOf(receive(self.room, "t1")[0])
        self.successResultOf(receive(self.room, "t1")[0])
        self.assertEqual(len(self.room.store.mailbox("u-robin")), 1)
        self.assertEqual(len(self.room.store.calls), 1)

    def test_the_record_leaves_when_all_is_durable(self):
        """A little later the mailboxes are flushed, then the record and the intake file go."""
        self.successResultOf(receive(self.room, "t1")[0])
        self.assertEqual(self.room.store.durable, [])
        self.room.clock.advance(1)
        self.assertEqual(self.room.store.durable, [{"u-robin"}])
        self.assertEqual(files_under(self.room.places.intake), [])
        segments = [n for n in files_under(self.room.places.journal) if not n.endswith(".lock")]
        self.assertEqual([os.path.getsize(os.path.join(self.room.places.journal, n)) for n in segments], [0])

    def test_what_is_left_waits_for_the_courier(self):
        """Steps other than deliveries become an item, which says all about the message."""
        relay = RelayToSmartHost("pat@elsewhere.example")
        done, head = receive(self.room, "t1", b"\r\nx\r\n", ROBIN, relay, importance=Importance.HIGH)
        self.successResultOf(done)
        self.assertEqual(self.room.spool.queue.due(NOW), "t1")
        item = self.claim(self.room, "t1")
        self.assertEqual([state.step for state in item.steps], [relay])
        self.assertEqual((item.trace, item.size, item.head, item.priority), ("t1", len(head) + 5, len(head), 1))
        self.assertEqual((item.category, item.origin_user, item.subject), ("email", "u-chris", "Hello"))
        self.assertTrue(item.fresh)
        with open(item.path, "rb") as file:
            self.assertEqual(file.read(), head + b"\r\nx\r\n")

    def test_urgent_goes_first(self):
        """What the envelope asks for counts; where it asks for nothing, what the header says of its importance."""
        relay = RelayToSmartHost("pat@elsewhere.example")
        asked = (("t1", 0, Importance.NORMAL), ("t2", -4, Importance.HIGH), ("t3", 9, Importance.LOW),
                 ("t4", 0, Importance.HIGH), ("t5", 0, Importance.LOW))  # fmt: skip
        for trace, priority, importance in asked:
            envelope = replace(an_envelope(), priority=priority)
            done, _ = receive(self.room, trace, b"\r\nx\r\n", relay, envelope=envelope, importance=importance)
            self.successResultOf(done)
        self.assertEqual([self.room.spool.queue.due(NOW) for _ in asked], ["t3", "t4", "t1", "t2", "t5"])
        self.assertEqual([self.claim(self.room, trace).priority for trace, *_ in asked], [0, -4, 9, 1, -1])

    def test_a_link_that_fails_is_left_to_the_courier(self):
        """A mailbox in trouble costs nobody anything: the message is answered, the courier tries again."""
        self.room.store.broken.add("u-robin")
        done, _ = receive(self.room, "t1", b"\r\nx\r\n", ROBIN, CHRIS)
        self.successResultOf(done)
        self.assertEqual(len(self.room.store.mailbox("u-chris")), 1)
        item = self.claim(self.room, "t1")
        self.assertEqual([(state.step, state.attempts) for state in item.steps], [(ROBIN, 1)])

    def test_the_hundred_first_mailbox_is_left_to_the_courier(self):
        """At most 100 mailboxes are linked before the answer; the others share the same file later."""
        steps = [Deliver(f"u-{n}", f"user{n}@vm1.example.com") for n in range(120)]
        self.successResultOf(receive(self.room, "t1", b"\r\nx\r\n", *steps)[0])
        self.assertEqual(len(self.room.store.calls), 100)
        item = self.claim(self.room, "t1")
        self.assertEqual([state.step for state in item.steps], steps[100:])
        (name,) = self.room.store.mailbox("u-0")
        self.assertTrue(os.path.samefile(item.path, os.path.join(self.room.store.root, "u-0", "new", name)))

    def test_stopping_refuses_and_leaves_a_clean_disk(self):
        """After a clean stop the next start has nothing to recover, and late messages are told to come back."""
        self.successResultOf(receive(self.room, "t1")[0])
        self.successResultOf(self.room.spool.stop())
        refused = self.failureResultOf(receive(self.room, "t2")[0], TryAgain)
        self.assertEqual(refused.value.reply.code, 421)
        self.assertEqual(files_under(self.room.places.root), [])

    def test_strange_traces_are_refused(self):
        """A trace becomes a file name: nothing that could lead elsewhere is one."""
        for trace in ("", "../x", "a/b", "a.b", "-x", "x-", "x" * 65):
            self.assertRaises(ValueError, self.room.spool.receive, trace)


class TransactionTests(SpoolTests):
    """What a peer sends twice, under one name, is stored once for each recipient."""

    def setUp(self):
        self.room = a_spool(self.mktemp())

    def send(self, trace, *steps, xid="vm2.t1"):
        return receive(self.room, trace, b"\r\nx\r\n", *steps, envelope=an_envelope(*(s.to for s in steps)), xid=xid)[0]

    def known(self, *addresses, xid="vm2.t1"):
        return self.successResultOf(self.room.spool.known_recipients(xid, addresses))

    def mailboxes(self):
        return [len(self.room.store.mailbox(account)) for account in ("u-robin", "u-chris")]

    def test_known_from_the_answer_on(self):
        """Before and after the record is retired, by the addresses as they were asked for; other names know nothing."""
        self.assertEqual(self.known(ROBIN.to), set())
        self.successResultOf(self.send("t1", ROBIN))
        for _ in range(2):
            self.assertEqual(self.known("Robin@VM1.example.com", CHRIS.to), {"Robin@VM1.example.com"})
            self.assertEqual(self.known(ROBIN.to, xid="vm2.t2"), set())
            self.room.clock.advance(1)
        self.assertEqual(os.path.exists(os.path.join(self.room.places.root, "xids.sqlite")), True)

    def test_sent_again(self):
        """All of its recipients known: answered well, nothing is stored, nobody is told anything."""
        self.successResultOf(self.send("t1", ROBIN, CHRIS))
        self.successResultOf(self.send("t2", CHRIS))
        self.room.clock.advance(1)
        self.successResultOf(self.send("t3", ROBIN))
        self.assertEqual(self.mailboxes(), [1, 1])
        self.assertEqual(len(self.room.doorbell.rings), 2)
        self.room.clock.advance(1)
        self.assertEqual(files_under(self.room.places.intake), [])

    def test_some_of_them_again(self):
        """Who sends it side by side for some who have it and some who have not is told to come back, and asked then."""
        self.successResultOf(self.send("t1", ROBIN))
        refused = self.failureResultOf(self.send("t2", ROBIN, CHRIS), TryAgain)
        self.assertEqual(refused.value.reply.code, 451)
        self.assertEqual(self.mailboxes(), [1, 0])
        self.assertEqual(self.known(ROBIN.to, CHRIS.to), {ROBIN.to})
        self.successResultOf(self.send("t3", CHRIS))
        self.assertEqual(self.mailboxes(), [1, 1])

    def test_what_nobody_here_wants_is_remembered_too(self):
        """A receipt without steps, sent again, is known."""
        incoming = self.room.spool.receive("t1")
        incoming.write(b"x")
        committed = self.room.spool.commit(incoming, an_envelope(ROBIN.to), a_decision(), b"", xid="vm2.t1")
        self.successResultOf(committed)
        self.assertEqual(self.known(ROBIN.to), {ROBIN.to})

    def test_without_a_name_nothing_is_remembered(self):
        """Strangers may send what they like as often as they like."""
        for trace in ("t1", "t2"):
            self.successResultOf(self.send(trace, ROBIN, xid=""))
        self.room.clock.advance(1)
        self.assertEqual(self.mailboxes(), [2, 0])
        self.assertFalse(os.path.exists(os.path.join(self.room.places.root, "xids.sqlite")))

    def test_two_at_the_same_time(self):
        """The second waits for the first, whatever becomes of it; only one is stored."""
        threads = HeldThreads()
        self.room = a_spool(self.mktemp(), threads=threads)
        first, second = self.send("t1", ROBIN), self.send("t2", ROBIN)
        asked = self.room.spool.known_recipients("vm2.t1", [ROBIN.to])
        self.assertNoResult(asked)
        while threads.go():
            pass
        for answer in (first, second):
            self.successResultOf(answer)
        self.assertEqual(self.successResultOf(asked), {ROBIN.to})
        self.assertEqual(self.mailboxes(), [1, 0])

    def test_the_second_takes_over_from_a_first_that_fails(self):
        """Nothing was kept of the first: the second is stored."""
        threads = HeldThreads()
        self.room = a_spool(self.mktemp(), threads=threads)
        first, second = self.send("t1", ROBIN), self.send("t2", ROBIN)
        append, self.room.spool._commits.append = self.room.spool._commits.append, self.refuse
        threads.go()
        self.failureResultOf(first, TryAgain)
        self.room.spool._commits.append = append
        while threads.go():
            pass
        self.successResultOf(second)
        self.assertEqual([name.split(".")[1] for name in self.room.store.mailbox("u-robin")], ["t2"])

    def refuse(self, batch):
        raise OSError(5, "Input/output error")

    def test_when_nobody_can_know(self):
        """A file that cannot be read is no reason to store anything twice: the peer is told to come back."""
        os.mkdir(os.path.join(self.room.places.root, "xids.sqlite"))
        self.failureResultOf(self.room.spool.known_recipients("vm2.t1", [ROBIN.to]), TryAgain)
        self.failureResultOf(self.send("t1", ROBIN), TryAgain)
        self.assertEqual(self.mailboxes(), [0, 0])
        self.successResultOf(self.send("t2", ROBIN, xid=""))


class RecoveryTests(SpoolTests):
    """A process that dies leaves its files behind; the next start finishes what it began."""

    def crash(self, room):
        """Let go of the locks as the end of a process would, and start anew on the same disk."""
        os.close(room.spool._commits._life)
        for held in room.spool._in_hand._held.values():
            if held.fd is not None:
                os.close(held.fd)
        again = a_spool(room.root, store=LinkStore(room.store.root))
        self.successResultOf(again.spool.recover())
        return again

    def setUp(self):
        self.room = a_spool(self.mktemp())

    def test_links_are_finished(self):
        """A message whose record is there and whose link is not gets it, saying `again`; nothing stays behind."""
        self.successResultOf(receive(self.room, "t1")[0])
        (name,) = self.room.store.mailbox("u-robin")
        os.unlink(os.path.join(self.room.store.root, "u-robin", "new", name))
        again = self.crash(self.room)
        self.assertEqual(list(again.store.mailbox("u-robin")), [name])
        self.assertEqual(again.store.calls, [("u-robin", name, True)])
        self.assertEqual(again.store.durable, [{"u-robin"}])
        self.assertEqual(files_under(again.places.intake), [])
        self.assertTrue(again.journal.named("recovered"))

    def test_items_are_made_again(self):
        """An item that was lost with the power is made again from the record."""
        relay = RelayToSmartHost("pat@elsewhere.example")
        self.successResultOf(receive(self.room, "t1", b"\r\nx\r\n", relay)[0])
        for name in os.listdir(self.room.places.items):
            os.unlink(os.path.join(self.room.places.items, name))
        again = self.crash(self.room)
        item = self.claim(again, "t1")
        self.assertEqual([state.step for state in item.steps], [relay])
        self.assertFalse(item.fresh)

    def test_what_is_made_again_is_durable_before_the_record_goes(self):
        """A second crash, after the recovery, finds the item: it was flushed before its record went."""
        relay = RelayToSmartHost("pat@elsewhere.example")
        self.successResultOf(receive(self.room, "t1", b"\r\nx\r\n", relay)[0])
        for name in os.listdir(self.room.places.items):
            os.unlink(os.path.join(self.room.places.items, name))
        os.close(self.room.spool._commits._life)
        disk = RecordingDisk(self.room.root)
        again = a_spool(self.room.root, disk=disk)
        self.successResultOf(again.spool.recover())
        gone = next(n for n, event in enumerate(disk.events) if event[0] == "unlink" and "/journal/" in event[1])
        root = self.mktemp()
        Model(disk.events[:gone]).build(root, DROPPED)
        self.assertEqual(files_under(os.path.join(root, "spool", "items")), ["t1.eml", "t1.json"])
        self.assertTrue(Items(Places(os.path.join(root, "spool")), disk).is_whole("t1"))

    def test_outcomes_are_kept(self):
        """An item that has moved on since its record was written is left as it is."""
        relay = RelayToSmartHost("pat@elsewhere.example")
        self.successResultOf(receive(self.room, "t1", b"\r\nx\r\n", relay)[0])
        item = self.claim(self.room, "t1")
        self.successResultOf(self.room.spool.queue.record(with_outcome(item)))
        again = self.crash(self.room)
        item = self.claim(again, "t1")
        self.assertEqual(item.steps[0].outcome, DONE)
        self.successResultOf(again.spool.queue.finish(item))
        self.assertEqual(files_under(again.places.items), [])

    def test_a_delivery_that_cannot_be_made_now_joins_what_waits(self):
        """A link that was lost, to a mailbox that is in trouble at the start, is the courier's, item or not."""
        relay = RelayToSmartHost("pat@elsewhere.example")
        self.room.spool.queue.listen(lambda: None)
        for trace, steps in (("t1", (ROBIN, relay)), ("t2", (ROBIN,)), ("t3", (ROBIN, relay)), ("t4", (ROBIN, relay))):
            self.successResultOf(receive(self.room, trace, b"\r\nx\r\n", *steps)[0])
        self.successResultOf(self.room.spool.queue.finish(with_outcome(self.claim(self.room, "t3"))))
        item = self.claim(self.room, "t4")
        self.successResultOf(self.room.spool.queue.record(with_outcome(item)))
        self.room.spool._in_hand.ripen("t4")
        for name in self.room.store.mailbox("u-robin"):
            os.unlink(os.path.join(self.room.store.root, "u-robin", "new", name))
        deliver = LinkStore.deliver

        def in_trouble(store, *args, **kwargs):
            raise TryAgain(why="in trouble at the start")

        self.patch(LinkStore, "deliver", in_trouble)
        again = self.crash(self.room)
        LinkStore.deliver = deliver
        steps = {t: self.claim(again, t).steps for t in ("t1", "t2", "t3", "t4")}
        self.assertEqual([state.step for state in steps["t1"]], [ROBIN, relay])
        self.assertEqual([state.step for state in steps["t2"]], [ROBIN])
        self.assertEqual([state.step for state in steps["t3"]], [ROBIN])
        self.assertEqual([(s.step, s.outcome) for s in steps["t4"]], [(ROBIN, None), (relay, DONE)])

    def test_a_later_item_of_the_same_name_is_left_alone(self):
        """Bad mail that was sent back in has the trace of a message that was finished: it is another one."""
        relay = RelayToSmartHost("pat@elsewhere.example")
        self.room.spool.queue.listen(lambda: None)
        self.successResultOf(receive(self.room, "t1", b"\r\nx\r\n", relay)[0])
        item = self.claim(self.room, "t1")
        folder = BadMailFolder(self.room.places.root, disk=self.room.disk, now=self.room.clock.seconds)
        folder.keep(item, "for the test")
        self.successResultOf(self.room.spool.queue.finish(with_outcome(item)))
        folder.requeue("t1")
        again = self.crash(self.room)
        self.assertEqual(self.claim(again, "t1").steps, ())

    def test_what_was_not_committed_is_removed(self):
        """An intake file without a record is nobody's mail: it was never acknowledged."""
        self.room.spool.receive("t1").write(b"x" * 100_000)
        self.assertEqual(len(files_under(self.room.places.intake)), 1)
        again = self.crash(self.room)
        self.assertEqual(files_under(again.places.intake), [])

    def test_the_living_are_left_alone(self):
        """What another process is receiving or has committed is not touched."""
        self.room.spool.receive("t1").write(b"x" * 100_000)
        self.successResultOf(receive(self.room, "t2")[0])
        other = a_spool(self.room.root, store=LinkStore(self.room.store.root))
        self.successResultOf(other.spool.recover())
        self.assertEqual(len(files_under(self.room.places.intake)), 2)
        self.assertEqual(other.store.calls, [])

    def test_a_torn_tail_is_ignored(self):
        """Half a record at the end of the journal does not hide those before it."""
        self.successResultOf(receive(self.room, "t1")[0])
        with open(self.room.spool._commits._current.path, "ab") as file:
            file.write(b"00001000 deadbeef\n{ half a rec")
        again = self.crash(self.room)
        self.assertEqual(len(again.store.calls), 1)
