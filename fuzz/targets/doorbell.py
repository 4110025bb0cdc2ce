"""What is said between processes on this machine: a word, or nothing; and what we say is what we understand."""

from __future__ import annotations

from unitymail.doorbell.words import DirectoryChanged, Ring, Taken, spoken, understood

WORDS = [b'["ring","u-robin","INBOX"]', b'["directory",5]', b'["taken",', b"[", b"]", b"null", b"1e999", b"\\ud800",
         b"NaN", b"true", b"-1"]
SEEDS = [spoken(Ring("u-robin", "Sent/\u00e9")), spoken(DirectoryChanged(7)), spoken(Taken(7)), b'["x"]', b"[" * 3000]


def one(data: bytes) -> None:
    word = understood(data)
    if word is None:
        return
    line = spoken(word)
    assert line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii()
    assert understood(line) == word
