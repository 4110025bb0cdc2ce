"""What the history of messages costs, and how quickly it answers, for N messages over some days.

    python benchmarks/history_cost.py [--messages 1000000] [--days 10]

Prints one figure a line. `note`: CPU in the reactor's thread for the three events of a message that is delivered at
once. `tell`: CPU of making JSON of them, in the thread of the history, with the interpreter. `write`: CPU and wall time
of the same thread for all of it, SQLite included. The queries are asked of the whole file, in fresh connections.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from unitymail.disk import Disk
from unitymail.history import file as history_file
from unitymail.history.file import HistoryFile
from unitymail.history.history import History
from unitymail.history.schema import DAY_S
from unitymail.history.stories import Stories
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Importance, Message, Sensitivity
from unitymail.mail.trace import new_trace
from unitymail.routing.decision import Decision, Origin, RecipientDecision, SenderFinding
from unitymail.routing.steps import Deliver

PEOPLE = 5_000
BATCH = 600
START = 1_795_600_000.0
Event = tuple[str, dict[str, Any]]


def person(random_: random.Random) -> int:
    """Some write and get much more than others."""
    return min(int(random_.paretovariate(0.6)), PEOPLE) - 1


def message(n: int, random_: random.Random) -> list[Event]:
    """What the journal notes of one message from one user to another."""
    sender, recipient = (f"user{person(random_):05}@vm1.example.com" for _ in range(2))
    envelope = Envelope(sender, (Recipient(recipient),))
    origin = Origin("submission", "192.0.2.7", "pc.example.com", "u-4f2c9", "authenticated", "TLSv1.3")
    message_id = f"<{n:08x}.{random_.getrandbits(64):016x}@vm1.example.com>"
    read = Message(
        Category.EMAIL, "R7", Sensitivity.NORMAL, False, Importance.NORMAL, False, 2_000, header_from=(sender,),
        subject="The figures of the last quarter", message_id=message_id,
    )  # fmt: skip
    steps = (Deliver("u-71ab3", recipient),)
    reason = f"{recipient} is Chris Jones; accepts email messages"
    decision = Decision(
        read, SenderFinding(sender, "user", "u-4f2c9"),
        (RecipientDecision(recipient, "user", "u-71ab3", steps, reason),), steps,
    )  # fmt: skip
    return [
        ("delivered", {"account": "u-71ab3", "address": recipient}),
        ("received", {"door": "submission", "client": "192.0.2.7", "sender": sender, "recipients": 1, "size": 2_000,
                      "category": "email", "rule": "R7", "user": "u-4f2c9", "message_id": message_id,
                      "envelope": envelope, "origin": origin}),
        ("decided", {"decision": decision}),
    ]  # fmt: skip


def batches(messages: int, days: int, random_: random.Random) -> Any:
    for start in range(0, messages, BATCH):
        batch = {}
        for n in range(start, min(start + BATCH, messages)):
            when = START + n * days * DAY_S / messages
            batch[new_trace(when, os.urandom(8))] = [(when, *event) for event in message(n, random_)]
        yield batch


def cost_of_noting(folder: str, random_: random.Random) -> float:
    """µs of CPU in the reactor's thread for one message."""
    history: Any = History(
        os.path.join(folder, "unused"), disk=Disk(), clock=Clock(), threads=None, days=lambda: 30, journal=None
    )
    noted = [(new_trace(START + n, os.urandom(8)), message(n, random_)) for n in range(20_000)]
    before = time.thread_time()
    for trace, events in noted:
        for event, facts in events:
            history.note(trace, event, facts)
    return (time.thread_time() - before) / len(noted) * 1e6


def cost_of_telling(random_: random.Random) -> float:
    """µs of CPU to make JSON of one message's events."""
    given = list(batches(6_000, 1, random_))
    before = time.thread_time()
    for batch in given:
        list(history_file._parts(batch))
    return (time.thread_time() - before) / 6_000 * 1e6


def fill(path: str, messages: int, days: int, random_: random.Random) -> tuple[dict[str, float], list[Any]]:
    file = HistoryFile(path, Disk())
    cpu = wall = 0.0
    longest = 0.0
    some = []
    for batch in batches(messages, days, random_):
        some.append(next(iter(batch.items())))
        before, at = time.thread_time(), time.perf_counter()
        file.write(batch)
        took = time.perf_counter() - at
        cpu, wall, longest = cpu + time.thread_time() - before, wall + took, max(longest, took)
    file.close()
    figures = {
        "write_cpu_us": cpu / messages * 1e6,
        "write_wall_us": wall / messages * 1e6,
        "messages_per_s": messages / wall,
        "slowest_batch_ms": longest * 1_000,
        "octets_per_message": os.path.getsize(path) / messages,
    }
    return figures, some


def ask(path: str, some: list[Any], random_: random.Random) -> dict[str, float]:
    """Milliseconds: median and slowest of a hundred questions of each kind."""
    stories = Stories(path)
    chosen = random_.sample(some, min(100, len(some)))
    last = chosen[0][1][0][0]
    kinds: dict[str, Callable[[str, dict[str, Any]], Any]] = {
        "by_trace": lambda trace, facts: stories.story(trace),
        "by_message_id": lambda trace, facts: stories.find(message_id=facts["message_id"]),
        "by_sender": lambda trace, facts: stories.find(sender=facts["sender"]),
        "by_both": lambda trace, facts: stories.find(
            sender=facts["sender"], recipient=facts["envelope"].recipients[0].address
        ),
        "by_both_since": lambda trace, facts: stories.find(
            sender=facts["sender"], recipient=facts["envelope"].recipients[0].address, since=last
        ),
        "by_both_of_strangers": lambda trace, facts: stories.find(
            sender=facts["sender"], recipient="nobody@example.net"
        ),
    }
    found = {}
    for kind, question in kinds.items():
        times = []
        for trace, events in chosen:
            facts = next(facts for _, event, facts in events if event == "received")
            at = time.perf_counter()
            question(trace, facts)
            times.append((time.perf_counter() - at) * 1_000)
        found[f"{kind}_ms"] = statistics.median(times)
        found[f"{kind}_slowest_ms"] = max(times)
    return found


def prune(path: str, days: int) -> dict[str, float]:
    """Forgetting the first day."""
    file = HistoryFile(path, Disk())
    slices = []
    more = True
    while more:
        at = time.perf_counter()
        more = file.prune(START + DAY_S)
        slices.append(time.perf_counter() - at)
    file.close()
    return {"prune_slices": len(slices), "prune_s": sum(slices), "prune_slowest_slice_ms": max(slices) * 1_000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=10)
    asked = parser.parse_args()
    random_ = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "history.sqlite")
        figures: dict[str, float] = {"note_cpu_us": cost_of_noting(folder, random_)}
        figures["tell_cpu_us"] = cost_of_telling(random_)
        written, some = fill(path, asked.messages, asked.days, random_)
        figures |= written | ask(path, some, random_) | prune(path, asked.days)
    for name, value in figures.items():
        print(json.dumps({"metric": name, "value": round(value, 3)}))


if __name__ == "__main__":
    main()
