"""What was said between us and a hop, for `unitymail trace`: bounded, without secrets and bodies.

It is written down as it is said and made into lines only where somebody reads it, which is in a thread of the history.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import overload

from unitymail.mail.reply import Reply, printable

MOST_LINES = 200
LONGEST_LINE = 600
_LAST = 20
_FIRST = MOST_LINES - _LAST - 1
Entry = bytes | str | Reply


class Dialogue(Sequence[str]):
    """Lines as `C: ...` and `S: ...`, at most `MOST_LINES`: of a long one the beginning and the end are kept.

    `theirs` notes a reply; nearly every call here is one, so it is the list's own append, and what is too much is left
    out at our next line.
    """

    __slots__ = ("_first", "_last", "_left_out", "theirs")

    def __init__(self) -> None:
        self._first: list[Entry] = []
        self._last: deque[Entry] = deque(maxlen=_LAST)
        self._left_out = 0
        self.theirs: Callable[[Reply], None] = self._first.append

    def __bool__(self) -> bool:
        """Whether anything was said."""
        return bool(self._first)

    def ours(self, lines: Iterable[bytes]) -> None:
        self._first += lines
        if len(self._first) > _FIRST:
            self._leave_out()

    def note(self, words: str) -> None:
        """What we did besides lines: `<2,048 octets>`."""
        self._first.append(words)

    def _leave_out(self) -> None:
        late = self._first[_FIRST:]
        del self._first[_FIRST:]
        self._left_out += max(0, len(self._last) + len(late) - _LAST)
        self._last += late

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines())

    def __len__(self) -> int:
        return len(self.lines())

    @overload
    def __getitem__(self, which: int) -> str: ...
    @overload
    def __getitem__(self, which: slice) -> Sequence[str]: ...
    def __getitem__(self, which: int | slice) -> str | Sequence[str]:
        return self.lines()[which]

    def lines(self) -> tuple[str, ...]:
        if len(self._first) > _FIRST:
            self._leave_out()
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
