"""A process that signs in at a directory on disk: `guesser.py PATH PROCESS TIMES`. It says `ready`, waits for a line,
then prints one JSON object: how often each reason was given.

Wrong passwords and wrong proofs take turns, each from an address of its own, many at once.
"""

import json
import sys
from collections import Counter

from twisted.internet import reactor
from twisted.internet.defer import DeferredList, ensureDeferred

from tests.fakes import RecordingJournal
from tests.scram import Client
from unitymail.directory.book import Book
from unitymail.directory.credentials import Credentials
from unitymail.directory.sql.database import Database
from unitymail.interfaces.login import Place
from unitymail.login.login import Login
from unitymail.login.passwords import Passwords
from unitymail.threads import Threads


async def prove(login, place):
    exchange, client = login.scram(place), Client("robin", b"roses")
    await exchange.conclude(client.final(await exchange.challenge(client.first())))


def main(path, process, times):
    database, journal = Database(path), RecordingJournal()
    threads = Threads(reactor, "directory", 4)
    login = Login(
        credentials=Credentials(database), book=Book.load(database), threads=threads, journal=journal, clock=reactor,
        passwords=Passwords(memory_kib=64, time_cost=1, scram_iterations=64),
    )
    login.prepare()

    def start():
        ways = []
        for number in range(times):
            client = f"10.{process}.0.{number}"
            if number % 2:
                ways.append(prove(login, Place("imap", "imaps", client, True)))
            else:
                ways.append(login.sign_in(b"robin", b"roses", Place("smtp", "submission", client, True)))
        DeferredList([ensureDeferred(way) for way in ways], consumeErrors=True).addCallback(end)

    def end(outcomes):
        assert not any(good for good, _ in outcomes)
        print(json.dumps(Counter(event.args[3] for event in journal.named("sign_in_failed"))), flush=True)
        threads.stop()
        reactor.stop()

    threads.start()
    print("ready", flush=True)
    sys.stdin.readline()
    reactor.callWhenRunning(start)
    reactor.run(installSignalHandlers=False)
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
