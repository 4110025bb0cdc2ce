"""One end of the line between a parent and a worker: words in, words out, all of a turn in one write.

Knows lines and turns; refuses to know what words mean and what carries the octets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unitymail.workers.words import MAX_LINE, Word, spoken, understood


class Channel:
    """`write` takes octets; give what comes to `receive`. `heard` gets each word, `confused` is called once at most.

    A line that is longer than any word, or is none, means that the other end is not what we think: nothing it says
    counts any more.
    """

    def __init__(
        self, *, write: Callable[[bytes], None], heard: Callable[[Word], None], confused: Callable[[str], None],
        clock: Any,
    ) -> None:
        self._write = write
        self._heard = heard
        self._confused = confused
        self._clock = clock
        self._unsaid: list[bytes] = []
        self._begun = b""
        self._closed = False

    def say(self, word: Word) -> None:
        if self._closed:
            return
        if not self._unsaid:
            self._clock.callLater(0, self.flush)
        self._unsaid.append(spoken(word))

    def flush(self) -> None:
        """Say now what waits for the end of the turn."""
        unsaid, self._unsaid = self._unsaid, []
        if unsaid and not self._closed:
            self._write(b"".join(unsaid))

    def receive(self, octets: bytes) -> None:
        if self._closed:
            return
        *lines, self._begun = (self._begun + octets).split(b"\n")
        for line in lines:
            word = understood(line)
            if word is None:
                return self._end(f"not a word: {line[:80]!r}")
            self._heard(word)
        if len(self._begun) > MAX_LINE:
            self._end(f"a line of more than {MAX_LINE} octets")

    def close(self) -> None:
        """Nothing is said or heard any more."""
        self._closed = True
        self._unsaid = []
        self._begun = b""

    def _end(self, why: str) -> None:
        self.close()
        self._confused(why)
