"""Another process of the node, for the tests: a doorbell that says what it hears.

    another_process.py RUN ACCOUNT BEHAVIOUR

It prints `ready`, then `heard FOLDER` for each ring and `items TRACE…` for new items. A line on standard input makes it
ring ACCOUNT with that folder.
BEHAVIOUR: prompt (takes every change at once), stuck (never answers).
"""

import sys

from twisted.internet import reactor, stdio
from twisted.internet.defer import Deferred, succeed
from twisted.protocols.basic import LineOnlyReceiver

from tests.fakes import RecordingJournal
from unitymail.doorbell.unix import Doorbell


def say(*words):
    print(*words, flush=True)


class Told(LineOnlyReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        bell.ring(account, line.decode())

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()


run, account, behaviour = sys.argv[1:]
bell = Doorbell(
    run, reactor=reactor, journal=RecordingJournal(), take=succeed if behaviour == "prompt" else lambda usn: Deferred()
)
bell.listen(account, lambda folder: say("heard", folder))
bell.on_items(lambda items: say("items", *(item.trace for item in items)))
bell.start()
stdio.StandardIO(Told())
reactor.callWhenRunning(say, "ready")
reactor.addSystemEventTrigger("before", "shutdown", bell.stop)
reactor.run()
