"""What processes of a node say to each other: a word, or nothing; and what we say is what we understand."""

from __future__ import annotations

from unitymail.doorbell import words as doorbell
from unitymail.interfaces.ledger import Count
from unitymail.ledger import words as ledger
from unitymail.workers import words as workers

WORDS = [
    b'["ring","u-robin","INBOX"]', b'["directory",5]', b'["taken",', b'["items",[["t",1.5,0,"hop"]]]', b'["begin",{}]',
    b'["cover",[1,2]]', b'["beat",{"a":1}]', b'["ledger","take",1,[["smtp","192.0.2.1",50]],""]', b'["stop"]', b"[",
    b"]",
    b"{", b"}", b"null", b"1e999", b"-1", b"NaN", b"Infinity", b"\\ud800", b"true", b'"x"', b",", b"9" * 400,
]
_OF_LEDGER = (
    ledger.Take(1, (Count("smtp", "192.0.2.1", 50),)), ledger.Taken(1, 2), ledger.Filled(1, 0, {"a": 1}),
    ledger.Back(2),
)
SEEDS = [
    *map(doorbell.spoken, (doorbell.Ring("u-robin", "Sent/\u00e9"), doorbell.DirectoryChanged(7), doorbell.Taken(7))),
    *map(workers.spoken, (workers.Begin({"a": [1]}), workers.Cover((1, 2)), workers.Beat({"a": {}}), workers.Stop())),
    *(workers.spoken(workers.OfLedger(word)) for word in _OF_LEDGER),
    b'["x"]', b"[" * 3000, b'["items",[["t",1,0,"h"],["u"]]]', b'["cover",[1e999]]',
]


def one(data: bytes) -> None:
    for language in (doorbell, workers):
        word = language.understood(data)
        if word is None:
            continue
        line = language.spoken(word)
        assert line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii()
        assert language.understood(line) == word or b"NaN" in line
