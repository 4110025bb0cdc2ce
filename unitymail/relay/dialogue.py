"""What was said between us and a hop, for `unitymail trace`: bounded, without secrets and bodies."""

from __future__ import annotations

from collections import deque
from functools import lru_cache

from unitymail.mail.reply import Reply, printable

MOST_LINES = 200
LONGEST_LINE = 600
_LAST = 20


class Dialogue:
    """Of a long one the beginning and the end are kept."""

    __slots__ = ("_first", "_last", "_left_out")

    def __init__(self) -> None:
        self._first: list[bytes | str | Reply] = []
        self._last: deque[bytes | str | Reply] = deque(maxlen=_LAST)
        self._left_out = 0

    def __bool__(self) -> bool:
        """Whether anything was said."""
        return bool(self._first)

    def ours(self, line: bytes) -> None:
        self._add(line)

    def note(self, words: str) -> None:
        """What we did besides lines: `<2,048 octets>`."""
        self._add(words)

    def theirs(self, reply: Reply) -> None:
        self._add(reply)

    def _add(self, entry: bytes | str | Reply) -> None:
        if len(self._first) < MOST_LINES - _LAST - 1:
            self._first.append(entry)
        else:
            self._left_out += len(self._last) == _LAST
            self._last.append(entry)

    def lines(self) -> tuple[str, ...]:
        """As `C: ...` and `S: ...`, at most `MOST_LINES`."""
        first = [line for entry in self._first for line in _lines(entry)]
        last = [line for entry in self._last for line in _lines(entry)]
        room = MOST_LINES - 1 - min(len(last), _LAST)
        left_out = self._left_out + max(0, len(first) - room) + max(0, len(last) - _LAST)
        if not left_out:
            return tuple(first + last)
        return (*first[:room], f"C: <{left_out:,} lines left out>", *last[-_LAST:])


def _lines(entry: bytes | str | Reply) -> tuple[str, ...]:
    if isinstance(entry, bytes):
        return (f"C: {_shown(entry.decode('utf-8', 'replace'))}",)
    return (f"C: {entry}",) if isinstance(entry, str) else _reply_lines(entry)


@lru_cache(maxsize=256)
def _reply_lines(entry: Reply) -> tuple[str, ...]:
    """Servers say the same over and over."""
    enhanced = f"{entry.enhanced} " if entry.enhanced else ""
    if "\n" not in entry.text and len(entry.text) < LONGEST_LINE // 2:
        return (f"S: {entry.code} {enhanced}{entry.text}".rstrip(),)
    *others, last = entry.text.split("\n")
    return (
        *(f"S: {entry.code}-{enhanced}{text}"[:LONGEST_LINE] for text in others),
        f"S: {entry.code} {enhanced}{last}"[:LONGEST_LINE].rstrip(),
    )


def _shown(text: str) -> str:
    return (text if text.isprintable() else printable(text))[:LONGEST_LINE]
