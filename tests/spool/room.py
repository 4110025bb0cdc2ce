"""A spool for tests: on a real disk, with a store that only links, threads that run at once and a clock of ours."""

import os
from types import SimpleNamespace

from twisted.internet.task import Clock
from zope.interface import implementer

from tests.fakes import FakeDoorbell, FakeUsage, InlineThreads, RecordingJournal
from unitymail.disk import Disk
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.store import IStore
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Importance, Message, Sensitivity
from unitymail.mail.trace import head_block
from unitymail.routing.decision import Decision, Origin, SenderFinding
from unitymail.routing.steps import Deliver
from unitymail.spool.spool import Spool

HOST = "vm1.example.com"
NOW = 1_764_000_000.0


@implementer(IStore)
class LinkStore:
    """Delivers by a link into accounts/<id>/new; `broken` holds accounts that refuse for now."""

    def __init__(self, root, disk=None):
        self.root = str(root)
        self.disk = disk or Disk()
        self.broken = set()
        self.durable = []
        self.calls = []
        os.makedirs(self.root, exist_ok=True)

    def deliver(self, account, source, name, *, again=False):
        self.calls.append((account, name, again))
        if account in self.broken:
            raise TryAgain(why="broken for the test")
        place = os.path.join(self.root, account, "new")
        os.makedirs(place, exist_ok=True)
        try:
            self.disk.link(source, os.path.join(place, name))
        except FileExistsError:
            pass

    def listen(self, noticed):
        pass

    def make_durable(self, accounts):
        self.durable.append(set(accounts))

    def account(self, id):
        raise NotImplementedError

    def close(self):
        pass

    def mailbox(self, account):
        """Octets of each message, by name."""
        place = os.path.join(self.root, account, "new")
        if not os.path.isdir(place):
            return {}
        found = {}
        for name in sorted(os.listdir(place)):
            with open(os.path.join(place, name), "rb") as file:
                found[name] = file.read()
        return found


def a_spool(root, *, disk=None, store=None, threads=None, clock=None, journal=None, gather_s=0.0, **more):
    """A spool and all its collaborators, as attributes; `.spool` is it. `more` is for its constructor."""
    room = SimpleNamespace(
        root=str(root), disk=disk or Disk(), threads=threads or InlineThreads(), clock=clock or Clock(),
        journal=journal or RecordingJournal(), doorbell=FakeDoorbell(), usage=FakeUsage(),
    )
    if clock is None:
        room.clock.advance(NOW)
    room.store = store or LinkStore(os.path.join(room.root, "accounts"), room.disk)
    room.spool = Spool(
        os.path.join(room.root, "spool"), disk=room.disk, threads=room.threads, store=room.store,
        doorbell=room.doorbell, journal=room.journal, clock=room.clock, host=HOST, usage=room.usage, flushers=0,
        gather_s=gather_s, helped=False, **more,
    )
    room.places = room.spool._places
    return room


def a_decision(*steps, importance=Importance.NORMAL, subject="Hello"):
    message = Message(
        Category.EMAIL, "R7", Sensitivity.NORMAL, secure=False, importance=importance, malformed=False, size=0,
        subject=subject, message_id="<1@example.com>",
    )
    return Decision(message, SenderFinding("chris@vm1.example.com", "user", "u-chris"), (), tuple(steps))


def an_envelope(*addresses, sender="chris@vm1.example.com"):
    return Envelope(sender, tuple(Recipient(a) for a in addresses or ("robin@vm1.example.com",)))


ORIGIN = Origin("mta", client="192.0.2.1", helo="client.example")


def receive(room, trace, octets=b"Subject: Hello\r\n\r\nHi.\r\n", *steps, envelope=None, xid="", **facts):
    """Receive and commit one message; (the Deferred, its head block)."""
    incoming = room.spool.receive(trace)
    for start in range(0, len(octets), 32_768):
        incoming.write(octets[start : start + 32_768])
    envelope = envelope or an_envelope()
    decision = a_decision(*(steps or (Deliver("u-robin", "robin@vm1.example.com"),)), **facts)
    head = head_block(
        trace=trace, envelope=envelope, origin=ORIGIN, decision=decision, host=HOST, when=NOW, subject=None
    )
    return room.spool.commit(incoming, envelope, decision, head, xid=xid), head


def files_under(root):
    """Relative paths of all files."""
    return sorted(
        os.path.relpath(os.path.join(place, name), root) for place, _, names in os.walk(root) for name in names
    )
