#!/usr/bin/env python3
"""A 50 MB message in over submission and out over IMAP, and how far the server's memory grew meanwhile.

    large_message.py TARGET.toml [--size 50m] [--reps 3]

Resident memory of the server's process tree: its peak while the message passes (the kernel's high-water mark, reset
before) less what it held at rest before, after one warming message of the same size. One JSON line.
"""
import argparse
import os
import smtplib
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from benchlib import Target, emit
from load_imap import Imap, tls_context


def tree(roots):
    """The processes and all their children."""
    found, todo = [], list(roots)
    while todo:
        pid = todo.pop()
        found.append(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as f:
                    todo += [int(child) for child in f.read().split()]
        except OSError:
            pass
    return found


def memory(pids, field):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as f:
                total += next(int(line.split()[1]) for line in f if line.startswith(field + ":"))
        except (OSError, StopIteration):
            pass
    return total


def reset_peaks(pids):
    for pid in pids:
        try:
            with open(f"/proc/{pid}/clear_refs", "w") as f:
                f.write("5")
        except OSError:
            pass


def once(target, user, octets):
    host = target.smtp.get("host", "127.0.0.1")
    begun = time.perf_counter()
    with smtplib.SMTP(host, target.smtp["submission_port"], timeout=300) as client:
        client.starttls(context=tls_context())
        client.login(user["alias"], user["password"])
        client.sendmail(user["address"], [user["address"]], octets)
    sent = time.perf_counter() - begun
    box = Imap(target, user)
    begun = time.perf_counter()
    while b" EXISTS" not in box.cmd(b"SELECT INBOX"):
        pass
    got = box.cmd(b"FETCH * (BODY.PEEK[])")
    fetched = time.perf_counter() - begun
    assert octets[-4096:] in got and len(got) > len(octets), "what came out is not what went in"
    box.close()
    return sent, fetched


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("target")
    p.add_argument("--size", type=lambda s: int(s.rstrip("m")) * 1_000_000, default=50_000_000)
    p.add_argument("--reps", type=int, default=3)
    p.add_argument("--out")
    a = p.parse_args()
    target = Target(a.target)
    user = target.some_users(1)[0]
    line = b"The quick brown fox jumps over the lazy dog, again and again and again.\r\n"
    head = f"From: {user['address']}\r\nTo: {user['address']}\r\nSubject: large\r\n\r\n".encode()
    octets = head + line * (a.size // len(line))
    small = head + line
    once(target, user, small)
    pids = tree(target.roots())
    grown, sent, fetched = [], [], []
    for _ in range(a.reps):
        rest = memory(pids, "VmRSS")
        reset_peaks(pids)
        one = once(target, user, octets)
        grown.append(memory(pids, "VmHWM") - rest)
        sent.append(one[0])
        fetched.append(one[1])
    emit({
        "bench": "large", "target": target.name, "scenario": "large_message", "params": {"size": len(octets)},
        "grown_KiB": max(grown), "grown_each_KiB": grown, "in_s": round(min(sent), 3), "out_s": round(min(fetched), 3),
    }, a.out)


if __name__ == "__main__":
    main()
