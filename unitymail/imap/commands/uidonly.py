"""UIDONLY (RFC 9586): no message sequence numbers, in neither direction.

Offered only to users for whom it is switched on (`user set --offer-capability UIDONLY`): few programs know it. What it
changes is where it belongs; ask `session.uid_only`. Commands that name messages by number are refused in ``run``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap.registry import Capability

if TYPE_CHECKING:
    from unitymail.imap.session import Session

WORD = "UIDONLY"


def switched_on(session: Session) -> bool:
    return session.user is not None and WORD in session.user.offered_capabilities


CAPABILITIES = (Capability(WORD, switched_on),)
ENABLES = {WORD: None}
