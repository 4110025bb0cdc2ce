"""Part of a conversation, as a connection sees it: who is told of each reply. Refuses to know what is talked about."""

from __future__ import annotations

from typing import Any, Protocol

from unitymail.mail.reply import Reply
from unitymail.relay.trouble import Trouble


class Talk(Protocol):
    """Told of each reply, and of the end if there are no more."""

    def replied(self, reply: Reply) -> None: ...

    def broke(self, trouble: Trouble) -> None: ...

    def waiting_for(self) -> str:
        """What is awaited, for people: `its answer to MAIL`."""
        ...


class ISignIn(Talk, Protocol):
    """The talk between EHLO and being ready for mail."""

    def begin(self, client: Any) -> None: ...
