#!/usr/bin/env python3
"""Relaying: a queue of small messages let go at once, over 8 connections, to one sink. Needs root and postfix.

    relay.py [--rounds 5] [--messages 3000] [--size 2k] [--recipients 1] [--connections 8]
             [--only unitymail,node-with-twisted,twisted-durable,twisted,postfix]
    relay.py --memory            # how far the node grows: 5,000 and 50,000 in the queue, and 50 MB messages

Contenders in alternation. `unitymail`: a node whose queue holds the messages, until it is empty: each outcome is
durable then. `node-with-twisted`: the same node with Twisted's own ESMTPClient (TCP_NODELAY) in place of ours.
`postfix` likewise, as Debian ships it. `twisted-durable`: Twisted's client in a process of its own, which reads as many
files and does the least that makes outcomes durable. `twisted`: the same, and keeps nothing (`stock_client.py`). The
sink is Postfix's smtp-sink (C), the same process for all. It is stopped while queues fill: whoever connects waits for
its greeting. Letting it go on is the start; the last outcome is the end.
"""

import argparse
import glob
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from benchlib import Target, cpu_of, emit, machine_busy, size_arg, tree  # noqa: E402
from large_message import memory, reset_peaks  # noqa: E402

SINK = "127.0.0.2"  # what comes from a smart host's address does not go back there, so not 127.0.0.1
SENDER, RECIPIENT = "sender@bench.example", "{}kim@elsewhere.example"
LIMIT_S = 600
SETTLE_S = 2.0
LARGE = 50_000_000


def until(true, what):
    deadline = time.monotonic() + LIMIT_S
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not after {LIMIT_S} s")
        time.sleep(0.01)


class Sink:
    def __init__(self, port, *options):
        self.port = port
        self.process = subprocess.Popen(["/usr/sbin/smtp-sink", "-u", "nobody", *options, f"{SINK}:{port}", "512"])

    def hold(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        self.go_on()
        self.process.kill()
        self.process.wait()


class Count:
    """How often a word has been written to a log since it was made."""

    def __init__(self, path, word):
        self.word = word
        self.file = open(path, "rb")  # noqa: SIM115
        self.file.seek(0, os.SEEK_END)
        self.found = 0
        self.rest = b""

    def __call__(self):
        """Whole lines only: the end of a line may be seen later than its beginning."""
        lines, end, self.rest = (self.rest + self.file.read()).rpartition(b"\n")
        self.found += (lines + end).count(self.word)
        return self.found


class Server:
    """A mail server that relays to the sink. A subclass knows how its queue is seen to be empty."""

    def __init__(self, name, folder, command, a):
        self.name, self.folder, self.a = name, os.path.join(folder, name), a
        self.command = [a.python, *command, "--dir", self.folder]
        done = subprocess.run([*self.command[:2], "start", *self.command[2:]], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{name} does not start: {done.stderr[-500:]}")
        self.target = Target(os.path.join(self.folder, "target.toml"))
        self.roots = self.target.roots()

    def fill(self, messages, size, at_once=10, recipients=1):
        """Put so many into its queue, by SMTP."""
        done = subprocess.run(
            ["/usr/sbin/smtp-source", "-d", "-s", str(at_once), "-m", str(messages), "-l", str(size),
             "-f", SENDER, "-r", str(recipients), "-t", RECIPIENT.format(""),
             f"inet:127.0.0.1:{self.target.smtp['port']}"], capture_output=True, text=True)
        if done.returncode or done.stderr:
            raise SystemExit(f"{self.name}: {done.stderr[-500:]}")
        time.sleep(SETTLE_S)

    def get_ready(self):
        self.fill(self.a.messages, self.a.size, recipients=self.a.recipients)
        self.outcomes = Count(self.log, self.word)

    def finished(self):
        return self.outcomes() >= self.a.messages and self.is_empty()

    def end(self):
        subprocess.run([*self.command[:2], "stop", *self.command[2:]], check=False, stdout=subprocess.DEVNULL)


class Node(Server):
    word = b" attempted "
    name, options, ports = "unitymail", (), 10

    def __init__(self, folder, sink, a):
        super().__init__(self.name, folder, [
            os.path.join(HERE, "unitymail_node.py"), "--users", "10", "--base-port", str(sink.port + self.ports),
            "--python", a.python, "--smart-host", f"{SINK}:{sink.port}", *self.options], a)
        self.log = os.path.join(self.folder, "log")
        self.items = os.path.join(self.folder, "node", "spool", "items")

    def is_empty(self):
        with os.scandir(self.items) as entries:
            return not any(entry.name.endswith(".eml") for entry in entries)

    def troubles(self):
        with open(self.log) as log:
            words = (" trouble ", " long-turn ", " hop-down ")
            return [line.strip() for line in log if any(word in line for word in words)]


class NodeWithTwisted(Node):
    name, options, ports = "node-with-twisted", ("--twistd", f"{os.path.join(HERE, 'stock_client.py')} node"), 15


class Postfix(Server):
    word = b": removed\n"

    def __init__(self, folder, sink, a):
        super().__init__("postfix", folder, [
            os.path.join(HERE, "peers_deb", "postfix_relay.py"), "--base-port", str(sink.port + 20), "--next-hop",
            f"[{SINK}]:{sink.port}", "--connections", str(a.connections)], a)
        self.log = os.path.join(self.folder, "postfix.log")

    def is_empty(self):
        return True  # `removed` is what its queue manager says last


class Twisted:
    """Not a server: a process of its own each round, waiting with its connections open."""

    name, options = "twisted", ()

    def __init__(self, folder, sink, a):
        self.a, self.sink = a, sink
        self.folder = os.path.join(folder, self.name)
        os.makedirs(self.folder)
        lines = (b"X" * 70 + b"\n") * (a.size // 71 + 1)
        self.message = b"Subject: a message\n\n" + lines[: a.size - 30] + b"\n"

    def get_ready(self):
        for number in range(self.a.messages):
            with open(os.path.join(self.folder, f"m{number}"), "wb") as file:
                file.write(self.message)
        time.sleep(SETTLE_S)
        self.process = subprocess.Popen(
            [self.a.python, os.path.join(HERE, "stock_client.py"), self.folder, "--host", SINK, "--port",
             str(self.sink.port), "--connections", str(self.a.connections), "--messages", str(self.a.messages),
             "--recipients", str(self.a.recipients), *self.options], stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"connected\n"
        self.roots = [self.process.pid]
        os.set_blocking(self.process.stdout.fileno(), False)

    def finished(self):
        """It waits to be measured once it is done."""
        return self.process.stdout.readline() == b"done\n"

    def end_round(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        pass


class TwistedDurable(Twisted):
    name, options = "twisted-durable", ("--keep",)


CONTENDERS = {one.name: one for one in (Node, NodeWithTwisted, TwistedDurable, Twisted)} | {"postfix": Postfix}


def measure(contender, sink, messages):
    sink.hold()
    contender.get_ready()
    busy, cpu, sink_cpu = machine_busy(), cpu_of(contender.roots)[2], cpu_of([sink.process.pid])[2]
    begun = time.perf_counter()
    sink.go_on()
    until(contender.finished, contender.name)
    wall = time.perf_counter() - begun
    cpu, sink_cpu = cpu_of(contender.roots)[2] - cpu, cpu_of([sink.process.pid])[2] - sink_cpu
    other = machine_busy() - busy - cpu - sink_cpu
    if hasattr(contender, "end_round"):
        contender.end_round()
    return {
        "msg_per_s": round(messages / wall, 1), "cpu_s_per_1000": round(cpu * 1000 / messages, 3),
        "sink_cpu_s_per_1000": round(sink_cpu * 1000 / messages, 3), "other_cpu_s": round(max(0.0, other), 2),
    }


def speed(a, folder, sink):
    contenders = [CONTENDERS[name](folder, sink, a) for name in a.only.split(",")]
    found = {contender.name: [] for contender in contenders}
    try:
        for number in range(a.rounds):
            for contender in contenders if number % 2 == 0 else reversed(contenders):
                found[contender.name].append(measure(contender, sink, a.messages))
                print(number + 1, contender.name, found[contender.name][-1], file=sys.stderr)
    finally:
        for contender in contenders:
            contender.end()
    troubles = [trouble for one in contenders if isinstance(one, Node) for trouble in one.troubles()]
    record = {"bench": "relay", "messages": a.messages, "size": a.size, "recipients": a.recipients,
              "connections": a.connections, "rounds": a.rounds, "troubles": troubles[:5]}
    for name, rounds in found.items():
        record[name] = {figure: statistics.median(one[figure] for one in rounds) for figure in rounds[0]}
    for peer in found:
        if peer != "unitymail" and "unitymail" in found:
            for figure in ("msg_per_s", "cpu_s_per_1000"):
                ratios = sorted(ours[figure] / theirs[figure]
                                for ours, theirs in zip(found["unitymail"], found[peer], strict=True))
                record[f"{figure}_to_{peer}"] = {
                    "ratio": round(statistics.median(ratios), 3), "least": round(ratios[0], 3),
                    "most": round(ratios[-1], 3)}
    emit(record, a.out)


def grown(node, sink, messages, size, at_once):
    """KiB: (what the queue costs while it waits, the most above rest while it is sent)."""
    pids = tree(node.roots)
    rest = memory(pids, "VmRSS")
    sink.hold()
    reset_peaks(pids)
    begun = Count(node.log, Node.word)
    node.fill(messages, size, at_once)
    waiting = memory(pids, "VmRSS")
    filling = memory(pids, "VmHWM")
    reset_peaks(pids)
    sink.go_on()
    until(lambda: begun() >= messages and node.is_empty(), f"{messages} messages")
    return {"messages": messages, "size": size, "rest_KiB": rest, "filling_KiB": filling - rest,
            "waiting_KiB": waiting - rest, "sending_KiB": memory(pids, "VmHWM") - rest,
            "after_KiB": memory(pids, "VmRSS") - rest}


def remember(a, folder, sink):
    node = Node(folder, sink, a)
    try:
        grown(node, sink, 500, a.size, 10)  # what is loaded when it is first needed
        for messages, size, at_once in ((5_000, a.size, 10), (50_000, a.size, 10), (16, LARGE, 8)):
            emit({"bench": "relay-memory", **grown(node, sink, messages, size, at_once)}, a.out)
        emit({"bench": "relay-memory", "troubles": node.troubles()[:5]}, a.out)
    finally:
        node.end()


def read_options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--messages", type=int, default=3000)
    p.add_argument("--size", type=size_arg, default=2048)
    p.add_argument("--recipients", type=int, default=1, help="of each message")
    p.add_argument("--connections", type=int, default=8)
    p.add_argument("--only", default=",".join(CONTENDERS))
    p.add_argument("--memory", action="store_true")
    p.add_argument("--python", default=sys.executable)
    p.add_argument("--port", type=int, default=29800, help="of the sink; others are near")
    p.add_argument("--keep", help="work in this folder and leave it")
    p.add_argument("--out")
    return p.parse_args()


def main():
    a = read_options()
    if os.geteuid() or not glob.glob("/usr/sbin/smtp-sink"):
        raise SystemExit("needs root, and apt-get install postfix")
    folder = a.keep or tempfile.mkdtemp(prefix="unitymail-relay-")
    os.chmod(folder, 0o755)
    sink = Sink(a.port)
    try:
        (remember if a.memory else speed)(a, folder, sink)
    finally:
        sink.end()
        if not a.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
