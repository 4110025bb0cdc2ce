"""A process of a node with its courier: `python -m tests.spool.carrier ROOT`, for tests that kill it.

It recovers, then performs what waits, and says in the file ROOT/said what it is about to relay and what it has noted
as relayed. It ends when its standard input is closed and nothing waits any more.
"""

import os
import sys
from dataclasses import replace

from tests.fakes import FakeUsage, RecordingJournal
from tests.spool.room import HOST, LinkStore
from unitymail.disk import Disk
from unitymail.interfaces.spool import DONE
from unitymail.spool.spool import Spool


def main():
    from twisted.internet import reactor, stdio
    from twisted.internet.defer import ensureDeferred
    from twisted.internet.protocol import Protocol
    from twisted.internet.task import deferLater

    from unitymail.doorbell.unix import Doorbell
    from unitymail.threads import Threads

    root = sys.argv[1]
    said = os.open(os.path.join(root, "said"), os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    journal = RecordingJournal()
    threads = Threads(reactor, "commit", 4)
    threads.start()
    bell = Doorbell(os.path.join(root, "run"), reactor=reactor, journal=journal)
    bell.start()
    spool = Spool(
        os.path.join(root, "spool"), disk=Disk(), threads=threads, store=LinkStore(os.path.join(root, "accounts")),
        doorbell=bell, journal=journal, clock=reactor, host=HOST, usage=FakeUsage(), shared=True,
    )
    bell.on_items(spool.queue.handed)

    class Input(Protocol):
        closed = False

        def connectionLost(self, reason):
            self.closed = True

    async def perform(trace):
        item = await spool.queue.claim(trace)
        if item is None:
            return
        if any(state.outcome is None for state in item.steps):
            os.write(said, f"relaying {trace}\n".encode())
            item = replace(item, steps=tuple(replace(state, outcome=DONE) for state in item.steps))
            await spool.queue.record(item)
            os.write(said, f"relayed {trace}\n".encode())
        await spool.queue.finish(item)

    async def work():
        await spool.recover()
        spool.queue.listen(lambda: None)
        os.write(1, b"recovered\n")
        given = Input()
        stdio.StandardIO(given)
        while not given.closed or os.listdir(os.path.join(root, "spool", "items")):
            await threads.run(spool.queue.look)
            while (trace := spool.queue.due(reactor.seconds())) is not None:
                await perform(trace)
            await deferLater(reactor, 0.02)
        await spool.stop()
        await bell.stop()
        threads.stop()
        reactor.stop()

    reactor.callWhenRunning(lambda: ensureDeferred(work()).addErrback(fail))
    reactor.run()


def fail(failure):
    print(failure.getTraceback(), file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    main()
