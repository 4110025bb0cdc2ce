"""Receipts from the flag to the sender's mailbox: a real store, a real spool, and what happens in between."""

from dataclasses import replace
from email import message_from_bytes, policy
from types import SimpleNamespace

import pytest
from twisted.internet.defer import Deferred, fail

from tests.fakes import CHRIS, ROBIN, FakeBook
from tests.spool.room import HOST, NOW, a_decision, a_spool
from unitymail.courier.deciding import Decider
from unitymail.courier.receipts import AGAIN_AFTER_S, GIVE_UP_AFTER_S, TOLD_AT_ONCE, Receipts, trace_of
from unitymail.disk import Disk
from unitymail.interfaces.errors import TryAgain
from unitymail.mail.disposition import asked_of
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category
from unitymail.mail.trace import head_block
from unitymail.people.class_of_service import ClassOfService, RequireSecure
from unitymail.people.location import Location, LocationKind
from unitymail.routing.decision import Origin
from unitymail.routing.steps import Convert, Deliver
from unitymail.store import Store

TRACE = "0abcdefghi0123456789"
FAR = Location("l-far", LocationKind.VPIM, "Far", "vpim.example.net", local_prefix="7")
PAT = "177@vpim.example.net"


class Room:
    """Robin sends voice to Chris; Chris's client reads; `held(user)` is what a mailbox has."""

    def __init__(self, root, *objects, **more):
        self.objects = objects
        self.more = more
        self.root = root
        self.clock = None
        self.open()

    def open(self):
        disk = Disk()
        self.store = Store(str(self.root / "accounts"), disk=disk, now=lambda: NOW + 5, host=HOST)
        self.room = a_spool(self.root, disk=disk, store=self.store, **self.more)
        if "hand_over" not in self.more:
            self.room.spool.recover()
        self.journal, self.clock = self.room.journal, self.room.clock
        book = FakeBook(*(self.objects or (ROBIN, CHRIS, FAR)))
        self.receipts = Receipts(
            store=self.store, spool=self.room.spool, decider=Decider(book, self.room.usage, HOST), book=book,
            journal=self.journal, threads=self.room.threads, clock=self.clock,
            in_reactor=lambda function, *args: function(*args),
        )
        self.store.listen(self.receipts.noticed)

    def send(self, trace=TRACE, sender=ROBIN.address, fields=b"", category=Category.VOICE, to=CHRIS):
        octets = (
            b"From: <" + sender.encode() + b">\r\nSubject: Hello\r\nMessage-ID: <1@robin.example>\r\n"
            b"Disposition-Notification-To: <" + sender.encode() + b">\r\n" + fields + b"\r\nHi.\r\n"
        )
        envelope = Envelope(sender, (Recipient(to.address),), smtputf8=not sender.isascii())
        decision = a_decision(Deliver(to.id, to.address))
        decision = replace(decision, message=replace(decision.message, category=category, asks_receipt=True))
        head = head_block(trace=trace, envelope=envelope, origin=Origin("mta", "192.0.2.1", "x"), decision=decision,
                          host=HOST, when=NOW, subject=None)
        incoming = self.room.spool.receive(trace, NOW)
        incoming.write(octets)
        self.room.spool.commit(incoming, envelope, decision, head)

    @property
    def inbox(self):
        inbox = self.store.account(CHRIS.id).folder("INBOX")
        inbox.refresh()
        return inbox

    def held(self, user=ROBIN):
        inbox = self.store.account(user.id).folder("INBOX")
        found = []
        for uid in inbox.refresh().uids:
            content = inbox.content(uid)
            found.append(bytes(content.buffer[:]))
            content.close()
        return found

    def crash(self):
        for account in list(self.store._opened()):
            account.access._index.connection.close()
            account.access._index = None
        self.open()

    @property
    def owed(self):
        return self.store.account(CHRIS.id).owed()


@pytest.fixture
def room(tmp_path):
    room = Room(tmp_path)
    yield room
    room.store.close()


def test_a_receipt_reaches_who_asked(room):
    """Chris plays it; Robin's mailbox holds one receipt, from Chris, with no body of the message; the journal tells."""
    room.send()
    room.inbox.store([1], "add", ["\\Seen"])
    (octets,) = room.held()
    message = message_from_bytes(octets, policy=policy.default)
    assert message["Return-Path"] == "<>"
    assert (message["Subject"], message["From"].addresses[0].addr_spec) == ("Played: Hello", CHRIS.address)
    assert b"Original-Message-ID: <1@robin.example>\r\n" in octets
    assert b"category=receipt" in octets
    assert room.owed == []
    receipt = trace_of(TRACE, CHRIS.id)
    assert [event.args for event in room.journal.named("read")] == [(TRACE, CHRIS.id)]
    assert [event.args for event in room.journal.named("receipt_sent")] == [(TRACE, receipt, ROBIN.address)]
    assert room.journal.named("decided")[0].args[0] == receipt
    assert room.journal.named("trouble") == []


def test_deleted_unheard(room):
    """Robin hears that Chris never did."""
    room.send(category=Category.FAX)
    room.inbox.store([1], "add", ["\\Deleted"])
    room.inbox.expunge()
    (octets,) = room.held()
    assert b"Subject: Not read: Hello\r\n" in octets
    assert b"MDN-sent-automatically; deleted\r\n" in octets
    assert room.journal.named("read") == []


def test_a_vpim_sender(room):
    """It goes back by way of the location, from the number that the peer knows."""
    room.send(sender=PAT)
    committed = []
    commit = room.room.spool.commit

    def watch(incoming, envelope, decision, head, **facts):
        with incoming.content() as octets:
            committed.append((bytes(octets), envelope, decision.steps))
        assert facts == {"xid": f"receipt.{trace_of(TRACE, CHRIS.id)}"}
        return commit(incoming, envelope, decision, head, **facts)

    room.room.spool.commit = watch
    room.inbox.store([1], "add", ["\\Seen"])
    ((octets, envelope, steps),) = committed
    assert (envelope.sender, envelope.recipients) == ("", (Recipient(PAT, frozenset({"NEVER"})),))
    assert steps == (Convert("l-far", "", PAT, PAT),)
    assert b'From: "Chris Jones" <71042@vm1.example.com>\r\n' in octets
    assert b"Final-Recipient: rfc822; 71042@vm1.example.com\r\n" in octets


def test_a_crash_before_the_commit(room):
    """The flag is set, the process dies: as soon as the mailbox is opened again the receipt goes out."""
    room.send()
    room.store.listen(lambda news: None)
    room.inbox.store([1], "add", ["\\Seen"])
    assert (len(room.owed), room.held()) == (1, [])
    room.crash()
    room.inbox.refresh()
    assert len(room.held()) == 1
    assert room.owed == []


def test_a_crash_after_the_commit(room):
    """The receipt is out, the store does not know yet: it is not sent a second time, not even to where it was read."""
    room.send()
    room.receipts._pay_off = lambda *args: 1 / 0
    room.inbox.store([1], "add", ["\\Seen"])
    assert (len(room.owed), len(room.held())) == (1, 1)
    robin = room.store.account(ROBIN.id).folder("INBOX")
    robin.store([1], "add", ["\\Deleted"])
    robin.expunge()
    room.receipts.stop()
    room.crash()
    room.inbox.refresh()
    assert (room.owed, room.held()) == ([], [])


def test_a_commit_that_fails_is_tried_again(room):
    """A full disk: the receipt waits, and the others do not wait for it."""
    room.send()
    commit = room.room.spool.commit
    room.room.spool.commit = lambda *args, **facts: fail(TryAgain(why="full"))
    room.inbox.store([1], "add", ["\\Seen"])
    assert len(room.owed) == 1
    assert room.journal.named("trouble")
    room.room.spool.commit = commit
    room.clock.advance(AGAIN_AFTER_S)
    assert (room.owed, len(room.held())) == ([], 1)


def test_a_full_disk_is_not_asked_again_and_again(room, monkeypatch):
    """With more owed than one look gives, what fails waits for its minute; more news meanwhile is no second alarm."""
    monkeypatch.setattr("unitymail.courier.receipts.MOST_AT_ONCE", 1)
    room.send()
    room.send(TRACE[:-1] + "8")
    commit, tried = room.room.spool.commit, []

    def full(*args, **facts):
        tried.append(1)
        return fail(TryAgain(why="full")) if len(tried) < 4 else commit(*args, **facts)

    room.room.spool.commit = full
    room.inbox.store([1], "add", ["\\Seen"])
    assert len(tried) == 1
    room.inbox.store([2], "add", ["\\Seen"])
    assert len(tried) == 2
    assert len([call for call in room.clock.getDelayedCalls() if call.func == room.receipts._retry]) == 1
    for _ in range(3):
        room.clock.advance(AGAIN_AFTER_S)
    assert (room.owed, len(room.held())) == ([], 2)


def test_one_bad_debt_does_not_block(room):
    """What cannot be sent today waits; what can, goes."""
    room.send()
    room.send(TRACE[:-1] + "8")
    write = room.receipts._write

    def picky(debt, *args):
        if debt.trace == TRACE:
            raise RuntimeError("odd")
        return write(debt, *args)

    room.receipts._write = picky
    room.inbox.store([1, 2], "add", ["\\Seen"])
    assert ([debt.trace for debt in room.owed], len(room.held())) == ([TRACE], 1)


def test_more_than_one_look_gives(room, monkeypatch):
    """However many were read at once, all receipts go out."""
    monkeypatch.setattr("unitymail.courier.receipts.MOST_AT_ONCE", 1)
    for last in "987":
        room.send(TRACE[:-1] + last)
    room.inbox.store([1, 2, 3], "add", ["\\Seen"])
    assert (room.owed, len(room.held())) == ([], 3)


def test_an_address_that_is_not_ascii(room):
    """Who is asked for in letters beyond ASCII is written to with SMTPUTF8."""
    room.send(sender="zo\u00eb@vm1.example.com")
    committed = []
    commit = room.room.spool.commit
    room.room.spool.commit = lambda incoming, envelope, decision, head, **facts: (
        committed.append((envelope.smtputf8, head)) or commit(incoming, envelope, decision, head, **facts))
    decider, step = room.receipts._decider, Deliver(ROBIN.id, "zo\u00eb@vm1.example.com")
    room.receipts._decider = SimpleNamespace(
        decide=lambda octets, envelope: replace(decider.decide(octets, envelope), steps=(step,), refusal=None),
        origin=decider.origin, host=HOST,
    )
    room.inbox.store([1], "add", ["\\Seen"])
    ((utf8, head),) = committed
    assert utf8
    assert b"1970" not in head


def test_a_reader_whose_address_is_not_ascii(tmp_path):
    """It stands in the header, so the receipt needs SMTPUTF8 whoever gets it."""
    chris = replace(CHRIS, address="chr\u00efs@vm1.example.com", proxies=())
    room = Room(tmp_path, ROBIN, chris)
    room.send(to=chris)
    committed = []
    commit = room.room.spool.commit
    room.room.spool.commit = lambda incoming, envelope, decision, head, **facts: (
        committed.append(envelope.smtputf8) or commit(incoming, envelope, decision, head, **facts))
    room.inbox.store([1], "add", ["\\Seen"])
    assert (committed, len(room.held())) == ([True], 1)
    room.store.close()


@pytest.mark.parametrize("late", [False, True])
def test_nothing_is_tried_again_after_the_stop(room, late):
    """A receipt that could not be sent waits for the next start, whether it failed before the stop or after."""
    room.send()
    held = Deferred()
    room.room.spool.commit = lambda *args, **facts: held if late else fail(TryAgain(why="full"))
    room.inbox.store([1], "add", ["\\Seen"])
    room.receipts.stop()
    if late:
        held.errback(TryAgain(why="full"))
    assert [call for call in room.clock.getDelayedCalls() if call.func == room.receipts._retry] == []
    assert len(room.owed) == 1


def test_a_debt_of_a_week_is_forgiven(room):
    """What can never be sent is not tried for ever, and not forgotten before its time."""
    room.send()
    room.receipts._write = lambda *args: 1 / 0
    room.inbox.store([1], "add", ["\\Seen"])
    room.clock.advance(AGAIN_AFTER_S)
    assert len(room.owed) == 1
    room.clock.advance(GIVE_UP_AFTER_S)
    assert (room.owed, room.held()) == ([], [])
    assert room.clock.getDelayedCalls() == []


def test_a_header_is_read_in_a_thread(room):
    """However long it is, the reactor does not look into it."""
    room.send()
    threads, asked = [], []
    run = room.room.threads.run

    def watch(function, *args):
        threads.append(function)
        try:
            return run(function, *args)
        finally:
            threads.pop()

    room.room.threads.run = watch

    def reading(header):
        asked.append(bool(threads))
        return asked_of(header)

    patch = pytest.MonkeyPatch()
    patch.setattr("unitymail.courier.receipts.asked_of", reading)
    try:
        room.inbox.store([1], "add", ["\\Seen"])
    finally:
        patch.undo()
    assert asked == [True]
    assert len(room.held()) == 1


def test_who_asks_from_nowhere_hears_nothing(room):
    """An address that is nobody's, and no way out: the receipt is dropped, not reported, not kept."""
    room.send(sender="pat@partner.example")
    room.inbox.store([1], "add", ["\\Seen"])
    assert room.owed == []
    assert room.journal.named("receipt_sent") == []
    assert room.room.spool.queue.look() == 0


def test_a_class_that_always_secures_does_not_secure_receipts(tmp_path):
    """A peer that may not have secure messages gets the receipt of a user whose messages are all secure."""
    secure = ClassOfService("c-secure", "Secure", access_imap=True, secure=RequireSecure.ALWAYS)
    room = Room(tmp_path, ROBIN, replace(CHRIS, cos="c-secure", extension=""), secure, FAR)
    room.send(sender=PAT)
    room.inbox.store([1], "add", ["\\Seen"])
    assert len(room.journal.named("receipt_sent")) == 1
    room.store.close()


def test_many_readings_take_many_turns(room):
    """Ten thousand read at once do not keep the reactor: a hundred a turn."""
    room.receipts._traces_of = lambda account, seen: [str(number) for number in seen]
    room.receipts.noticed(SimpleNamespace(account=CHRIS.id, seen=tuple(range(TOLD_AT_ONCE * 2 + 1)), owed=False))
    assert len(room.journal.named("read")) == TOLD_AT_ONCE
    assert len(room.clock.getDelayedCalls()) == 1
    room.clock.advance(0)
    assert len(room.journal.named("read")) == 2 * TOLD_AT_ONCE + 1


def test_stopping_waits_for_what_is_in_hand(room):
    """Nothing new begins; the stop fires when the last receipt is on its way."""
    room.send()
    held = Deferred()
    commit = room.room.spool.commit
    room.room.spool.commit = lambda *args, **facts: held.addCallback(lambda _: commit(*args, **facts))
    room.inbox.store([1], "add", ["\\Seen"])
    stopped = []
    room.receipts.stop().addCallback(stopped.append)
    assert stopped == []
    held.callback(None)
    assert stopped == [None]
    assert room.owed == []
    again = []
    room.receipts.stop().addCallback(again.append)
    assert again == [None]


def test_two_processes_see_one_debt(tmp_path):
    """A client reads at one process, another opens the account before the receipt is out: the sender gets one, and
    one of them says so."""
    first, second = Room(tmp_path, shared=True), Room(tmp_path, hand_over=list)
    first.send()
    sent = []
    for room in (first, second):
        commit = room.room.spool.commit
        room.room.spool.commit = lambda *args, commit=commit, **facts: sent.append(commit(*args, **facts)) or sent[-1]
    first.receipts.stop()  # it owes, and dies before it pays
    first.inbox.store([1], "add", ["\\Seen"])
    assert len(first.owed) == 1
    debt = first.owed[0]
    second.inbox.refresh()
    assert (len(second.held()), second.owed, len(sent)) == (1, [], 1)
    first.receipts._going = True
    first.receipts._journal.guard(first.receipts._is_paid(CHRIS.id, debt), "the first tries as well")
    assert (len(first.held()), len(sent)) == (1, 2)
    assert not first.journal.named("trouble")
    assert [len(room.journal.named("receipt_sent")) for room in (first, second)] == [0, 1]


def test_clients_of_two_processes_read_at_the_same_time(tmp_path):
    """While one process sends the receipt the other leaves it alone: that is no trouble, and the sender gets one."""
    first, second = Room(tmp_path, shared=True), Room(tmp_path, hand_over=list)
    first.send()
    commit, flush, tried = first.room.spool.commit, first.room.disk.flush, []

    def commit_beside(*args, **facts):
        first.room.disk.flush = flush_beside
        return commit(*args, **facts)

    def flush_beside(fd):
        first.room.disk.flush = flush
        tried.append(second.inbox.refresh())
        flush(fd)

    first.room.spool.commit = commit_beside
    first.inbox.store([1], "add", ["\\Seen"])
    assert len(tried) == 1
    assert [call.func for call in second.clock.getDelayedCalls()] == [second.receipts._retry]
    second.clock.advance(AGAIN_AFTER_S)
    assert (len(second.held()), second.owed, first.owed) == (1, [], [])
    events = [*first.journal.events, *second.journal.events]
    assert [event.event for event in events if event.event in ("trouble", "receipt_sent")] == ["receipt_sent"]
