"""A queue for tests: the running node's, those of other processes beside it, and crashes."""

import os
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.power.recording import RecordingDisk
from tests.spool.room import NOW, a_spool, receive
from unitymail.interfaces.spool import Item, Outcome, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import RelayToSmartHost
from unitymail.spool.items import Items

WAITING = StepState(RelayToSmartHost("a@x"))
RELAY = RelayToSmartHost("pat@elsewhere.example")
BUSY = Outcome("try-again", "4.3.2", "busy")


class QueueTests(SynchronousTestCase):
    """`self.room` is the running node; `another` is the queue of another process on the same folder."""

    def setUp(self):
        self.fails = lambda call: False
        root = self.mktemp()
        os.makedirs(root)
        self.room = a_spool(root, disk=RecordingDisk(root, self.before))
        self.queue = self.room.spool.queue
        self.places = self.room.places
        self.items = Items(self.places, self.room.disk)

    def before(self, call):
        if self.fails(call):
            raise OSError(28, "No space left on device")

    def another(self):
        return a_spool(self.room.root, store=self.room.store, clock=self.room.clock).spool.queue

    def put(self, trace, **facts):
        """As another process would."""
        facts.setdefault("steps", (WAITING,))
        source = os.path.join(self.places.intake, "source")
        with open(source, "wb") as file:
            file.write(b"octets")
        item = Item(
            trace, "", NOW, Envelope("c@x", (Recipient("a@x"),)), "email", "normal", False, "", "", "", 6, 0, **facts
        )
        self.items.create(item, source)
        os.unlink(source)

    def send(self, trace, *steps, **facts):
        self.successResultOf(receive(self.room, trace, b"\r\nx\r\n", *(steps or (RELAY,)), **facts)[0])

    def claim(self, trace, queue=None):
        return self.successResultOf((queue or self.queue).claim(trace))

    def record(self, item):
        return self.successResultOf(self.queue.record(item))

    def release(self, trace, *when, queue=None):
        return self.successResultOf((queue or self.queue).release(trace, *when))

    def finish(self, item):
        return self.successResultOf(self.queue.finish(item))

    def retire(self):
        self.room.clock.advance(1)

    def events(self, since):
        return [event[0] for event in self.room.disk.events[since:]]

    def crash(self):
        """The process ends here and now; another starts."""
        os.close(self.room.spool._commits._life)
        for held in self.room.spool._in_hand._held.values():
            if held.fd is not None:
                os.close(held.fd)
        self.room = a_spool(self.room.root, disk=self.room.disk, store=self.room.store, clock=self.room.clock)
        self.queue = self.room.spool.queue
        self.successResultOf(self.room.spool.recover())


def tried(item, outcome=None, attempts=1):
    """The item once its steps were attempted."""
    return replace(item, steps=tuple(replace(s, attempts=attempts, outcome=outcome) for s in item.steps))
