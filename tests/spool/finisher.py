"""A process that does nothing but finish items: `python -m tests.spool.finisher ROOT COUNT`, for tests that kill it.

It says the trace of each item on a line once that is finished.
"""

import os
import sys
from dataclasses import replace

from tests.fakes import FakeDoorbell, FakeUsage, RecordingJournal
from tests.spool.room import HOST, NOW, LinkStore
from unitymail.disk import Disk
from unitymail.interfaces.spool import DONE, Item, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import RelayToSmartHost
from unitymail.spool.spool import Spool

STEP = StepState(RelayToSmartHost("pat@elsewhere.example"))
ENVELOPE = Envelope("chris@vm1.example.com", (Recipient("pat@elsewhere.example"),))


def put_items(spool, word, count):
    """So many items as files, known to the queue; their traces."""
    source = os.path.join(spool._places.intake, "source")
    with open(source, "wb") as file:
        file.write(b"x" * 2_000)
    traces = [f"{word}x{n}" for n in range(count)]
    for trace in traces:
        spool._items.create(
            Item(trace, "", NOW, ENVELOPE, "email", "normal", False, "", "", "", 2_000, 0, (STEP,)), source
        )
    os.unlink(source)
    return traces


async def finish(queue, trace):
    item = await queue.claim(trace)
    await queue.finish(replace(item, steps=tuple(replace(state, outcome=DONE) for state in item.steps)))


def main():
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred

    from unitymail.threads import Threads

    root, count = sys.argv[1], int(sys.argv[2])
    threads = Threads(reactor, "commit", 4)
    threads.start()
    spool = Spool(
        os.path.join(root, "spool"), disk=Disk(), threads=threads, clock=reactor, journal=RecordingJournal(),
        store=LinkStore(os.path.join(root, "accounts")), doorbell=FakeDoorbell(), host=HOST, usage=FakeUsage(),
    )
    left = iter(put_items(spool, "t", count))

    async def work():
        for trace in left:
            await finish(spool.queue, trace)
            os.write(1, f"{trace}\n".encode())

    def begin():
        for _ in range(100):
            Deferred.fromCoroutine(work())

    reactor.callWhenRunning(begin)
    reactor.run()


if __name__ == "__main__":
    main()
