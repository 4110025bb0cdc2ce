#!/usr/bin/env python3
"""The SMTP doors under many connections and many recipients, and what a second worker costs and brings.

    doors.py [--rounds 3] [--python INTERPRETER] [--only many,workers,wide] [--keep DIR]

many     200 connections x 10 messages of 10 kB by Postfix's smtp-source, unitymail beside Postfix + Dovecot (root)
workers  the same node with one process and with two workers, by load_smtp.py (two processes): 40 connections at either,
         and 40 for each process. A commit is shared by whoever waits for it: with half as many each, it costs more each
wide     one message of 10 kB to 15,000 recipients: until delivered, memory grown meanwhile, inodes that hold it

In alternation, medians, one run; every 250 is looked for in every mailbox, once. Prints, and writes
results/doors-DATE.json. Everything runs on loopback in a throw-away folder and is ended at the end.
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

from benchlib import Target, tree
from issue import Peers, records

HERE = os.path.dirname(os.path.abspath(__file__))
MANY = "load_smtp_source.py {} --messages 2000 --conns 200 --size 10k"
WORKERS = "load_smtp.py {} --messages 6000 --conns 40 --size 10k --pool 100 --procs 2 --pipeline on"
TWICE = WORKERS.replace("--conns 40", "--conns 80")
WIDE = "load_smtp.py {} --messages 1 --conns 1 --size 10k --rcpts 15000 --pipeline on --fresh"


class Servers(Peers):
    """Those of issue.py, and nodes with other numbers of workers and users."""

    def __init__(self, python, folder):
        super().__init__(python, folder)
        self.scripts["workers=2"] = ["unitymail_node.py", "start", "--users", "1000", "--base-port", "29800",
                                     "--workers", "2"]
        self.scripts["wide"] = ["unitymail_node.py", "start", "--users", "15000", "--base-port", "29900"]


def measured(servers, name, line, scenario):
    """The record of one run; the run ends here when anything was lost, doubled or refused."""
    for record in records(servers.python, line, servers.target(name)):
        if record.get("scenario", "").startswith(scenario):
            wrong = {k: record[k] for k in ("lost", "doubled", "rejected", "errors") if record.get(k)}
            if wrong:
                raise SystemExit(f"{name}: {wrong}")
            return record
    raise SystemExit(f"{name}: no record of {line}")


def in_turn(servers, lines, rounds, scenario, figures):
    """{name: {figure: [per round]}} of the load `lines` has for each name, the order turned round each time; the first
    run of each warms up."""
    names = list(lines)
    found = {name: {figure: [] for figure in figures} for name in names}
    for number in range(rounds + 1):
        for name in names if number % 2 == 0 else reversed(names):
            record = measured(servers, name, lines[name], scenario)
            for figure in figures if number else ():
                found[name][figure].append(record[figure])
    return found


def shown(title, found, ours, peer):
    """One line a figure: medians, and the median of the ratios taken round by round."""
    print(f"\n{title}")
    rows = []
    for figure in found[ours]:
        ratios = sorted(a / b for a, b in zip(found[ours][figure], found[peer][figure], strict=True))
        row = {
            "figure": figure, ours: statistics.median(found[ours][figure]),
            peer: statistics.median(found[peer][figure]), "ratio": round(statistics.median(ratios), 3),
            "ratios": [round(ratio, 3) for ratio in ratios],
        }
        rows.append(row)
        print(f"  {figure:22} {ours} {row[ours]:>9.4g}   {peer} {row[peer]:>9.4g}   "
              f"ratio {row['ratio']:<6} ({row['ratios'][0]} to {row['ratios'][-1]})")
    return rows


def memory_kib(target):
    """Resident memory of the server's process tree, what they share counted once."""
    total = 0
    for pid in tree(Target(target).roots()):
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total


def wide(servers, rounds):
    """One message to 15,000 mailboxes. The first one also makes their folders; it is told apart."""
    target = servers.target("wide")
    runs: list[dict] = []
    for _ in range(rounds + 1):
        before = memory_kib(target)
        record = measured(servers, "wide", WIDE, "smtp")
        runs.append({
            "accepted_s": record["wall_s"], "delivered_s": record["deliver_wall_s"],
            "server_cpu_s": record["server_cpu_s"], "grown_kib": memory_kib(target) - before,
            "inodes": len(newest_inodes(Target(target))),
        })
        print(f"  {runs[-1]}")
    return {"first": runs[0], "later": runs[1:]}


def newest_inodes(target):
    """The inodes that hold the newest message of each mailbox."""
    inodes = set()
    for entry in os.scandir(target.maildir_root):
        found = [file for room in ("new", "cur") for file in os.scandir(os.path.join(entry.path, room))]
        if found:
            inodes.add(max(found, key=lambda file: file.stat().st_mtime_ns).inode())
    return inodes


def have_mail_peer():
    return os.geteuid() == 0 and shutil.which("dovecot", path="/usr/sbin") and shutil.which("postfix", path="/usr/sbin")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--python", default=sys.executable)
    p.add_argument("--only", default="many,workers,wide")
    p.add_argument("--keep", help="work in this folder and leave it")
    a = p.parse_args()
    wanted = set(a.only.split(","))
    folder = a.keep or tempfile.mkdtemp(prefix="unitymail-bench-")
    os.chmod(folder, 0o755)
    servers = Servers(a.python, folder)
    results = {"date": time.strftime("%Y-%m-%d %H:%M"), "rounds": a.rounds}
    try:
        if "many" in wanted and have_mail_peer():
            figures = ["msg_per_s", "deliver_msg_per_s", "cpu_s_per_1000_msgs"]
            lines = dict.fromkeys(["unitymail", "postfix+dovecot"], MANY)
            found = in_turn(servers, lines, a.rounds, "smtp_source", figures)
            results["many"] = shown("200 connections x 10 messages of 10 kB", found, "unitymail", "postfix+dovecot")
        elif "many" in wanted:
            print("\nmany: left out; needs root, and apt-get install postfix dovecot-imapd dovecot-lmtpd")
        if "workers" in wanted:
            figures = ["deliver_msg_per_s", "cpu_s_per_1000_msgs", "server_user_s", "server_sys_s", "p50_ms"]
            for room, title, line in (
                ("workers", "two workers beside one process, 40 connections (budget: CPU 1.10)", WORKERS),
                ("workers_each", "two workers beside one process, 40 connections for each process", TWICE),
            ):
                found = in_turn(servers, {"workers=2": line, "unitymail": WORKERS}, a.rounds, "smtp", figures)
                results[room] = shown(title, found, "workers=2", "unitymail")
        if "wide" in wanted:
            print("\none message to 15,000 recipients (budget: 1 s, one inode)")
            results["wide"] = wide(servers, a.rounds)
    finally:
        servers.stop()
    os.makedirs(os.path.join(HERE, "results"), exist_ok=True)
    name = os.path.join(HERE, "results", f"doors-{time.strftime('%Y%m%d-%H%M')}.json")
    with open(name, "w") as file:
        json.dump(results, file, indent=1)
    print(f"\n{os.path.relpath(name)}")
    if not a.keep:
        subprocess.run(["rm", "-rf", folder], check=False)


if __name__ == "__main__":
    main()
