"""When wrong passwords lock a user. Pure: what happened so far and the time go in, what is so now comes out.

Note *Clock*: times are Unix seconds of whichever process counted. A failure that lies ahead counts as now, and a lock
that would last longer than the rule lets any lock last is none, so that a clock put back locks nobody for years. But
clocks of several machines, and moments at which several threads looked, differ a little: a lock is not ended by that.
"""

from __future__ import annotations

from dataclasses import replace

from unitymail.interfaces.directory import Attempts
from unitymail.people.authentication_rule import AuthenticationRule

UNTIL_UNLOCKED = 253_402_300_799.0
"""The end of the year 9999: a lock that only `user unlock` ends."""
MOST_FAILURES = 1_000_000
CLOCKS_DIFFER_S = 300.0


def is_locked(attempts: Attempts, rule: AuthenticationRule, now: float) -> bool:
    if attempts.locked_until == UNTIL_UNLOCKED:
        return True
    longest = rule.lock_minutes * 60 + CLOCKS_DIFFER_S if rule.lock_minutes else attempts.locked_until
    return 0 < attempts.locked_until - now <= longest


def counted(attempts: Attempts, rule: AuthenticationRule, now: float) -> int:
    """The wrong passwords that count at this moment: those before a quiet time or an ended lock do not any more."""
    if is_locked(attempts, rule, now):
        return attempts.failures
    return 0 if _begins_anew(attempts, rule, now) else attempts.failures


def _begins_anew(attempts: Attempts, rule: AuthenticationRule, now: float) -> bool:
    quiet = now - min(attempts.last_failure, now)
    return attempts.failures == 0 or attempts.locked_until > 0 or quiet >= rule.reset_minutes * 60


def after_failure(attempts: Attempts, rule: AuthenticationRule, now: float) -> Attempts:
    """One more wrong password. While locked nothing is counted, so that a lock ends when it says."""
    if is_locked(attempts, rule, now):
        return replace(attempts, last_failure=now)
    begins = _begins_anew(attempts, rule, now)
    failures = 1 if begins else min(attempts.failures + 1, MOST_FAILURES)
    first = now if begins else attempts.first_failure
    locked_until = 0.0
    if rule.max_failures and failures >= rule.max_failures:
        locked_until = now + rule.lock_minutes * 60 if rule.lock_minutes else UNTIL_UNLOCKED
    return Attempts(failures, first, now, locked_until)


def after_success(attempts: Attempts, rule: AuthenticationRule, now: float) -> Attempts:
    """The right password clears the count, but opens no lock."""
    return replace(attempts, last_failure=now) if is_locked(attempts, rule, now) else Attempts()
