"""Pure computing over many messages: at once when it is little, in a thread when it would hold the reactor up.

Safe only for what the running command owns: its view is touched by nobody else meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unitymail.imap.session import Session

LITTLE = 2_000
"""Messages that are reckoned over in the reactor: some milliseconds at a microsecond each."""


async def reckon(session: Session, messages: int, function: Callable[..., Any], *args: Any) -> Any:
    """`function(*args)`, where `messages` says how much work that is."""
    return function(*args) if messages <= LITTLE else await session.run(function, *args)
