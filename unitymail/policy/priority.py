"""How urgent a client may call its message (RFC 6710). Knows who is believed; refuses to know what comes of it."""

from __future__ import annotations

from unitymail.routing.decision import Origin


def granted_priority(asked: int, origin: Origin) -> int:
    """Of -9 to 9: as asked for those we know; a stranger's message is ordinary at most, and may be less urgent."""
    known = bool(origin.user) or origin.trust in ("authenticated", "trusted", "smart-host", "peer", "internal")
    return asked if known else min(asked, 0)
