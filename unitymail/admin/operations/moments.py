"""Times as scripts read them: ISO 8601, in UTC, with a Z. As the journal writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(when: float, timespec: str = "seconds") -> str:
    """Unix seconds as `2026-11-25T13:07:00Z`."""
    return datetime.fromtimestamp(when, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
