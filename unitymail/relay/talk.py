"""Part of what is said on a connection: who is told of each reply. Refuses to know what is talked about."""

from __future__ import annotations

from typing import Any, Protocol

from unitymail.mail.reply import Reply
from unitymail.relay.trouble import Trouble


class Talk(Protocol):
    """Told of each reply, and of the end if there are no more.

    `heard_all` follows when everything that came at once was told: only then does it speak, so that no reply that was
    said too early is taken for the answer to what follows.
    """

    def replied(self, reply: Reply) -> None: ...

    def heard_all(self) -> None: ...

    def broke(self, trouble: Trouble) -> None: ...

    def waiting_for(self) -> str:
        """What is awaited, for people: `its answer to MAIL`."""
        ...


class ISignIn(Talk, Protocol):
    """The talk between EHLO and being ready for mail."""

    def begin(self, client: Any) -> None: ...
