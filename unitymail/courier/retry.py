"""When to try again: a pure function of the attempts made. Refuses to know what failed."""

from __future__ import annotations

MINUTES = (1, 2, 5, 10, 20, 40, 60)
"""After the first attempt, the second …; then hourly."""

OWN_PATIENCE_S = 2 * 24 * 3600
"""How long steps on this node are retried at least: our own trouble is no reason to return mail at once."""


def delay(attempts: int) -> float:
    """Seconds between attempt number `attempts` (from 1) and the next."""
    return MINUTES[min(max(attempts, 1), len(MINUTES)) - 1] * 60.0
