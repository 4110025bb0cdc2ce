"""What `unitymail status` shows, from facts that the caller gathered. Knows the wording of none, the order of all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from unitymail.admin.operations.moments import utc
from unitymail.admin.operations.outcome import Facts
from unitymail.people.location import Location


def status(
    *, pid: int | None, told: dict[str, Any], queue: int, shunted: int, bad_mail: int, free_kib: int | None,
    expires: datetime | None, now: float, usn: int, peers: Sequence[Location] = (),
) -> Facts:
    """`told` is what the running node last wrote of itself, {} when it is down.

    Peers are only named: whether they answer takes a connection, which `peer status` makes.
    """
    events = told.get("events", {})
    return {
        "running": pid is not None,
        "pid": pid,
        "version": told.get("version"),
        "since": utc(told["since"]) if "since" in told else None,
        "doors": told.get("doors", {}),
        "workers": [worker | {"since": utc(worker["since"])} for worker in told.get("workers", [])],
        "queue": queue,
        "shunted": shunted,
        "bad_mail": bad_mail,
        "peers": [{"name": peer.name, "host": peer.host, "port": peer.port} for peer in peers],
        "received": events.get("received", 0),
        "delivered": events.get("delivered", 0),
        "troubles": events.get("trouble", 0),
        "longest_turn_ms": told.get("longest_turn_ms"),
        "free_disk_mib": free_kib // 1024 if free_kib is not None else None,
        "certificate_expires": utc(expires.timestamp()) if expires else None,
        "certificate_days": int((expires.timestamp() - now) // 86_400) if expires else None,
        "directory_usn": usn,
    }
