#!/usr/bin/env python3
"""Twisted's own ESMTPClient, with TCP_NODELAY, where relay.py measures it: alone, keeping outcomes, and inside a node.

    stock_client.py FOLDER --messages N [--keep] --host HOST --port PORT --connections N --recipients N
    stock_client.py node [TWISTD ARGUMENTS]     # twistd, unitymail's relaying client replaced by this one

Alone it relays the files FOLDER/m0, m1 ..., says `connected` when all connections are made, `done` at the end, and
waits to be killed. With --keep each outcome is durable and the message's file gone before it counts: lines in one log,
one flush for all that have come meanwhile, in a thread. That is the least that any relay must do beside sending.
"""

import argparse
import collections
import os
import queue
import sys
import threading

from twisted.internet.defer import Deferred
from twisted.mail import smtp

SENDER = "sender@bench.example"


class Client(smtp.ESMTPClient):
    """One connection: sends what `take()` gives until that is None, then quits. `ended` hears of the end."""

    debug = False

    def __init__(self, take, ended=lambda client: None):
        super().__init__(None, None, b"bench.example")
        self._take, self._ended = take, ended
        self.message = None

    def connectionMade(self):
        self.transport.setTcpNoDelay(True)
        super().connectionMade()

    def connectionLost(self, reason):
        super().connectionLost(reason)
        self._ended(self)

    def getMailFrom(self):
        self.message = self._take()
        return None if self.message is None else self.message.sender

    def getMailTo(self):
        return self.message.recipients

    def getMailData(self):
        return self.message.open()

    def sentMail(self, code, resp, numOk, addresses, log):
        message, self.message = self.message, None
        message.sent(code, resp)


class File:
    """A message of the benchmark's own."""

    sender = SENDER

    def __init__(self, path, recipients, done):
        self.path, self.recipients, self._done = path, recipients, done

    def open(self):
        return open(self.path, "rb")

    def sent(self, code, resp):
        assert code == 250, resp
        self._done(self.path)


class Keeper:
    """Makes outcomes durable, then removes the files of messages; says `done` when `count` are."""

    def __init__(self, folder, count):
        self._log = os.open(os.path.join(folder, "outcomes"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._left = count
        self._sent = queue.SimpleQueue()
        threading.Thread(target=self._keep, daemon=True).start()

    def __call__(self, path):
        self._sent.put(path)

    def _keep(self):
        while self._left:
            paths = [self._sent.get()]
            while not self._sent.empty():
                paths.append(self._sent.get())
            os.write(self._log, "".join(f"{path} 250\n" for path in paths).encode())
            os.fdatasync(self._log)
            for path in paths:
                os.unlink(path)
            self._left -= len(paths)
        print("done", flush=True)


class Counter:
    """Keeps nothing; says `done` when `count` were sent."""

    def __init__(self, count):
        self._left = count

    def __call__(self, path):
        self._left -= 1
        if not self._left:
            print("done", flush=True)


def alone(a):
    from twisted.internet import reactor
    from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

    recipients = [f"{number or ''}kim@elsewhere.example" for number in range(a.recipients)]
    done = Keeper(a.folder, a.messages) if a.keep else Counter(a.messages)
    left = (File(os.path.join(a.folder, f"m{number}"), recipients, done) for number in range(a.messages))
    connected = []

    def made(_):
        connected.append(1)
        if len(connected) == a.connections:
            print("connected", flush=True)

    for _ in range(a.connections):
        client = Client(lambda: next(left, None))
        connectProtocol(TCP4ClientEndpoint(reactor, a.host, a.port), client).addCallback(made)
    reactor.run()


class Going:
    """A message of a node. Its outcomes are those of the whole, as the stock client tells them."""

    def __init__(self, outgoing):
        self._outgoing = outgoing
        self.sender = outgoing.sender
        self.recipients = [recipient.address for recipient in outgoing.recipients]
        self.attempt = Deferred()

    def open(self):
        """Line ends as Twisted's client wants them: with CRLF in the file it would say CR CR LF."""
        import io

        content = self._outgoing.content
        if not content:
            with open(self._outgoing.path, "rb") as file:
                file.seek(self._outgoing.offset)
                content = file.read()
        return io.BytesIO((self._outgoing.head + content).replace(b"\r\n", b"\n"))

    def sent(self, code, resp):
        from unitymail.interfaces.relay import Attempt
        from unitymail.interfaces.spool import Outcome

        assert code == 250, resp
        self.attempt.callback(Attempt((Outcome("done", remote_mta="sink"),) * len(self.recipients), (), "sink"))


class StockRelay:
    """unitymail's IRelay, for one hop that fails never."""

    def __init__(self, *, reactor, connections, **others):
        self._reactor, self._connections = reactor, connections
        self._waiting = collections.deque()
        self._clients = set()

    def most(self, hop):
        return 2 * self._connections()

    def send(self, hop, outgoing):
        going = Going(outgoing)
        self._waiting.append(going)
        if len(self._clients) < self._connections():
            from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

            client = Client(self._take, self._clients.discard)
            self._clients.add(client)
            connectProtocol(TCP4ClientEndpoint(self._reactor, hop.host, hop.port), client)
        return going.attempt

    def _take(self):
        return self._waiting.popleft() if self._waiting else None

    def reload(self):
        pass

    async def close(self):
        pass


def node(arguments):
    from twisted.scripts.twistd import run

    from unitymail import ways_out

    ways_out.Relay = StockRelay
    sys.argv = ["twistd", *arguments]
    run()


def main():
    if sys.argv[1:2] == ["node"]:
        return node(sys.argv[2:])
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder")
    p.add_argument("--messages", type=int, required=True)
    p.add_argument("--keep", action="store_true")
    p.add_argument("--host", required=True)
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--connections", type=int, required=True)
    p.add_argument("--recipients", type=int, required=True)
    alone(p.parse_args())


if __name__ == "__main__":
    main()
