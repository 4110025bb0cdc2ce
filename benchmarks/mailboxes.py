#!/usr/bin/env python3
"""IMAP at 1,000, 10,000 and 100,000 messages a folder, and with thousands of connections, beside Dovecot in one run.

    mailboxes.py [--rounds 3] [--python INTERPRETER] [--only 1000,10000,100000,append,body,login,idle,zipf] [--keep DIR]
                 [--scenarios NAME,...]

Each round runs load_imap.py on a unitymail node and on Debian's Dovecot (root), the order turned round each time. A
ratio is ours over Dovecot's within a round; the table gives its median with the lowest and highest. Prints the table
as reStructuredText, and writes results/mailboxes-DATE.json. Everything runs on loopback in a throw-away folder and is
ended at the end.
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

from issue import Peers, records

HERE = os.path.dirname(os.path.abspath(__file__))
OURS, PEER = "unitymail", "postfix+dovecot"
LINES = {
    "1000": "load_imap.py {} mailbox --n 1000",
    "10000": "load_imap.py {} mailbox --n 10000",
    "100000": "load_imap.py {} mailbox --n 100000",
    "append": "load_imap.py {} append --count 1000 --size 10k --mode all",
    "body": "load_imap.py {} body --size 10m --reps 20",
    "body_tls": "load_imap.py {} body --size 10m --reps 20 --tls",
    "login": "load_imap.py {} login --conns 20 --count 600",
    "login_tls": "load_imap.py {} login --conns 20 --count 400 --tls",
    "idle": "load_imap.py {} idle --conns 1000 --users 10 --messages 20",
    "idle_one": "load_imap.py {} idle --conns 1000 --users 1 --messages 5",
    "idle5000": "load_imap.py {} idle --conns 5000 --users 100 --messages 20",
    "zipf": "load_imap.py {} zipf --users 100 --conns 10 --seconds 12 --per-user 200",
}
LIMIT_S = 1_800
"""A full-text index of 100,000 messages takes a while."""
WALL, CPU = "wall_s", "server_cpu_s"
BUDGETS = {
    ("select_warm", 100000): {CPU: 0.5, WALL: 0.5},
    ("first_sync", 100000): {CPU: 0.7, WALL: 0.7},
    ("first_sync_cold", 100000): {CPU: 2, WALL: 1},
    ("flags_sync", 100000): {CPU: 1, WALL: 1},
    ("headers", 10000): {CPU: 0.5, WALL: 0.5},
    ("bodies", 1000): {WALL: 1},
    ("bodies_batch", 1000): {WALL: 1},
    ("body", None): {WALL: 1},
    ("body_tls", None): {WALL: 1},
    ("search_from", 100000): {CPU: 0.5, WALL: 0.5},
    ("search_subject", 100000): {CPU: 0.5, WALL: 0.5},
    ("search_since", 100000): {CPU: 0.5, WALL: 0.5},
    ("search_flags", 100000): {CPU: 1, WALL: 1},
    ("search_text", 100000): {CPU: 0.05, WALL: 0.05},
    ("search_text2", 100000): {CPU: 0.05, WALL: 0.05},
    ("store_all", 10000): {WALL: 0.5, CPU: 1.5},
    ("copy_all", 10000): {CPU: 0.7, WALL: 0.7},
    ("move_all", 10000): {CPU: 0.7, WALL: 0.7},
    ("expunge_half", 10000): {WALL: 1, CPU: 2},
    ("append_sync", None): {WALL: 0.67},
    ("append_multi", None): {WALL: 1},
    ("login", None): {WALL: 0.34},
    ("login_tls", None): {WALL: 1},
    ("zipf", None): {"cpu_s_per_1000_ops": 1, "p99_ms": 1},
}
"""The highest ratio allowed, by scenario and number of messages; from where work is measured in time."""
FIGURES = (WALL, CPU, "behind_s", "p50_ms", "p99_ms", "pss_KB_per_conn", "cpu_s_per_1000_ops")
WORDS = {
    "select_cold": "SELECT, folder never seen before",
    "select_warm": "SELECT",
    "select_fresh": "SELECT on a new connection",
    "first_sync_cold": "first sync, folder never seen before",
    "first_sync": "first sync, UID to BODYSTRUCTURE",
    "sync_envelope": "the same without BODYSTRUCTURE",
    "flags_sync": "UID FETCH 1:* (UID FLAGS)",
    "headers_cold": "three fields of each header, for the first time",
    "headers": "nine fields of each header",
    "bodies": "1,000 bodies one by one",
    "bodies_batch": "2,000 bodies by one command",
    "search_from": "SEARCH FROM",
    "search_subject": "SEARCH SUBJECT",
    "search_since": "SEARCH SINCE",
    "search_flags": "SEARCH UNSEEN UNDELETED",
    "search_text_first": "SEARCH TEXT, the first of all",
    "search_text_ready": "the server is idle after it",
    "search_text": "SEARCH TEXT, most have the word",
    "search_text2": "SEARCH TEXT, few have the word",
    "sort_date_cold": "SORT (REVERSE DATE), the first of all",
    "sort_date": "SORT (REVERSE DATE)",
    "sort_subject_cold": "SORT (SUBJECT), the first of all",
    "sort_subject": "SORT (SUBJECT)",
    "sort_from_cold": "SORT (FROM ARRIVAL), the first of all",
    "sort_from": "SORT (FROM ARRIVAL)",
    "thread_refs_cold": "THREAD REFERENCES, the first of all",
    "thread_refs": "THREAD REFERENCES",
    "thread_subject_cold": "THREAD ORDEREDSUBJECT, the first of all",
    "thread_subject": "THREAD ORDEREDSUBJECT",
    "resync": "SELECT with QRESYNC, 1 % of the flags changed",
    "store_all": "STORE 1:* one flag",
    "store_back": "STORE 1:* takes it back",
    "copy_all": "COPY 1:*",
    "move_all": "MOVE 1:*",
    "expunge_half": "EXPUNGE half",
    "append_sync": "APPEND 1,000 times 10 KB in lock-step",
    "append_literal": "the same with LITERAL+",
    "append_pipe": "the same pipelined",
    "append_multi": "MULTIAPPEND",
    "append_big": "APPEND of 10 MB",
    "append_big_tls": "APPEND of 10 MB, TLS",
    "body": "BODY[] of 10 MB",
    "body_tls": "BODY[] of 10 MB, TLS",
    "login_first": "20 users sign in for the first time",
    "login_first_tls": "the same with TLS",
    "login": "600 sign-ins by users who did so lately",
    "login_tls": "400 such sign-ins with TLS",
    "zipf": "mixed work of 100 users, 10 connections",
}
"""What a scenario of load_imap.py does."""
FIXED_TIME = ("zipf",)
"""Scenarios that last as long as they are told to: their wall time says nothing."""


def of_line(python, line, target):
    """{(scenario, n or None, figure): value} of one run; the run ends here when anything was wrong."""
    found = {}
    for record in records(python, line, target, LIMIT_S):
        if record.get("error") or record.get("errors"):
            raise SystemExit(f"{target}: {record}")
        name, params = record["scenario"], record.get("params") or {}
        if "skip" in record or name == "populate":
            continue
        n, timed = params.get("n"), name in FIXED_TIME or name.startswith("idle")
        if name.startswith("idle"):
            name = f"IDLE, {params['conns']:,} connections, mailboxes: {params['users']}"
        for figure in FIGURES:
            if isinstance(record.get(figure), int | float) and not (figure in (WALL, CPU) and timed):
                found[name, n, figure] = record[figure]
    return found


def measured(peers, chosen, scenarios, rounds):
    """{(scenario, n, figure): [(ours, Dovecot's or None), a pair a round]}"""
    pairs = {}
    for number in range(rounds):
        for name in chosen:
            line = LINES[name] + (f" --only {scenarios}" if scenarios and name.isdigit() else "")
            got = {}
            for side in (OURS, PEER) if number % 2 == 0 else (PEER, OURS):
                got[side] = of_line(peers.python, line, peers.target(side))
            for key, ours in got[OURS].items():
                pairs.setdefault(key, []).append((ours, got[PEER].get(key)))
            print(f"round {number + 1}, {name}: done", file=sys.stderr, flush=True)
    return pairs


def row_of(key, values):
    scenario, n, figure = key
    ratios = sorted(ours / theirs for ours, theirs in values if theirs)
    return {
        "scenario": scenario, "n": n, "figure": figure,
        "ours": statistics.median(ours for ours, _ in values),
        "dovecot": statistics.median(theirs for _, theirs in values) if ratios else None,
        "ratio": round(statistics.median(ratios), 3) if ratios else None,
        "ratios": [round(ratio, 3) for ratio in ratios],
        "budget": BUDGETS.get((scenario, n), {}).get(figure),
    }


def ratio_of(row):
    """`!` marks what is above its budget."""
    if row is None or row["ratio"] is None:
        return "–"
    above = row["budget"] is not None and row["ratio"] > row["budget"]
    return f"{row['ratio']:.3g} ({row['ratios'][0]:.3g} to {row['ratios'][-1]:.3g})" + " !" * above


def number(value):
    return "–" if value is None else f"{value:.4g}"


def budget_of(*rows):
    budgets = [number(row["budget"] if row else None) for row in rows]
    return " / ".join(budgets) if set(budgets) != {"–"} else "–"


def table(rows):
    """The rows as reStructuredText: of one thing, wall time and CPU on one line, and a line for each size of folder."""
    place = {scenario: number for number, scenario in enumerate(WORDS)}
    rows = sorted(rows, key=lambda row: (place.get(row["scenario"], len(place)), row["n"] or 0))
    of = {(row["scenario"], row["n"], row["figure"]): row for row in rows}
    lines = [("What", "messages", "figure", "unitymail", "Dovecot", "ratio", "CPU ratio", "budget")]
    for (scenario, n, figure), row in of.items():
        if figure in (CPU, "p50_ms", "p99_ms") and (scenario, n, WALL) in of:
            continue
        cpu = of.get((scenario, n, CPU)) if figure == WALL else None
        lines.append((
            WORDS.get(scenario, scenario), f"{n:,}" if n else "–", figure, number(row["ours"]), number(row["dovecot"]),
            ratio_of(row), ratio_of(cpu), budget_of(row, cpu) if cpu else budget_of(row),
        ))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    listed = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([rule, listed[0], rule, *listed[1:], rule])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--python", default=sys.executable)
    p.add_argument("--only", default=",".join(LINES))
    p.add_argument("--scenarios", help="of the mailbox lines, only these")
    p.add_argument("--keep", help="work in this folder and leave it")
    a = p.parse_args()
    if os.geteuid() or not shutil.which("dovecot", path="/usr/sbin"):
        raise SystemExit("needs root, and apt-get install postfix dovecot-imapd dovecot-lmtpd")
    folder = a.keep or tempfile.mkdtemp(prefix="unitymail-bench-")
    os.chmod(folder, 0o755)
    peers = Peers(a.python, folder)
    try:
        rows = [row_of(*pair) for pair in measured(peers, a.only.split(","), a.scenarios, a.rounds).items()]
        long_turns = [
            line.split("cpu_ms=")[1].strip() for line in peers.log(OURS).splitlines() if " long-turn " in line
        ]
    finally:
        peers.stop()
    print(table(rows))
    print(f"\nreactor turns over 10 ms CPU: {len(long_turns)} {long_turns[:5]}")
    os.makedirs(os.path.join(HERE, "results"), exist_ok=True)
    name = os.path.join(HERE, "results", f"mailboxes-{time.strftime('%Y%m%d-%H%M')}.json")
    with open(name, "w") as file:
        json.dump({"rounds": a.rounds, "rows": rows, "long_turns_ms": long_turns}, file, indent=1)
    print(os.path.relpath(name))
    if not a.keep:
        subprocess.run(["rm", "-rf", folder], check=False)


if __name__ == "__main__":
    main()
