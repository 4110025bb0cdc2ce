"""A courier without a disk: a queue in memory that a crash cuts off from its process, a spool that keeps reports."""

import os
from dataclasses import replace
from types import SimpleNamespace

from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from zope.interface import implementer

from tests.courier.fake_relay import SITE, FakeRelay
from tests.fakes import CHRIS, ROBIN, TERRY, FakeBook, FakeDoorbell, FakeUsage, InlineThreads, RecordingJournal
from unitymail.courier.courier import AT_ONCE, Courier
from unitymail.courier.deciding import Decider
from unitymail.courier.destinations import Destinations
from unitymail.courier.dispatch import Dispatch
from unitymail.courier.perform import find_performers
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.spool import IBadMail, IQueue, ISpool, Item, StepState
from unitymail.interfaces.store import IStore
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.hops import waits_for

HOST = "vm1.example.com"
NOW = 1_764_000_000.0
HEAD = b"Return-Path: <chris@vm1.example.com>\r\nReceived: from a by b;\r\n\tnow\r\nX-Unitymail-Trace: id=t\r\n"
BODY = b"From: chris@vm1.example.com\r\nSubject: Lunch\r\nMessage-ID: <l@x>\r\n\r\nToday?\r\n"


@implementer(IQueue)
class MemoryQueue:
    """`written` is what a crash leaves; `claims` counts them by trace."""

    def __init__(self, clock):
        self.clock = clock
        self.written = {}
        self.times = {}
        self.held = set()
        self.claims = {}
        self.records = 0
        self.shunted = {}
        self.turn = 0
        self.wake = lambda: None
        self.asked = lambda traces: None

    def put(self, item):
        self.written[item.trace] = item
        steps = [state.step for state in item.steps if state.outcome is None]
        when = min((s.next_at for s in item.steps), default=0.0)
        self.times[item.trace] = (when, waits_for(steps), self.clock.seconds() + 60)
        self.wake()

    def _open(self, now, closed):
        for trace, (when, hop, latest) in self.times.items():
            if trace not in self.held:
                shut = hop in closed
                yield trace, latest if shut and latest else when, shut and not latest

    def due(self, now, closed=()):
        ready = [trace for trace, when, shut in self._open(now, closed) if when <= now and not shut]
        if not ready:
            return None
        by_hop = {}
        for trace in ready:
            by_hop.setdefault(self.times[trace][1], trace)
        self.turn += 1
        trace = list(by_hop.values())[self.turn % len(by_hop)]
        self.held.add(trace)
        return trace

    def next_time(self, closed=()):
        return min((when for _, when, shut in self._open(0.0, closed) if not shut), default=None)

    def hop_of(self, trace):
        return self.times[trace][1]

    def listen(self, wake, asked=lambda traces: None):
        self.wake, self.asked = wake, asked

    def retry(self, *traces):
        """As an administrator does."""
        for trace in traces:
            item = self.written[trace]
            steps = tuple(replace(state, next_at=0.0) if state.outcome is None else state for state in item.steps)
            self.written[trace] = replace(item, steps=steps)
            self.times[trace] = (0.0, "", 0.0)
        self.asked(traces)
        self.wake()
        self.clock.advance(0)

    def look(self):
        return len(self.written)

    def claim(self, trace):
        self.claims[trace] = self.claims.get(trace, 0) + 1
        return succeed(self.written[trace])

    def record(self, item):
        self.records += 1
        self.written[item.trace] = replace(item, fresh=False)
        return succeed(None)

    def release(self, trace, next_at, hop="", at_latest=0.0):
        self.held.discard(trace)
        self.times[trace] = (next_at, hop, at_latest)
        return succeed(None)

    def finish(self, item):
        del self.written[item.trace], self.times[item.trace]
        self.held.discard(item.trace)
        return succeed(None)

    def shunt(self, trace, why):
        self.shunted[trace] = why
        del self.written[trace], self.times[trace]
        self.held.discard(trace)
        return succeed(None)

    def items(self):
        return list(self.written.values())


@implementer(ISpool)
class ReportSpool:
    """`reports` has (trace, octets, envelope, decision) of each commit; a trace is kept once."""

    def __init__(self):
        self.reports = {}
        self.commits = 0

    def receive(self, trace, arrived=None):
        return SimpleNamespace(trace=trace, octets=b"", write=lambda block: self.__dict__.update(block=block))

    def commit(self, incoming, envelope, decision, head, *, xid=""):
        self.commits += 1
        self.reports.setdefault(incoming.trace, (self.block, envelope, decision))
        return succeed(None)


@implementer(IStore)
class Mailboxes:
    """Octets by account; `broken` holds accounts that refuse for now."""

    def __init__(self):
        self.octets = {}
        self.broken = set()

    def deliver(self, account, source, name, *, again=False):
        if account in self.broken:
            raise TryAgain(why="broken for the test")
        with open(source, "rb") as file:
            self.octets.setdefault(account, {})[name] = file.read()

    def make_durable(self, accounts):
        pass

    def mailbox(self, account):
        return self.octets.get(account, {})


@implementer(IBadMail)
class BadMailShelf:
    def __init__(self):
        self.kept = {}

    def keep(self, item, reason):
        self.kept[item.trace] = reason


def a_desk(folder, *, book=None, relay=None, at_once=AT_ONCE, **collaborators):
    """Everything a courier needs, with the courier not started. `collaborators` are what more performers want."""
    os.makedirs(folder, exist_ok=True)
    clock = Clock()
    desk = SimpleNamespace(
        folder=str(folder), clock=clock, queue=MemoryQueue(clock), spool=ReportSpool(), badmail=BadMailShelf(),
        journal=RecordingJournal(), relay=relay or FakeRelay(), usage=FakeUsage(), doorbell=FakeDoorbell(),
        book=book or FakeBook(ROBIN, CHRIS, TERRY, site=SITE), store=Mailboxes(),
        at_once=at_once, collaborators=collaborators,
    )
    desk.clock.advance(NOW)
    desk.decider = Decider(desk.book, desk.usage, HOST)
    put_together(desk)
    return desk


def put_together(desk):
    """A new process over the same queue."""
    desk.destinations = Destinations()
    desk.dispatch = Dispatch(
        relay=desk.relay, destinations=desk.destinations, book=desk.book, journal=desk.journal, clock=desk.clock
    )
    threads = InlineThreads()
    desk.performers = find_performers(
        store=desk.store, spool=desk.spool, badmail=desk.badmail, book=desk.book, usage=desk.usage,
        doorbell=desk.doorbell, journal=desk.journal, threads=threads, decider=desk.decider, clock=desk.clock,
        dispatch=desk.dispatch, node_id="n1", **desk.collaborators,
    )
    desk.courier = Courier(
        queue=desk.queue, performers=desk.performers, destinations=desk.destinations, threads=threads, book=desk.book,
        journal=desk.journal, clock=desk.clock, decide=desk.decider.decide_item, at_once=desk.at_once,
    )


def crash(desk):
    """The process is gone: what was written stays, what was under way is never heard of again."""
    desk.courier.stop()
    desk.queue.listen(lambda: None)
    desk.queue.held.clear()
    for item in desk.queue.items():
        desk.queue.times[item.trace] = (0.0, "", 0.0)
    put_together(desk)
    start(desk)


def start(desk):
    desk.courier.start()
    desk.clock.advance(0)


def send(desk, *steps, trace="t1", recipients=(), sender="chris@vm1.example.com", **facts):
    """An item of these steps, as a door would have left it."""
    path = os.path.join(desk.folder, f"{trace}.eml")
    octets = HEAD + facts.pop("body", BODY)
    with open(path, "wb") as file:
        file.write(octets)
    written = recipients or tuple(
        Recipient(getattr(step, "original", "") or step.to) for step in steps if hasattr(step, "to")
    )
    envelope = Envelope(sender, tuple(written), **facts.pop("envelope", {}))
    item = Item(
        trace, path, desk.clock.seconds(), envelope, facts.pop("category", "email"), "normal", False, "Lunch", "<l@x>",
        CHRIS.id, len(octets), len(HEAD), tuple(map(StepState, steps)), name=f"1.M0P0.{trace}", fresh=True,
    )
    desk.queue.put(replace(item, **facts))
    desk.clock.advance(0)


def one_turn(clock):
    """What is due now runs; what that asks for waits for the next turn."""
    for call in [call for call in clock.getDelayedCalls() if call.getTime() <= clock.seconds()]:
        call.reset(0)
        clock.calls.remove(call)
        call.called = 1
        call.func(*call.args, **call.kw)


def pass_time(desk, seconds, step=30.0):
    while seconds > 0:
        desk.clock.advance(min(step, seconds))
        seconds -= step
