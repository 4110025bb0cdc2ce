"""What was said between us and a hop, for `unitymail trace`: bounded, without secrets and bodies."""

from __future__ import annotations

from collections import deque
from functools import lru_cache

from unitymail.mail.reply import Reply, printable

MOST_LINES = 200
LONGEST_LINE = 600
_LAST = 20
_FIRST = MOST_LINES - _LAST - 1
Entry = bytes | str | Reply


class Dialogue:
    """Of a long one the beginning and the end are kept."""

    __slots__ = ("_first", "_last", "_left_out")

    def __init__(self) -> None:
        self._first: list[Entry] = []
        self._last: deque[Entry] = deque(maxlen=_LAST)
        self._left_out = 0

    def __bool__(self) -> bool:
        """Whether anything was said."""
        return bool(self._first)

    def ours(self, line: bytes) -> None:
        if len(self._first) < _FIRST:
            self._first.append(line)
        else:
            self._add_last(line)

    def note(self, words: str) -> None:
        """What we did besides lines: `<2,048 octets>`."""
        if len(self._first) < _FIRST:
            self._first.append(words)
        else:
            self._add_last(words)

    def theirs(self, reply: Reply) -> None:
        if len(self._first) < _FIRST:
            self._first.append(reply)
        else:
            self._add_last(reply)

    def _add_last(self, entry: Entry) -> None:
        self._left_out += len(self._last) == _LAST
        self._last.append(entry)

    def lines(self) -> tuple[str, ...]:
        """As `C: ...` and `S: ...`, at most `MOST_LINES`."""
        first, last = _shown(self._first), _shown(self._last)
        room = MOST_LINES - 1 - min(len(last), _LAST)
        left_out = self._left_out + max(0, len(first) - room) + max(0, len(last) - _LAST)
        if not left_out:
            return tuple(first + last)
        return (*first[:room], f"C: <{left_out:,} lines left out>", *last[-_LAST:])


def _shown(entries: list[Entry] | deque[Entry]) -> list[str]:
    lines: list[str] = []
    for entry in entries:
        if isinstance(entry, Reply):
            lines += _reply_lines(entry)
        elif isinstance(entry, str):
            lines.append(f"C: {entry}")
        else:
            text = entry.decode("utf-8", "replace")
            lines.append(f"C: {(text if text.isprintable() else printable(text))[:LONGEST_LINE]}")
    return lines


@lru_cache(maxsize=256)
def _reply_lines(reply: Reply) -> tuple[str, ...]:
    """Servers say the same over and over."""
    enhanced = f"{reply.enhanced} " if reply.enhanced else ""
    *others, last = reply.text.split("\n")
    return (
        *(f"S: {reply.code}-{enhanced}{text}"[:LONGEST_LINE] for text in others),
        f"S: {reply.code} {enhanced}{last}"[:LONGEST_LINE].rstrip(),
    )
