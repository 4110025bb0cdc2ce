"""How the address book grows: load time, memory and look-up time for N users with three addresses each.

    python benchmarks/directory_scale.py [--users 100000]

Prints one figure a line. The look-up is compared with a plain dict in the same run; the memory is that of the process
(resident set) beyond a process that has imported everything and holds an empty book.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert

from unitymail.directory.book import Book
from unitymail.directory.directory import Directory
from unitymail.directory.ids import new_id
from unitymail.directory.sql import schema as t
from unitymail.directory.sql.database import Database
from unitymail.people.user import User

NAMES = [f"{a}{b}" for a in ("An", "Be", "Ca", "Do", "El", "Fi", "Ga", "Ha") for b in ("ra", "na", "rik", "lo", "mir")]
DOMAIN = "vm1.example.com"


def fill(database: Database, users: int) -> None:
    """Rows as `user add` writes them, in bulk."""
    with database.changing() as connection:
        cos = connection.execute(t.classes_of_service.select()).first().id
        partition = connection.execute(t.partitions.select()).first().id
        scope = connection.execute(t.scopes.select()).first().id
        for start in range(0, users, 10_000):
            entries, rows, addresses = [], [], []
            for number in range(start, min(start + 10_000, users)):
                id, alias = new_id(), f"user{number:06d}"
                first, last = NAMES[number % 40], NAMES[number // 40 % 40] + "son"
                entries.append(
                    {"id": id, "kind": "user", "alias": alias, "alias_key": alias, "display_name": f"{first} {last}",
                     "partition_id": partition, "extension": f"{100_000 + number}"}
                )  # fmt: skip
                rows.append(
                    {"id": id, "first_name": first, "last_name": last, "cos_id": cos, "scope_id": scope,
                     "action_voice": "accept", "action_email": "accept", "action_fax": "accept",
                     "action_receipt": "accept", "quota_warning": 12 << 20, "quota_send": 13 << 20,
                     "quota_receive": 14 << 20, "route_ndr": True}
                )  # fmt: skip
                for kind, address in (
                    ("primary", f"{alias}@{DOMAIN}"),
                    ("proxy", f"{first}.{last}.{number}@example.com".lower()),
                    ("proxy", f"{100_000 + number}@voice.example.com"),
                ):
                    addresses.append({"key": address, "address": address, "owner_id": id, "kind": kind})
            connection.execute(insert(t.entries), entries)
            connection.execute(insert(t.users), rows)
            connection.execute(insert(t.addresses), addresses)


def resident_mib() -> float:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def measure(path: str, users: int) -> dict[str, float]:
    database = Database(path)
    gc.collect()
    before, began, cpu = resident_mib(), time.perf_counter(), time.process_time()
    longest = 0.0
    last = time.perf_counter()

    def between() -> None:
        nonlocal longest, last
        now = time.perf_counter()
        longest, last = max(longest, now - last), now

    book = Book.load(database, between)
    loaded, loaded_cpu = time.perf_counter() - began, time.process_time() - cpu
    gc.collect()
    gc.freeze()
    after = resident_mib()
    figures = {
        "users": users,
        "load_s": loaded,
        "load_cpu_s": loaded_cpu,
        "longest_slice_ms": longest * 1e3,
        "memory_mib": after - before,
    }
    figures |= lookups(book, users) | refreshes(book, database)
    database.close()
    return figures


def lookups(book: Book, users: int) -> dict[str, float]:
    chance = random.Random(7)
    asked = [f"User{chance.randrange(users):06d}@{DOMAIN}" for _ in range(200_000)]
    plain = {f"user{number:06d}@{DOMAIN}": number for number in range(users)}
    folded = [address.lower() for address in asked]
    find, get = book.find, plain.get
    ours = min(timed(find, asked) for _ in range(5))
    theirs = min(timed(get, folded) for _ in range(5))
    return {"lookup_us": ours, "plain_dict_us": theirs, "lookup_ratio": ours / theirs}


def timed(function: object, arguments: list[str]) -> float:
    began = time.perf_counter()
    for argument in arguments:
        function(argument)  # type: ignore[operator]
    return (time.perf_counter() - began) / len(arguments) * 1e6


def refreshes(book: Book, database: Database) -> dict[str, float]:
    """One changed user in a large directory, and nothing changed at all."""
    directory = Directory(database, time.time)
    took = []
    for number in range(20):
        with directory.change("benchmark") as change:
            user = change.named(User, f"user{number:06d}")
            change.add_proxy(user.id, f"more-{number}@example.com")
        began = time.perf_counter()
        assert book.refresh() and book.find(f"more-{number}@example.com") is not None
        took.append(time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(100):
        book.refresh()
    return {"refresh_one_ms": sorted(took)[10] * 1e3, "poll_us": (time.perf_counter() - began) * 1e4}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--users", type=int, default=100_000)
    options.add_argument("--measure", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure, chosen.users)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "directory.sqlite")
        database = Database(path)
        Directory(database, time.time).found(DOMAIN, DOMAIN)
        fill(database, chosen.users)
        database.close()
        # A fresh process, so that filling the tables does not count.
        command = [sys.executable, __file__, "--users", str(chosen.users), "--measure", path]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for name, figure in json.loads(out).items():
            print(f"{name:20} {figure:12.3f}")


if __name__ == "__main__":
    main()
