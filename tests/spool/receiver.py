"""A process of a node that only receives: `python -m tests.spool.receiver ROOT WORD COURIER COUNT [XID]`, for tests
that kill it.

It commits COUNT messages, a few at a time, each to a mailbox, to the smart host, or both, and says the trace of each on
a line once it is accepted, with what it is for. The process COURIER hears of its items. With XID all messages are those
of one transaction that a peer repeats: it says what became of each attempt.
"""

import os
import sys

from tests.fakes import FakeUsage, RecordingJournal
from tests.spool.room import HOST, LinkStore, receive
from unitymail.disk import Disk
from unitymail.interfaces.errors import Trouble
from unitymail.routing.steps import Deliver, RelayToSmartHost
from unitymail.spool.spool import Spool

AT_ONCE = 5
DELIVER = Deliver("u-robin", "robin@vm1.example.com")
RELAY = RelayToSmartHost("pat@elsewhere.example")
KINDS = {"d": (DELIVER,), "r": (RELAY,), "b": (DELIVER, RELAY)}


def say(*words):
    os.write(1, (" ".join(words) + "\n").encode())


class Room:
    """What `receive` needs of a room."""

    def __init__(self, root, courier):
        from twisted.internet import reactor

        from unitymail.doorbell.unix import Doorbell
        from unitymail.threads import Threads

        self.journal = RecordingJournal()
        self.threads = Threads(reactor, "commit", 4)
        self.threads.start()
        self.doorbell = Doorbell(os.path.join(root, "run"), reactor=reactor, journal=self.journal, courier=courier)
        self.doorbell.start()
        self.spool = Spool(
            os.path.join(root, "spool"), disk=Disk(), threads=self.threads, clock=reactor, journal=self.journal,
            store=LinkStore(os.path.join(root, "accounts")), doorbell=self.doorbell, host=HOST, usage=FakeUsage(),
            hand_over=self.doorbell.hand_over,
        )

    async def stop(self):
        await self.spool.stop()
        await self.doorbell.stop()
        self.threads.stop()


async def accept(room, numbers, word):
    for number in numbers:
        kind = "drb"[number % 3]
        trace = f"{word}{kind}{number}"
        await receive(room, trace, b"Subject: %d\r\n\r\n" % number + b"x" * (number % 7 * 20_000), *KINDS[kind])[0]
        say(kind, trace)


async def repeat(room, numbers, word, xid):
    """As a peer does that lost the reply: what is known already is not sent again."""
    from twisted.internet import reactor
    from twisted.internet.task import deferLater

    for number in numbers:
        try:
            if await room.spool.known_recipients(xid, ["robin@vm1.example.com"]):
                say("known", xid)
                continue
            await receive(room, f"{word}d{number}", b"Subject: once\r\n\r\n", DELIVER, xid=xid)[0]
        except Trouble as trouble:
            say("again", str(trouble))
            await deferLater(reactor, 0.03)
        else:
            say("accepted", xid)


def main():
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred, gatherResults

    root, word, courier, count, *xid = sys.argv[1:]
    room = Room(root, int(courier))
    left = iter(range(int(count)))

    async def work():
        one = repeat(room, left, word, xid[0]) if xid else None
        works = [one] if one else [accept(room, left, f"{word}{n}x") for n in range(AT_ONCE)]
        await gatherResults([Deferred.fromCoroutine(work) for work in works])
        await room.stop()
        reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(work()).addErrback(fail))
    reactor.run()


def fail(failure):
    print(failure.getTraceback(), file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    main()
