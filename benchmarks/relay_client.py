#!/usr/bin/env python3
"""unitymail's relaying client beside Twisted's own ESMTPClient (with TCP_NODELAY): 2 kB messages to one sink process.

    relay_client.py [--messages 4000] [--connections 8] [--size 2k] [--rounds 5] [--chunking] [--profile FILE]

Both run in this process, in turn, against the same sink, each message from its own file for ours and from memory for
Twisted's (which knows no files). Loopback only. Medians and their ratio are printed as one line of JSON.
"""

import argparse
import asyncio
import cProfile
import io
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))


class Sink(asyncio.Protocol):
    """Takes everything, at once; says nothing it need not."""

    extensions = b"250-sink\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250-DSN\r\n"

    def connection_made(self, transport):
        self.transport = transport
        self.buffer = b""
        self.data = False
        self.octets = 0
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data):
        buffer = self.buffer + data if self.buffer else data
        answers = []
        while buffer:
            if self.octets:
                if len(buffer) < self.octets:
                    self.octets -= len(buffer)
                    buffer = b""
                    break
                buffer, self.octets = buffer[self.octets :], 0
                answers.append(b"250 2.0.0 taken\r\n")
            elif self.data:
                end = buffer.find(b"\r\n.\r\n")
                if end < 0:
                    buffer = buffer[-4:]
                    break
                buffer, self.data = buffer[end + 5 :], False
                answers.append(b"250 2.0.0 taken\r\n")
            else:
                end = buffer.find(b"\r\n")
                if end < 0:
                    break
                line, buffer = buffer[:end], buffer[end + 2 :]
                answers.append(self.answer(line))
        self.buffer = buffer
        if answers:
            self.transport.write(b"".join(answers))

    def answer(self, line):
        verb = line[:4].upper()
        if verb == b"DATA":
            self.data = True
            return b"354 go on\r\n"
        if verb == b"EHLO":
            return self.extensions + b"250 ENHANCEDSTATUSCODES\r\n"
        if verb == b"BDAT":
            self.octets = int(line.split()[1])
            return b""
        if verb == b"QUIT":
            self.transport.write(b"221 2.0.0 bye\r\n")
            self.transport.close()
            return b""
        return b"250 2.1.0 fine\r\n"


def serve(chunking):
    if chunking:
        Sink.extensions += b"250-CHUNKING\r\n"

    async def main():
        server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())


def message(size):
    head = b"From: <robin@vm1.example.com>\r\nTo: <kim@example.net>\r\nSubject: Hello\r\n\r\n"
    line = b"The quick brown fox jumps over the lazy dog, and tells nobody of it.\r\n"
    return (head + line * (size // len(line) + 1))[: size - 2] + b"\r\n"


async def ours(reactor, port, folder, options):
    from unitymail.interfaces.relay import Outgoing
    from unitymail.mail.envelope import Recipient
    from unitymail.relay.relay import Relay
    from unitymail.routing.next_hop import NextHop
    from unitymail.threads import Threads

    threads = Threads(reactor, "disk", 4)
    threads.start()
    relay = Relay(host="bench.example", reactor=reactor, threads=threads, connections=lambda: options.connections)
    hop = NextHop("smart-host", "the smart host sink", "127.0.0.1", port, tls="none")
    left = iter(range(options.messages))
    kim = (Recipient("kim@example.net"),)
    failed = []

    async def worker():
        for number in left:
            path = os.path.join(folder, f"m{number}")
            outgoing = Outgoing(f"t{number}", "robin@vm1.example.com", kim, path, 0, options.size)
            attempt = await relay.send(hop, outgoing)
            if attempt.outcomes[0].kind != "done":
                failed.append(attempt)

    figures = await measured([worker() for _ in range(relay.most(hop))], options)
    await relay.close()
    threads.stop()
    assert not failed, failed[0]
    return figures


async def stock(reactor, port, folder, options):
    from twisted.internet.defer import Deferred
    from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
    from twisted.mail import smtp

    octets = message(options.size).replace(b"\r\n", b"\n")
    left = iter(range(options.messages))

    class Client(smtp.ESMTPClient):
        debug = False

        def connectionMade(self):
            self.transport.setTcpNoDelay(True)
            super().connectionMade()

        def getMailFrom(self):
            return None if next(left, None) is None else "robin@vm1.example.com"

        def getMailTo(self):
            return ["kim@example.net"]

        def getMailData(self):
            return io.BytesIO(octets)

        def sentMail(self, code, resp, numOk, addresses, log):
            assert code == 250, resp

        def connectionLost(self, reason):
            super().connectionLost(reason)
            self.over.callback(None)

    async def worker():
        client = Client(None, None, b"bench.example")
        client.over = Deferred()
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), client)
        await client.over

    return await measured([worker() for _ in range(options.connections)], options)


async def measured(workers, options):
    from twisted.internet.defer import ensureDeferred, gatherResults

    started = clocks(options)
    await gatherResults([ensureDeferred(each) for each in workers])
    wall, cpu, sink = (now - then for now, then in zip(clocks(options), started, strict=True))
    count = options.messages
    return {"per_s": count / wall, "cpu_ms": cpu * 1000 / count, "sink_cpu_ms": sink * 1000 / count}


def clocks(options):
    """Seconds: of the wall, of our CPU, of the sink's."""
    with open(f"/proc/{options.sink_pid}/schedstat") as file:
        return time.perf_counter(), time.process_time(), int(file.read().split()[0]) / 1e9


def size_of(text):
    return int(text[:-1]) * 1024 if text.endswith("k") else int(text)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--size", type=size_of, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chunking", action="store_true", help="the sink offers CHUNKING")
    parser.add_argument("--profile", help="write a cProfile of ours to this file")
    parser.add_argument("--only", choices=["ours", "stock"])
    parser.add_argument("--sink", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def react(options, port, folder, found):
    from twisted.internet import task

    async def rounds(reactor):
        for _ in range(options.rounds):
            for name, client in (("ours", ours), ("stock", stock)):
                if options.only in (None, name):
                    found[name].append(await client(reactor, port, folder, options))

    task.react(rounds)


def main():
    options = read_options()
    if options.sink:
        return serve(options.chunking)
    sys.setswitchinterval(0.0005)
    command = [sys.executable, __file__, "--sink", *(["--chunking"] if options.chunking else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as sink, tempfile.TemporaryDirectory() as folder:
        try:
            port = int(sink.stdout.readline())
            for number in range(options.messages):
                with open(os.path.join(folder, f"m{number}"), "wb") as file:
                    file.write(message(options.size))
            options.sink_pid = sink.pid
            found = {"ours": [], "stock": []}
            profile = cProfile.Profile() if options.profile else None
            try:
                (profile.runcall if profile else lambda call: call())(lambda: react(options, port, folder, found))
            except SystemExit as ended:
                if ended.code:
                    raise
            if profile:
                profile.dump_stats(options.profile)
            report(found, options)
        finally:
            sink.terminate()


def report(found, options):
    line = {"bench": "relay-client", **{name: getattr(options, name) for name in ("messages", "connections", "size")}}
    for name, rounds in found.items():
        if rounds:
            for figure in rounds[0]:
                line[f"{name}_{figure}"] = round(statistics.median(each[figure] for each in rounds), 3)
    if found["ours"] and found["stock"]:
        line["ratio"] = round(line["ours_per_s"] / line["stock_per_s"], 2)
    line["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(line))


if __name__ == "__main__":
    main()
