"""The reactor's time, which the sessions of a process share."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import Interface

# mypy: disable-error-code="misc,empty-body"


class ITurns(Interface):
    """A session asks `begin` when it starts to work, `lasts` between two commands, then `end`."""

    def begin() -> None:
        """Work begins; the turn is a new one unless others worked just now."""

    def lasts() -> bool:
        """Whether there is time left in this turn."""

    def end() -> None:
        """The work is over, or postponed."""

    def queue(work: Callable[[], None]) -> None:
        """Call `work` in a later turn, after those who wait already."""
