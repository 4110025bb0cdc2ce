"""What a search key is to the search: questions, each to one source, from the cheapest to the dearest.

A key may be asked several: a source that cannot tell says UNSURE, and the next one is asked about that message only.
Refuses to know how keys are joined.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from unitymail.imap.search.verdicts import NO, UNSURE, YES, Verdicts
from unitymail.imap.search.words import Words
from unitymail.imap.view import View
from unitymail.interfaces.store import Column

__all__ = (
    "NO", "ORDER", "UNSURE", "YES", "ContentProbe", "Leaf", "Probe", "RowColumn", "RowProbe", "Verdicts", "ViewProbe",
    "WordsProbe",
)  # fmt: skip

RowColumn = Literal["day"] | Column
ORDER: tuple[str, ...] = (
    "view", "day", "date", "size", "saved", "emailid", "threadid", "sent", "terms", "fields", "words", "content",
)  # fmt: skip
"""The sources, cheapest first. `day` is IFolder.internal_days, `words` the full-text index, others index columns."""


@dataclass(frozen=True, slots=True)
class ViewProbe:
    """Verdicts for all messages of the view at once."""

    judge: Callable[[View], Verdicts]
    source: Literal["view"] = "view"


@dataclass(frozen=True, slots=True)
class RowProbe:
    """Verdicts for a block of values; of tuples of them when there are several columns, the dearest last.

    holding: of `terms` only those that hold this need to be judged; the verdict of all others is `otherwise`.
    """

    columns: tuple[RowColumn, ...]
    judge: Callable[[Sequence[Any]], Verdicts]
    holding: str = ""
    otherwise: int = NO

    @property
    def source(self) -> str:
        return self.columns[-1]


@dataclass(frozen=True, slots=True)
class WordsProbe:
    """What the full-text index knows of a folded needle, as far as it has come."""

    needle: str
    body_only: bool
    source: Literal["words"] = "words"


@dataclass(frozen=True, slots=True)
class ContentProbe:
    """The last word, from the message itself."""

    judge: Callable[[Words], bool]
    source: Literal["content"] = "content"


Probe = ViewProbe | RowProbe | WordsProbe | ContentProbe


class Leaf(Protocol):
    """A key of the RFC that is not made of others. A frozen value."""

    def probes(self) -> tuple[Probe, ...]:
        """At most one a source."""
