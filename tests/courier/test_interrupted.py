"""One message of every kind, stopped, failed or crashed at each place where its run waits for somebody."""

import pytest
from twisted.internet.defer import Deferred, fail

from tests.courier import memory
from tests.courier.fake_relay import NOBODY, PEER, SITE
from tests.courier.memory import a_desk, crash, pass_time, put_together, send, start
from tests.fakes import CHRIS, ROBIN, TERRY, FakeBook, InlineThreads
from unitymail.interfaces.errors import TryAgain
from unitymail.routing.steps import Deliver, HandOver, RelayToSmartHost

A = RelayToSmartHost("a@elsewhere.example")
REFUSED = RelayToSmartHost("nobody@elsewhere.example")
OVER = HandOver(PEER.id, "dave@vm2.example.com")
HERE = Deliver(ROBIN.id, ROBIN.address), Deliver(CHRIS.id, CHRIS.address)
PLACES = ("claim", "thread", "send", "send", "record", "thread", "commit", "finish")
"""What a run of the message waits for: the mailboxes, two ways on, what came of that, the report, the end."""
ALL = range(len(PLACES))
ERRORS = OSError(28, "No space left on device"), TryAgain(why="odd"), ZeroDivisionError("odd")


class Interrupted:
    """Of everything that a run waits for the one numbered `place` is `held` by us, or fails with `error`."""

    def __init__(self, folder, monkeypatch, place, error=None, after=False):
        self.place, self.error, self.after = place, error, after
        self.seen, self.held, self.look = [], None, lambda: 0
        threads = InlineThreads()
        threads.run = self.watched("thread", threads.run)
        monkeypatch.setattr(memory, "InlineThreads", lambda: threads)
        self.desk = a_desk(folder, book=FakeBook(ROBIN, CHRIS, TERRY, PEER, site=SITE))
        self.desk.queue.look = self.look
        for name in ("claim", "record", "finish"):
            setattr(self.desk.queue, name, self.watched(name, getattr(self.desk.queue, name)))
        self.desk.spool.commit = self.watched("commit", self.desk.spool.commit)
        self.desk.relay.send = self.watched("send", self.desk.relay.send)
        self.desk.relay.answers["smart-host"] = [NOBODY]
        start(self.desk)
        send(self.desk, *HERE, REFUSED, OVER)

    def watched(self, name, call):
        def called(*args, **more):
            if args[0] is self.look:
                return call(*args, **more)
            self.seen.append(name)
            if len(self.seen) - 1 != self.place:
                return Deferred.fromCoroutine(self.awaited(call, args, more))
            if self.error is None:
                self.held = Deferred()
                return self.held.addCallback(lambda _: Deferred.fromCoroutine(self.awaited(call, args, more)))
            if isinstance(self.error, OSError):
                self.as_the_queue_does(name, args[0])
            if not self.after or name == "finish":
                return fail(self.error)
            done = Deferred.fromCoroutine(self.awaited(call, args, more))
            return done.addCallback(lambda _: fail(self.error))

        return called

    def as_the_queue_does(self, name, given):
        """It takes back what cannot be claimed, and knows what cannot be written (IQueue)."""
        if name == "claim":
            self.desk.queue.release(given, self.desk.clock.seconds() + 1)
        if name in ("record", "finish"):
            self.desk.queue.written[given.trace] = given

    async def awaited(self, call, args, more):
        return await call(*args, **more)

    def told(self):
        return sum(octets.count(b"Final-Recipient: rfc822; " + REFUSED.to.encode())
                   for octets, _, _ in self.desk.spool.reports.values())


@pytest.mark.parametrize("place", ALL)
def test_stopped(tmp_path, monkeypatch, place):
    """A stop waits for what is under way; the next start does what is left, and nothing twice."""
    room = Interrupted(tmp_path, monkeypatch, place)
    desk = room.desk
    assert tuple(room.seen[: place + 1]) == PLACES[: place + 1]
    stopped = desk.courier.stop()
    closed = Deferred.fromCoroutine(desk.dispatch.close())
    assert closed.called
    assert not stopped.called
    room.held.callback(None)
    pass_time(desk, 1, 1)
    assert stopped.called
    desk.relay.closed = False
    put_together(desk)
    start(desk)
    pass_time(desk, 600)
    assert (desk.queue.items(), desk.queue.shunted) == ([], {})
    assert (len(desk.store.mailbox(ROBIN.id)), len(desk.store.mailbox(CHRIS.id)), room.told()) == (1, 1, 1)
    assert len(desk.relay.traces("peer l-peer")) == len(desk.relay.traces()) == 1


@pytest.mark.parametrize("place", ALL)
def test_crashed(tmp_path, monkeypatch, place):
    """What was under way may be done again, under the same names; everybody has one copy, or hears once."""
    room = Interrupted(tmp_path, monkeypatch, place)
    desk = room.desk
    desk.relay.always["smart-host"] = NOBODY
    crash(desk)
    pass_time(desk, 600)
    assert (desk.queue.items(), desk.queue.shunted) == ([], {})
    assert (len(desk.store.mailbox(ROBIN.id)), len(desk.store.mailbox(CHRIS.id)), room.told()) == (1, 1, 1)
    assert {outgoing.told.xid for hop, outgoing in desk.relay.sent if hop == "peer l-peer"} == {"n1.t1"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("place", ALL)
def test_failed(tmp_path, monkeypatch, place, error, after):
    """The message is put aside with a line that says so, or goes on later; it is never lost, and no hands are."""
    room = Interrupted(tmp_path, monkeypatch, place, error, after)
    desk = room.desk
    desk.relay.always["smart-host"] = NOBODY
    pass_time(desk, 600, 10)
    assert desk.courier._runs == 0
    assert not desk.destinations._keys_of
    assert desk.queue.items() == []
    if desk.queue.shunted:
        assert [told.args[0] for told in desk.journal.named("shunted")] == ["t1"]
        assert not isinstance(error, OSError)
        return
    assert (len(desk.store.mailbox(ROBIN.id)), len(desk.store.mailbox(CHRIS.id)), room.told()) == (1, 1, 1)
    if isinstance(error, OSError) and PLACES[place] != "send":
        assert len(desk.relay.sent) == 2
