#!/usr/bin/env python3
"""One next hop is slow and has a long queue: does mail for another wait? And then the operator retries all of it.

    fairness.py [--items 20000] [--messages 100] [--rounds 5]         # needs root and postfix (smtp-sink)

Two nodes hand messages to a third, their peer, one at a time and in alternation: from DATA until it is delivered
there. One of the two has so many messages for a smart host that takes two seconds over each. Then the smart
host is gone, and `queue retry --all` is run; it is back, and fast, and that is run again, until the queue is empty. One
JSON line; a turn of a reactor over 10 ms, or a refusal of `queue retry`, is an error.
"""

import argparse
import json
import os
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from benchlib import emit  # noqa: E402
from relay import SENDER, Count, Node, Sink, until  # noqa: E402
from unitymail_node import DOMAIN, ROOT  # noqa: E402

SLOW_S = 2
WAITING = "u00001"
"""The user who lives on the third node."""
MESSAGE = b"From: sender@bench.example\r\nSubject: a message\r\n\r\n" + (b"X" * 70 + b"\r\n") * 28


class Sending(Node):
    """A node that knows the third one as its peer."""

    def __init__(self, name, ports, folder, sink, a):
        self.name, self.ports = name, ports
        super().__init__(folder, sink, a)
        self.client = smtplib.SMTP("127.0.0.1", self.target.smtp["port"])
        self.client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self, *words):
        """A command at the node; its output. Exit codes other than 0 end the run."""
        config = os.path.join(self.folder, "node", "unitymail.toml")
        done = subprocess.run([self.a.python, "-m", "unitymail.ctl", "-c", config, "--json", *words],
                              capture_output=True, text=True, cwd=ROOT)
        if done.returncode:
            raise SystemExit(f"{self.name}: unitymail {' '.join(words)}: {(done.stdout + done.stderr)[-500:]}")
        return json.loads(done.stdout)

    def befriend(self, other):
        """Peers have domains of their own, though all of these were set up for the same."""
        for one, its in ((self, other), (other, self)):
            words = its.run("peer", "key")["command"].replace(DOMAIN, f"{its.name}.example").split()[4:]
            one.run("peer", "add", its.name, *words)
        self.run("user", "add", "far", "--proxy", "far@far.example", "--home", other.name)

    def waiting(self):
        with os.scandir(self.items) as entries:
            return sum(entry.name.endswith(".eml") for entry in entries)

    def status(self):
        return self.run("status")

    def hand_in(self):
        """One message for the user who lives elsewhere; when it began to be sent."""
        self.client.ehlo_or_helo_if_needed()
        self.client.mail(SENDER)
        self.client.rcpt("far@far.example")
        begun = time.perf_counter()
        code, words = self.client.data(MESSAGE)
        if code != 250:
            raise SystemExit(f"{self.name}: {code} {words}")
        return begun


def times(node, delivered, messages):
    """Seconds from DATA to the mailbox, one message after the other."""
    found = []
    for _ in range(messages):
        before = delivered()
        begun = node.hand_in()
        while delivered() == before:
            time.sleep(0.0005)
        found.append(time.perf_counter() - begun)
    return sorted(found)


def in_alternation(a, free, busy, third):
    delivered = Count(third.log, b" delivered ")
    for node in (free, busy):
        times(node, delivered, 20)
    rounds = [{node.name: times(node, delivered, a.messages) for node in (free, busy)} for _ in range(a.rounds)]
    figures = {}
    for what, at in (("p50", 0.5), ("p99", 0.99)):
        at = int(at * a.messages)
        ratios = sorted(each[busy.name][at] / each[free.name][at] for each in rounds)
        figures[what] = {
            "ratio": round(statistics.median(ratios), 2), "least": round(ratios[0], 2), "most": round(ratios[-1], 2),
            **{f"{node.name}_ms": round(statistics.median(each[node.name][at] for each in rounds) * 1000, 2)
               for node in (free, busy)},
        }
    return figures


def takes(node, *words):
    """Seconds of a command, its start included."""
    begun = time.perf_counter()
    node.run(*words)
    return round(time.perf_counter() - begun, 2)


def run(a, folder):
    sink = Sink(a.port, "-w", str(SLOW_S))
    nodes = []
    try:
        for name, ports in (("free", 10), ("busy", 20), ("third", 30)):
            nodes.append(Sending(name, ports, folder, sink, a))
        free, busy, third = nodes
        third.run("user", "proxy", "add", WAITING, "far@far.example")
        for node in (free, busy):
            node.befriend(third)
        busy.fill(a.items, a.size)
        figures = {"waiting": busy.waiting(), **in_alternation(a, free, busy, third)}
        figures["waiting_afterwards"] = busy.waiting()

        sink.end()
        gone = Count(busy.log, b" hop-down ")
        figures["retried"] = busy.waiting()
        figures["status_s"], figures["retry_s"] = takes(busy, "status"), takes(busy, "queue", "retry", "--all")
        until(gone, "the smart host is seen to be gone")
        sink = Sink(a.port)
        begun = time.perf_counter()
        figures["retry_with_the_hop_back_s"] = takes(busy, "queue", "retry", "--all")
        until(busy.is_empty, "the queue is empty")
        figures["empty_after_s"] = round(time.perf_counter() - begun, 2)
        figures["longest_turn_ms"] = busy.status()["longest_turn_ms"]
        turns = [line for node in nodes for line in node.troubles() if " long-turn " in line or " trouble " in line]
        emit({"bench": "fairness", "items": a.items, "messages": a.messages, "rounds": a.rounds, **figures,
              "troubles": turns[:5]}, a.out)
        if turns:
            raise SystemExit("a turn was long, or something was a surprise")
    finally:
        sink.end()
        for node in nodes:
            node.end()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--items", type=int, default=20_000)
    p.add_argument("--size", type=int, default=2048)
    p.add_argument("--messages", type=int, default=100, help="of a round, from each of the two")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--python", default=sys.executable)
    p.add_argument("--port", type=int, default=29900, help="of the sink; others are near")
    p.add_argument("--out")
    a = p.parse_args()
    if os.geteuid() or not os.path.exists("/usr/sbin/smtp-sink"):
        raise SystemExit("needs root, and apt-get install postfix")
    folder = tempfile.mkdtemp(prefix="unitymail-fairness-")
    os.chmod(folder, 0o755)
    try:
        run(a, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
