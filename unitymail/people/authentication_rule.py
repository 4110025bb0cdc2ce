"""The authentication rule: when a wrong password locks, and what a good password is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuthenticationRule:
    """Times in the unit of the name; 0 switches that part off. Defaults as decisions.md, Signing in."""

    id: str = "web"
    name: str = "Web Application"
    max_failures: int = 7
    reset_minutes: int = 30
    lock_minutes: int = 30
    min_length: int = 8
    history: int = 5
    min_age_minutes: int = 1440
    max_age_days: int = 0
    no_trivial: bool = True
