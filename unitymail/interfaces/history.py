"""The history of messages: what happened to each, kept for some days, so that `unitymail trace` can tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zope.interface import Interface

# mypy: disable-error-code="misc,empty-body"


@dataclass(frozen=True, slots=True)
class Event:
    """`time` in Unix seconds, `event` as the journal names it, `facts` as JSON can hold them.

    `facts["trace"]` is the trace that it happened to: the message's own, or that of something derived from it.
    """

    time: float
    event: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """A message with all that is known to have happened to it, oldest first."""

    trace: str
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    events: tuple[Event, ...]


class IHistory(Interface):
    """Written by the running node in batches: the last second may be missing after a crash. Mail never waits."""

    def note(trace: str, event: str, facts: dict[str, Any]) -> None:
        """Remember an event of a message (reactor thread; never raises, never waits).

        `facts` are what JSON can hold, and values of the middle that are told later: `envelope`, `origin`, `decision`,
        `attempt`, `step`. They must not be changed any more.
        """

    def story(trace: str) -> Story | None:
        """One message with what was derived from it (reports, converted copies). Blocking.

        Found by its own trace, by that of anything derived from it, or by the one it has at the peer it came from.
        """

    def find(
        *, message_id: str = "", sender: str | Sequence[str] = "", recipient: str | Sequence[str] = "",
        since: float = 0.0, most: int = 100,
    ) -> list[Story]:
        """The newest messages that fit all that is given, newest first. Blocking.

        Of several senders or recipients any will do. A recipient may be an account's id: it got the message by a list.
        """
