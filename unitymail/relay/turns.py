"""Whose turn it is on a connection: what is asked and told about that. Refuses to know how it is settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from twisted.python.failure import Failure

from unitymail.interfaces.relay import Attempt
from unitymail.relay.sending import Waiting

if TYPE_CHECKING:
    from unitymail.relay.conversation import Conversation

Settled = Sequence[tuple[Waiting, Attempt | Failure]]


class ITurns(Protocol):
    """Whose turn it is: what a conversation asks of the pool, and tells it."""

    def next(self, conversation: Conversation, *, in_hope: bool) -> Waiting | None:
        """Whoever is next here, if anybody is; `in_hope`: and may be begun behind another."""
        ...

    def settled(self, conversation: Conversation, waiting: Waiting, attempt: Attempt | Failure) -> None:
        """A message is over; the conversation asks for another, in a moment if it `is_between_messages`."""
        ...

    def unfit(self, waiting: Waiting, attempt: Attempt | Failure) -> None:
        """A message is over for which nothing had to be said."""
        ...

    def free(self, conversation: Conversation) -> None:
        """Nobody was next."""
        ...

    def left(self, conversation: Conversation, unheard: Sequence[Waiting], settled: Settled, *, hopeless: bool) -> None:
        """The connection is used no more. `unheard` wait again, `hopeless`: since the server does not pipeline well."""
        ...
