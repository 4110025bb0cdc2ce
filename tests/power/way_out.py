"""Mail that leaves a small node, and what must be true of it afterwards: shared by the cut and the full disk.

What is promised: an acknowledged recipient is served, once per life of the process however the disk behaves, and never
again once the outcome was durable; what came from a peer is known to be here.
"""

import os
from collections import Counter

from twisted.internet.defer import Deferred

from tests.courier.fake_relay import BUSY
from tests.fakes import CHRIS, ROBIN
from tests.power.cutting import cuts
from tests.power.recording import HastyDisk
from tests.power.scenario import Node, mailboxes, octets_of
from tests.spool.room import NOW, files_under, receive
from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import DONE
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import Deliver, RelayToSmartHost
from unitymail.spool.xids import FILE

PAT, LEE = RelayToSmartHost("pat@elsewhere.example"), RelayToSmartHost("lee@elsewhere.example")
TO_ROBIN, TO_CHRIS = (Deliver(user.id, user.address) for user in (ROBIN, CHRIS))


class OutNode(Node):
    """It notes in the log of the disk who was served ("sent") and whose outcome was said to be durable ("told")."""

    def __init__(self, root, disk, now=NOW, **facts):
        super().__init__(root, disk, now, **facts)
        self.relay, self.queue = self.room.relay, self.spool.queue
        self.queue.record = self._telling(self.queue.record)
        self.queue.finish = self._telling(self.queue.finish)
        send = self.relay.send
        self.relay.send = lambda hop, outgoing: self._sending(send, hop, outgoing)
        self.accepted = []

    def _telling(self, method):
        def call(item):
            told = [state.step.to for state in item.steps if state.outcome == DONE and hasattr(state.step, "to")]
            return method(item).addCallback(lambda _: self.mark("told", item.trace, told))

        return call

    async def _sending(self, send, hop, outgoing):
        attempt = await send(hop, outgoing)
        served = [r.address for r, o in zip(outgoing.recipients, attempt.outcomes, strict=True) if o.kind == "done"]
        self.mark("sent", outgoing.trace, served)
        return attempt

    def take(self, trace, *steps, xid="", hold_until=None):
        """One message; what it promises counts from its acknowledgement."""
        envelope = Envelope(CHRIS.address, tuple(Recipient(s.to) for s in steps), hold_until=hold_until)
        recipients = [step.to for step in steps]
        self.mark("offered", trace, recipients, xid)
        try:
            answer, _ = receive(self.room, trace, octets_of(trace), *steps, envelope=envelope, xid=xid)
        except Trouble:
            return
        assert isinstance(answer, Deferred)
        answer.addCallbacks(
            lambda _: (self.mark("taken", trace, recipients, xid), self.accepted.append(trace)), lambda _: None
        )


def leave(node):
    """Messages out, at once, in part, later, for a certain time, from a peer and again from it."""
    node.relay.answers["smart-host"] = [DONE, Attempt((DONE, BUSY)), BUSY]
    node.take("t1", PAT)
    node.take("t2", PAT, LEE, TO_ROBIN)
    node.take("t3", LEE)
    node.pass_time(1)
    node.take("t4", TO_CHRIS, PAT, hold_until=NOW + 40)
    node.take("t5", TO_ROBIN, LEE, xid="vm2.t5")
    node.pass_time(2)
    node.take("t5x", TO_ROBIN, LEE, xid="vm2.t5")
    node.pass_time(130, 10)
    node.take("t6", PAT)
    node.pass_time(1)


class Promises:
    """What the marks up to some moment promise."""

    def __init__(self, events):
        marks = [event[1] for event in events if event[0] == "mark"]
        self.taken = {(trace, to) for word, trace, tos, *_ in marks if word == "taken" for to in tos}
        self.offered = {(trace, to) for word, trace, tos, *_ in marks if word == "offered" for to in tos}
        self.sent = Counter((trace, to) for word, trace, tos, *_ in marks if word == "sent" for to in tos)
        self.told = {(trace, to) for word, trace, tos, *_ in marks if word == "told" for to in tos}
        self.xids = {xid: tos for word, _, tos, *rest in marks if word == "taken" for xid in rest if xid}

    def without_doubles(self, pairs):
        """t5x is t5, sent again by the peer: whichever came first is the message."""
        return {(trace.removesuffix("x"), to) for trace, to in pairs}


def served(node):
    """(trace, recipient) of everybody that this node has served, how often."""
    inboxes = mailboxes(node.store, ("u-robin", "u-chris"))
    local = {"u-robin": ROBIN.address, "u-chris": CHRIS.address}
    found = Counter((trace, local[account]) for account, trace, _ in inboxes)
    for _, outgoing in node.relay.sent:
        found.update((outgoing.trace, recipient.address) for recipient in outgoing.recipients)
    return found


def check(root, promises, label):
    """Start on the tree, let it work, and hold it to what was promised."""
    node = OutNode(root, HastyDisk(), NOW + 200)
    node.pass_time(4_000, 500)
    node.pass_time(3)
    troubles = [event.args for event in node.journal.events if event.event in ("trouble", "shunted")]
    assert not troubles, (label, troubles)
    for xid, recipients in promises.xids.items():
        known = node.spool.known_recipients(xid, recipients).result
        assert known == set(recipients), (label, "forgotten", xid, known)
    now = served(node)
    again = {pair for pair in promises.told if not pair[1].endswith("vm1.example.com") and now[pair]}
    assert not again, (label, "done again", again)
    assert not {pair for pair, count in now.items() if count > 1}, (label, "twice", now)
    reached = promises.without_doubles({*now, *promises.sent})
    assert promises.without_doubles(promises.taken) <= reached, (label, "lost", promises.taken - reached)
    assert set(now) <= promises.offered, (label, "from nowhere", set(now) - promises.offered)
    node.stop()
    left = [path for path in files_under(os.path.join(root, "spool")) if not path.startswith(FILE)]
    assert left == [], (label, left)


def check_untroubled(events):
    """AssertionError unless all whom the story of `leave` has outside were sent their mail once, and it was told."""
    promises = Promises(events)
    pairs = promises.taken - {pair for pair in promises.taken if pair[0] == "t5x"}
    relayed = {pair for pair in pairs if pair[1].endswith("elsewhere.example")}
    assert dict(promises.sent) == dict.fromkeys(relayed, 1)
    assert relayed <= promises.told


def check_cuts(events, variant, place):
    """Start on what each cut leaves, and hold it to what was promised by then; how many."""
    tried = 0
    for number, root, label in cuts(events, variant, place):
        check(root, Promises(events[:number]), label)
        tried += 1
    return tried
