"""When to try again: a pure function of the attempts made. Refuses to know what failed."""

from __future__ import annotations

MINUTES = (1, 2, 5, 10, 20, 40, 60)
"""After the first attempt, the second …; then hourly."""


def delay(attempts: int) -> float:
    """Seconds between attempt number `attempts` (from 1) and the next."""
    return MINUTES[min(max(attempts, 1), len(MINUTES)) - 1] * 60.0
