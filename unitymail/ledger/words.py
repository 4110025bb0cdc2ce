"""What a process that keeps no ledger says to the one that does, and hears. Pure; refuses to know how it travels.

``["take", number, [[kind, key, most], …], note]`` is answered ``["taken", number, ticket]`` or
``["full", number, index, {note: how many}]``, where the index says which count is full. ``["back", ticket]`` needs no
answer. The number is the asker's own; answers may come in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unitymail.interfaces.ledger import Count


@dataclass(frozen=True, slots=True)
class Take:
    number: int
    counts: tuple[Count, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    number: int
    ticket: int


@dataclass(frozen=True, slots=True)
class Filled:
    number: int
    index: int
    notes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Back:
    ticket: int


Word = Take | Taken | Filled | Back


def spoken(word: Word) -> list[Any]:
    """The word as JSON can hold it."""
    match word:
        case Take(number, counts, note):
            return ["take", number, [[count.kind, count.key, count.most] for count in counts], note]
        case Taken(number, ticket):
            return ["taken", number, ticket]
        case Filled(number, index, notes):
            return ["full", number, index, notes]
        case Back(ticket):
            return ["back", ticket]


def understood(said: Any) -> Word | None:
    """What `spoken` made; None for anything else."""
    match said:
        case ["take", int(number), [*counts], str(note)]:
            return Take(number, tuple(Count(str(kind), str(key), int(most)) for kind, key, most in counts), note)
        case ["taken", int(number), int(ticket)]:
            return Taken(number, ticket)
        case ["full", int(number), int(index), dict(notes)]:
            return Filled(number, index, {str(note): int(held) for note, held in notes.items()})
        case ["back", int(ticket)]:
            return Back(ticket)
    return None
