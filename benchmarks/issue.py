#!/usr/bin/env python3
"""The promises of speed and memory that README.rst makes, each measured beside its peer in one run.

    issue.py [--rounds 3] [--python INTERPRETER] [--only fetch,delivery,large,idle,relay] [--keep DIR]

Starts a unitymail node, stock Twisted's mail server, and Postfix + Dovecot (as root, where they are installed; else
that line is left out and said so), measures in alternation, prints medians with ratios, and writes
results/issue-DATE.json. Everything runs on loopback in a throw-away folder and is ended at the end.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FETCH = "load_imap.py {} mailbox --n 10000 --only first_sync,sync_envelope --reps 4 --cold-reps 1"
DELIVERY = "load_smtp.py {} --tls starttls --auth --port submission --conns 10 --size 10k --pool 100 --messages 4000"
IDLE = "load_imap.py {} idle --conns 100 --users 10 --messages 20 --deliver smtp"
RELAY = "relay.py --rounds {}"
LARGE = "large_message.py {} --size 50m --reps 3"
LIMIT_S = 400


def records(python, line, target, limit_s=LIMIT_S):
    """The JSON records that one load generator prints."""
    words = line.format(target).split()
    done = subprocess.run(
        [python, os.path.join(HERE, words[0]), *words[1:]], capture_output=True, text=True, timeout=limit_s
    )
    found = [json.loads(text) for text in done.stdout.splitlines() if text.startswith("{")]
    if done.returncode or not found:
        raise SystemExit(f"{line.format(target)}: {done.stderr[-500:] or done.stdout[-500:]}")
    return found


class Peers:
    """The servers of this run, each started when first asked for."""

    def __init__(self, python, folder):
        self.python, self.folder, self.targets = python, folder, {}
        self.scripts = {
            "unitymail": ["unitymail_node.py", "start", "--users", "1000", "--base-port", "29500"],
            "twisted": ["peers_py/peers.py", "start", "twisted", "--users", "1000", "--base-port", "29600"],
            "postfix+dovecot": ["peers_deb/dovepost.py", "start", "--users", "1000", "--base-port", "29700"],
        }

    def target(self, name):
        if name not in self.targets:
            folder = os.path.join(self.folder, name)
            words = [self.python, os.path.join(HERE, self.scripts[name][0]), *self.scripts[name][1:], "--dir", folder]
            if name != "postfix+dovecot":
                words += ["--python", self.python]
            done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S)
            if done.returncode:
                raise SystemExit(f"{name} does not start: {done.stderr[-500:]}")
            self.targets[name] = os.path.join(folder, "target.toml")
        return self.targets[name]

    def stop(self):
        for name in self.targets:
            script = os.path.join(HERE, self.scripts[name][0])
            subprocess.run([self.python, script, "stop", "--dir", os.path.join(self.folder, name)], check=False,
                           stdout=subprocess.DEVNULL)

    def log(self, name):
        if name not in self.targets:
            return ""
        with open(os.path.join(self.folder, name, "log")) as file:
            return file.read()


def alternate(peers, line, names, rounds, scenario, figures):
    """{name: {figure: [per round]}}, the order of the servers turned round each time."""
    found = {name: {figure: [] for figure in figures} for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            for record in records(peers.python, line, peers.target(name)):
                if record.get("scenario", "").startswith(scenario):
                    wrong = {k: record[k] for k in ("lost", "doubled", "rejected", "errors") if record.get(k)}
                    if wrong:
                        raise SystemExit(f"{name}: {wrong}")
                    for figure in figures:
                        found[name][figure].append(record[figure])
    return found


def show(title, found, peer, figures):
    """One line a figure: medians, and the median of the ratios taken round by round."""
    print(f"\n{title}")
    rows = []
    for figure in figures:
        ours, theirs = found["unitymail"][figure], found[peer][figure]
        ratios = [a / b for a, b in zip(ours, theirs, strict=True) if b]
        row = {
            "figure": figure, "unitymail": statistics.median(ours), peer: statistics.median(theirs),
            "ratio": round(statistics.median(ratios), 3), "ratios": [round(ratio, 3) for ratio in sorted(ratios)],
        }
        rows.append(row)
        print(f"  {figure:24} unitymail {row['unitymail']:>10.4g}   {peer} {row[peer]:>10.4g}   "
              f"ratio {row['ratio']:<7} ({row['ratios'][0]} to {row['ratios'][-1]})")
    return rows


def show_relay(record):
    """A queue let go at once: messages a second until the last outcome is durable, and the servers' CPU."""
    print("\n2 kB relayed over 8 connections, outcomes durable (budget: as with Twisted's client, more than Postfix)")
    for peer in ("node-with-twisted", "postfix", "twisted-durable", "twisted"):
        for figure in ("msg_per_s", "cpu_s_per_1000"):
            ratio = record[f"{figure}_to_{peer}"]
            ours, theirs = record["unitymail"][figure], record[peer][figure]
            print(f"  {figure:24} unitymail {ours:>10.4g}   {peer:17} {theirs:>10.4g}   "
                  f"ratio {ratio['ratio']:<7} ({ratio['least']} to {ratio['most']})")
    return record


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--python", default=sys.executable)
    p.add_argument("--only", default="fetch,delivery,large,idle,relay")
    p.add_argument("--keep", help="work in this folder and leave it")
    a = p.parse_args()
    wanted = set(a.only.split(","))
    folder = a.keep or tempfile.mkdtemp(prefix="unitymail-bench-")
    os.chmod(folder, 0o755)
    peers, results = Peers(a.python, folder), {"date": time.strftime("%Y-%m-%d %H:%M"), "rounds": a.rounds}
    have_mail_peer = os.geteuid() == 0 and shutil.which("dovecot", path="/usr/sbin") and shutil.which(
        "postfix", path="/usr/sbin")
    try:
        if "fetch" in wanted:
            figures = ["wall_s", "server_cpu_s"]
            found = alternate(peers, FETCH, ["unitymail", "twisted"], a.rounds, "sync_envelope", figures)
            title = "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE), 10,000 messages, warm (budget 0.083)"
            results["fetch"] = show(title, found, "twisted", figures)
        if "delivery" in wanted and have_mail_peer:
            figures = ["deliver_msg_per_s", "cpu_s_per_1000_msgs", "p50_ms"]
            found = alternate(peers, DELIVERY, ["unitymail", "postfix+dovecot"], a.rounds, "smtp", figures)
            title = "10 KB by submission over STARTTLS with AUTH, 10 connections, delivered (budget 3)"
            results["delivery"] = show(title, found, "postfix+dovecot", figures)
        elif "delivery" in wanted:
            print("\ndelivery: left out; needs root, and apt-get install postfix dovecot-imapd dovecot-lmtpd")
        if "idle" in wanted:
            names = ["unitymail", "postfix+dovecot"] if have_mail_peer else ["unitymail", "unitymail"]
            found = alternate(peers, IDLE, names, a.rounds, "idle", ["p50_ms", "p99_ms", "pss_KB_per_conn"])
            results["idle"] = show("IDLE: a delivery seen by 100 connections of 10 users", found, names[1],
                                   ["p50_ms", "p99_ms", "pss_KB_per_conn"])
        if "large" in wanted:
            (record,) = records(a.python, LARGE, peers.target("unitymail"))
            results["large"] = record
            print(f"\n50 MB in and out: memory grew by {record['grown_KiB'] / 1024:.1f} MiB at most "
                  f"(budget 20 MB); in {record['in_s']} s, out {record['out_s']} s")
        if "relay" in wanted and have_mail_peer:
            (record,) = records(a.python, RELAY, a.rounds)
            results["relay"] = show_relay(record)
        elif "relay" in wanted:
            print("\nrelay: left out; needs root, and apt-get install postfix")
        long_turns = [line.split("cpu_ms=")[1].strip() for line in peers.log("unitymail").splitlines()
                      if " long-turn " in line]
        results["long_turns_ms"] = long_turns
        print(f"\nreactor turns over 10 ms CPU: {len(long_turns)} {long_turns[:5]}")
    finally:
        peers.stop()
    os.makedirs(os.path.join(HERE, "results"), exist_ok=True)
    name = os.path.join(HERE, "results", f"issue-{time.strftime('%Y%m%d-%H%M')}.json")
    with open(name, "w") as file:
        json.dump(results, file, indent=1)
    print(f"\n{os.path.relpath(name)}")
    if not a.keep:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
