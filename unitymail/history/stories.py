"""Stories out of the history's file: one by its trace, or those that fit what is known of a message.

Knows how to ask for them quickly; refuses to write, and to make the file when there is none. Safe beside a running
node, and without one.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from heapq import merge
from itertools import islice
from typing import Any
from urllib.parse import quote

from unitymail.history import words
from unitymail.history.schema import DAY_S, root_of
from unitymail.history.telling import USUAL
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.history import Event, Story

BUSY_TIMEOUT_S = 10
OUT_OF_ORDER_S = 60
"""By how much the times of rows may lag behind their numbers: several processes write, each in batches."""
FIRST = {"received": 0, "decided": 1}
MADE_BEFORE_TOLD_S = 10.0
"""A delivery may be noted before the reception that it follows from, by the length of a commit."""
RARE = 1_000
MOST_AGAIN = 20


class Stories:
    """The reading half of `IHistory`. Each call opens the file anew, so any thread may call."""

    def __init__(self, path: str) -> None:
        self._path = path

    def story(self, trace: str) -> Story | None:
        """By its trace, that of anything derived from it, or the one it has at a peer."""
        with self._open() as connection:
            if connection is None:
                return None
            return _story(connection, [root_of(trace)]) or _story(connection, _from_peer(connection, trace))

    def find(
        self, *, message_id: str = "", sender: str | Sequence[str] = "", recipient: str | Sequence[str] = "",
        since: float = 0.0, most: int = 100,
    ) -> list[Story]:
        keys = [
            [make(word) for word in ([wanted] if isinstance(wanted, str) else wanted)]
            for make, wanted in (
                (words.message_id, message_id), (words.from_address, sender), (words.to_address, recipient),
            )
            if wanted
        ]
        with self._open() as connection:
            if connection is None or not keys:
                return []
            # Closed before the connection: it may have been left in the middle.
            with closing(_traces(connection, keys, since)) as traces:
                found = (_story(connection, [trace]) for trace in traces)
                return list(islice((story for story in found if story is not None), most))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        """None when nothing was ever written."""
        if not os.path.exists(self._path):
            yield None
            return
        try:
            address = f"file:{quote(os.path.abspath(self._path))}?mode=rw"
            with closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
                connection.execute("PRAGMA cache_size = -16384")
                yield connection
        except sqlite3.Error as error:
            raise TryAgain(why=f"the history {self._path} cannot be read: {error}") from error


def _traces(
    connection: sqlite3.Connection, keys: Sequence[Sequence[int]], since: float
) -> Generator[str, None, None]:
    """The traces of messages that have a word of each of `keys`, newest first, each once."""
    seen = set()
    for day in _days(connection, since):
        for trace, at in _traces_of_day(connection, day, keys):
            if at < since - OUT_OF_ORDER_S:
                break
            root = root_of(trace)
            if at >= int(since) and root not in seen:
                seen.add(root)
                yield root


def _days(connection: sqlite3.Connection, since: float) -> Iterator[int]:
    """The days that have anything, newest first."""
    first = int(since) // DAY_S
    day = connection.execute("SELECT max(day) FROM word").fetchone()[0]
    while day is not None and day >= first:
        yield day
        day = connection.execute("SELECT max(day) FROM word WHERE day < ?", (day,)).fetchone()[0]


def _traces_of_day(
    connection: sqlite3.Connection, day: int, keys: Sequence[Sequence[int]]
) -> Iterator[tuple[str, int]]:
    """(trace, time), the newest first: the rarest words are gone through, and the others asked for each."""
    rarest, *others = sorted(keys, key=lambda any_of: _how_many(connection, day, any_of))
    conditions = "".join(
        f" AND EXISTS (SELECT 1 FROM word o WHERE o.day = w.day AND o.key IN ({_marks(any_of)}) AND o.n = w.n)"
        for any_of in others
    )
    # One word at a time SQLite reads backwards; several at once it would read whole and sort.
    statement = (
        "SELECT w.n, p.trace, p.at FROM word w CROSS JOIN part p ON p.n = w.n WHERE w.day = ? AND w.key = ?"
        f"{conditions} ORDER BY w.n DESC"
    )
    asked = [key for any_of in others for key in any_of]
    rows = merge(*(connection.execute(statement, [day, key, *asked]) for key in rarest), reverse=True)
    return ((trace, at) for _, trace, at in rows)


def _how_many(connection: sqlite3.Connection, day: int, any_of: Sequence[int]) -> int:
    """How often these words occur; `RARE` stands for any larger number."""
    count: int = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM word WHERE day = ? AND key IN ({_marks(any_of)}) LIMIT {RARE})",
        [day, *any_of],
    ).fetchone()[0]
    return count


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values))


def _from_peer(connection: sqlite3.Connection, trace: str) -> list[str]:
    """The traces here of what a peer calls `trace`: the message, and that it came again."""
    return sorted(_traces(connection, [[words.elsewhere(trace)]], 0.0))[:MOST_AGAIN]


def _story(connection: sqlite3.Connection, roots: Sequence[str]) -> Story | None:
    """Of these traces together; the first names it."""
    rows = [row for root in roots for row in _rows(connection, root)]
    if not rows:
        return None
    events = in_order(
        Event(time, event, {"trace": trace, **_whole(event, facts)})
        for trace, told in rows
        for time, event, facts in json.loads(told)
    )
    return Story(roots[0], *_known(roots[0], events), events)


def _rows(connection: sqlite3.Connection, root: str) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT trace, events FROM part WHERE trace = ? OR (trace > ? AND trace < ?) ORDER BY n",
        (root, root + "-", root + "."),
    ).fetchall()


def _whole(event: str, facts: dict[str, Any]) -> dict[str, Any]:
    """With what `telling` leaves out because it is so for nearly every message."""
    return {**USUAL, **facts} if event == "decided" and "rule" in facts else facts


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """By time; of each trace, what came in and what was decided come before, and not later than, what follows."""
    ordered = sorted(events, key=lambda event: event.time)
    begun: dict[str, float] = {}
    for event in ordered:
        begun.setdefault(event.facts["trace"], event.time)
    placed = [_not_before_its_cause(event, begun[event.facts["trace"]]) for event in ordered]
    return tuple(sorted(placed, key=lambda event: (event.time, FIRST.get(event.event, len(FIRST)))))


def _not_before_its_cause(event: Event, start: float) -> Event:
    late = event.event in FIRST and event.time - start < MADE_BEFORE_TOLD_S
    return replace(event, time=start) if late else event


def _known(root: str, events: Iterable[Event]) -> tuple[str, str, tuple[str, ...]]:
    """(Message-ID, sender, recipients) as the message itself has them."""
    message_id = sender = ""
    recipients: dict[str, None] = {}
    for event in events:
        if event.facts["trace"] != root or event.event not in ("received", "decided", "refused"):
            continue
        message_id = message_id or event.facts.get("message_id", "")
        for one in event.facts.get("recipients", ()):
            recipients.setdefault(one if isinstance(one, str) else one["address"])
        found = event.facts.get("sender", "")
        sender = sender or (found if isinstance(found, str) else found.get("address", ""))
    return message_id, sender, tuple(recipients)
