"""Half an hour of a small node's life, and what must be true of it afterwards: shared by the cut and the full disk."""

import os
import re
from dataclasses import dataclass, field

from twisted.internet.task import Clock

from tests.courier.room import a_courier, pass_time
from tests.fakes import CHRIS, ROBIN, TERRY
from tests.power.recording import HastyDisk
from tests.spool.room import NOW, a_spool, an_envelope, files_under, receive
from unitymail.interfaces.errors import Trouble
from unitymail.mail.fate import Fate
from unitymail.routing.steps import Deliver, Report
from unitymail.store.store import Store

TO_ROBIN, TO_CHRIS, TO_TERRY = (Deliver(user.id, user.address) for user in (ROBIN, CHRIS, TERRY))
UNKNOWN = Report(CHRIS.address, (Fate("who@vm1.example.com", "failed", "5.1.1", "There is no such address."),))
LARGE = b"X-Filler: " + b"y" * 60 + b"\r\n\r\n" + (b"z" * 76 + b"\r\n") * 1_200


def octets_of(trace, body=b"\r\nHello.\r\n"):
    return b"From: chris@vm1.example.com\r\nSubject: %b\r\n" % trace.encode() + body


@dataclass
class Promises:
    """What was promised up to some moment: (account, trace) that must be there once, or may be there at most once."""

    kept: set = field(default_factory=set)
    open: set = field(default_factory=set)
    octets: dict = field(default_factory=dict)

    def take(self, what):
        word, *rest = what
        if word == "received":
            trace, octets, accounts = rest
            self.octets[trace] = octets
            self.open |= {(account, trace) for account in accounts}
        elif word == "acknowledged":
            trace, accounts = rest
            pairs = {(account, trace) for account in accounts}
            self.open -= pairs
            self.kept |= pairs
        elif word == "refused":
            trace, accounts = rest
            self.open -= {(account, trace) for account in accounts}
        elif word == "expunging":
            self.kept.discard(tuple(rest))
            self.open.add(tuple(rest))
        elif word == "expunged":
            self.open.discard(tuple(rest))


class Node:
    """Store, spool and courier on one disk, everything in one thread, a clock of ours."""

    def __init__(self, root, disk, now=NOW, **facts):
        self.root = str(root)
        os.makedirs(self.root, exist_ok=True)
        self.disk = disk
        self.mark = getattr(disk, "mark", lambda *what: None)
        self.answers = []
        clock = Clock()
        clock.advance(now)
        store = Store(os.path.join(self.root, "accounts"), disk=disk, now=clock.seconds, host="vm1.example.com")
        room = a_spool(self.root, disk=disk, store=store, clock=clock, **facts)
        self.room = a_courier(self.root, room=room)
        self.clock, self.store, self.spool, self.journal = clock, store, room.spool, room.journal

    def send(self, trace, *steps, body=b"\r\nHello.\r\n", told=()):
        """One message; the promise counts from its acknowledgement. `told`: who gets a report of which trace."""
        accounts = [step.account for step in steps if isinstance(step, Deliver)]
        octets = octets_of(trace, body)
        self.mark("received", trace, octets, accounts)
        for account, report in told:
            self.mark("received", report, None, [account])
        everything = [(trace, accounts), *((report, [account]) for account, report in told)]
        try:
            answer, _ = receive(self.room, trace, octets, *steps, envelope=an_envelope(*(s.to for s in steps)))
        except Trouble as trouble:
            return self._answer("refused", everything, trouble)
        outcome = []
        answer.addCallbacks(
            lambda _: outcome.append(self._answer("acknowledged", everything, None)),
            lambda failure: outcome.append(self._answer("refused", everything, failure.value)),
        )
        return outcome[0]

    def _answer(self, word, everything, result):
        for trace, accounts in everything:
            self.mark(word, trace, accounts)
        self.answers.append(result)
        return result

    def client(self, act, *args):
        """What a client asks; a clear refusal is an answer too."""
        try:
            return act(*args)
        except Trouble as trouble:
            self.answers.append(trouble)
            return None

    def pass_time(self, seconds, step=1.0):
        pass_time(self.room, seconds, step)

    def inbox(self, user):
        return self.store.account(user.id).folder("INBOX")

    def look(self, user):
        self.inbox(user).refresh()

    def flag(self, user, uid):
        folder = self.inbox(user)
        folder.refresh()
        folder.store([uid], "add", ["\\Seen"])

    def put_aside(self, user, uid):
        folder = self.inbox(user)
        folder.refresh()
        folder.move([uid], self.store.account(user.id).folder("Archive"))

    def expunge(self, user, uid):
        """As a client does: mark and expunge."""
        folder = self.inbox(user)
        folder.refresh()
        if uid not in folder.snapshot.uids:
            return
        trace = trace_of(read(folder, uid))
        folder.store([uid], "add", ["\\Deleted"])
        self.mark("expunging", user.id, trace)
        folder.expunge([uid])
        self.mark("expunged", user.id, trace)

    def stop(self):
        self.room.courier.stop()
        stopped = []
        self.spool.stop().addBoth(stopped.append)
        assert stopped == [None], stopped
        self.store.close()


def live(node):
    """Messages small and large, to one, to several and to nobody; clients that read, flag, move and expunge."""
    node.send("t1", TO_ROBIN)
    node.send("t2", TO_ROBIN, TO_CHRIS, TO_TERRY, body=LARGE)
    node.client(node.look, ROBIN)
    node.send("t3", TO_ROBIN, UNKNOWN, told=[("u-chris", "t3-r0")])
    node.client(node.flag, ROBIN, 1)
    node.pass_time(2)
    node.client(node.expunge, ROBIN, 1)
    node.send("t4", TO_TERRY, TO_ROBIN)
    node.client(node.look, ROBIN)
    node.client(node.store.settle)
    node.client(node.put_aside, ROBIN, 2)
    node.send("t5", TO_CHRIS)
    node.pass_time(2)
    node.client(node.store.settle)
    node.client(node.look, CHRIS)
    node.send("t6", TO_CHRIS, TO_ROBIN, body=LARGE)
    node.client(node.expunge, CHRIS, 1)
    node.pass_time(2)


def read(folder, uid):
    content = folder.content(uid)
    try:
        return bytes(content.buffer[:])
    finally:
        content.close()


def trace_of(octets):
    return re.search(rb"X-Unitymail-Trace: id=([0-9a-z-]+)", octets)[1].decode()


def mailboxes(store, accounts=("u-robin", "u-chris", "u-terry")):
    """[(account, trace, octets)] of every message that a client would see."""
    found = []
    for id in accounts:
        account = store.account(id)
        for info in account.folders():
            folder = account.folder(info.name)
            folder.refresh()
            for uid in folder.snapshot.uids:
                octets = read(folder, uid)
                found.append((id, trace_of(octets) if octets else "(empty)", octets))
    return found


def recovered(root, disk=None, now=NOW + 60):
    """A node started on what a cut left, given time to finish."""
    node = Node(root, disk or HastyDisk(), now)
    node.pass_time(4_000, 500)
    node.pass_time(3)
    return node


def check(root, promises, label):
    """Start on the tree and hold the node to what was promised; nothing temporary stays behind."""
    node = recovered(root)
    troubles = [event.args for event in node.journal.events if event.event in ("trouble", "shunted")]
    assert not troubles, (label, troubles)
    found = mailboxes(node.store)
    pairs = [(account, trace) for account, trace, _ in found]
    assert len(pairs) == len(set(pairs)), (label, "doubled", sorted(p for p in pairs if pairs.count(p) > 1))
    assert promises.kept <= set(pairs), (label, "lost", sorted(promises.kept - set(pairs)))
    extra = set(pairs) - promises.kept - promises.open
    assert not extra, (label, "came back", sorted(extra))
    for account, trace, octets in found:
        expected = promises.octets.get(trace)
        assert expected is None or octets.endswith(expected), (label, "not whole", account, trace, len(octets))
        assert expected is None or octets.startswith(b"Return-Path: <"), (label, account, trace)
    node.stop()
    assert files_under(os.path.join(root, "spool")) == [], label
    left = [path for path in files_under(os.path.join(root, "accounts")) if "/tmp/" in path]
    assert not left, (label, left)
