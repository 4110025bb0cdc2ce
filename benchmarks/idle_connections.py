#!/usr/bin/env python3
"""Thousands of clients that are connected and say nothing: what each costs, and is a new one greeted at once?

    idle_connections.py [--connections 5000] [--doors submission,submissions,imap,imaps,idle] [--base-port 19600]

For each door a node of its own, since memory that was used once is not given back: its resident memory before and after
so many connections came, divided by their number; how long a new client waits for its greeting meanwhile (median and
longest of 50); what the node's CPU does in five quiet seconds; and what is left once they are gone. SMTP clients have
said EHLO (strangers at the `smtp` door are greeted after 0.2 s), `submissions` and `imaps` are under TLS, `idle` ones
are signed in and in IDLE on their inbox (as 100 users). One JSON line per door; the promises are checked:
15 KB each plain, 60 KB each with TLS, 10 KB each in IDLE.
"""

import argparse
import os
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from benchlib import cpu_of, emit, mem_of, raise_nofile, tls_context  # noqa: E402
from unitymail_node import DOORS, PASSWORD  # noqa: E402

BUDGET = {"smtp": 15_000, "submission": 15_000, "imap": 15_000, "submissions": 60_000, "imaps": 60_000, "idle": 10_000}
"""Octets a connection. A door without one is measured only."""
PORT_OF = {"idle": "imap", "idle-tls": "imaps"}
USERS = 100
ADDRESSES = 100
"""Loopback addresses that the clients come from."""
AT_ONCE = 200


class Client:
    """One connection, up to its greeting and a little further."""

    context = tls_context()

    def __init__(self, door, port, number):
        self.door, self.number = door, number
        host = f"127.0.1.{number % ADDRESSES + 1}" if "idle" not in door else "127.0.0.1"
        self.sock = socket.create_connection(("127.0.0.1", port), 60, (host, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def settle(self):
        door = PORT_OF.get(self.door, self.door)
        if door in ("submissions", "imaps"):
            self.sock = self.context.wrap_socket(self.sock)
        self.greeting = self.hear(b"\r\n")
        if door in ("smtp", "submission", "submissions"):
            self.sock.sendall(b"EHLO client.example\r\n")
            self.hear(b"\n250 ")
        elif "idle" in self.door:
            self.sock.sendall(f"a LOGIN u{self.number % USERS:05d} {PASSWORD}\r\n".encode())
            self.hear(b"a OK")
            self.sock.sendall(b"b SELECT INBOX\r\n")
            self.hear(b"b OK")
            self.sock.sendall(b"c IDLE\r\n")
            self.hear(b"+ ")

    def hear(self, end):
        said = b""
        while end not in said or not said.endswith(b"\r\n"):
            block = self.sock.recv(4096)
            if not block:
                raise SystemExit(f"{self.door}: connection {self.number} ended: {said!r}")
            said += block
        return said


def connect(door, port, count):
    clients = []
    while len(clients) < count:
        some = [Client(door, port, len(clients) + n) for n in range(min(AT_ONCE, count - len(clients)))]
        for client in some:
            client.settle()
        clients += some
    return clients


def greeted(door, port):
    """Seconds until a new client has its greeting (and its TLS)."""
    began = time.perf_counter()
    client = Client(door, port, 0)
    client.settle()
    took = time.perf_counter() - began
    client.sock.close()
    return took


def has_ended(client):
    """Whether the server closed it."""
    poller = select.poll()
    poller.register(client.sock, select.POLLRDHUP | select.POLLHUP)
    return bool(poller.poll(0))


def wait(seconds):
    select.select([], [], [], seconds)


def measure(door, a, base_port):
    folder = tempfile.mkdtemp(prefix="idle-")
    node = [sys.executable, os.path.join(HERE, "unitymail_node.py")]
    where = ["--dir", folder, "--base-port", str(base_port)]
    try:
        subprocess.run([*node, "start", *where, "--users", str(USERS)], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, "pid")) as file:
            roots = [int(file.read())]
        port = base_port + DOORS.index(PORT_OF.get(door, door))
        for client in connect(door, port, max(USERS, 50)):  # what is loaded for the first client is nobody's cost
            client.sock.close()
        wait(1)
        before, cpu = mem_of(roots)[1], cpu_of(roots)[2]
        clients = connect(door, port, a.connections)
        cpu = cpu_of(roots)[2] - cpu
        wait(1)
        held = mem_of(roots)[1]
        waits = [greeted(door, port) for _ in range(50)]
        quiet = cpu_of(roots)[2]
        wait(5)
        quiet = (cpu_of(roots)[2] - quiet) / 5
        ended = sum(map(has_ended, clients))
        for client in clients:
            client.sock.close()
        wait(3)
        after = mem_of(roots)[1]
        with open(os.path.join(folder, "log")) as log:
            long_turns = log.read().count(" long-turn ")
        each = (held - before) / a.connections
        return {
            "door": door, "connections": a.connections, "octets_each": round(each), "budget": BUDGET.get(door),
            "rss_before": before, "rss_held": held, "rss_after": after,
            "cpu_ms_each": round(cpu / a.connections * 1e3, 2),
            "greeting_ms_p50": round(statistics.median(waits) * 1e3, 1), "greeting_ms_max": round(max(waits) * 1e3, 1),
            "cpu_share_while_idle": round(quiet, 4), "ended": ended, "long_turns": long_turns,
        }  # fmt: skip
    finally:
        subprocess.run([*node, "stop", *where], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--connections", type=int, default=5_000)
    p.add_argument("--doors", default="submission,submissions,imap,imaps,idle")
    p.add_argument("--base-port", type=int, default=19_600)
    p.add_argument("--out", default=None)
    a = p.parse_args()
    raise_nofile()
    missed = []
    for number, door in enumerate(a.doors.split(",")):
        found = measure(door, a, a.base_port + 10 * number)
        emit(found, a.out)
        if found["budget"] and found["octets_each"] > found["budget"]:
            missed.append(door)
    if missed:
        raise SystemExit(f"over the budget: {', '.join(missed)}")


if __name__ == "__main__":
    main()
