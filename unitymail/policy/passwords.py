"""When a password is too old, and when its owner may change it again. Pure: times in, answers out.

What a good password is belongs to the login's `judge`; when wrong ones lock is `lockout`'s.

Note *Whose change*. The minimum age keeps a user from going round the history in a minute. An administrator's change is
exempt: who resets a password for somebody on the telephone cannot be told to wait until tomorrow.
"""

from __future__ import annotations

from unitymail.interfaces.directory import Credential
from unitymail.people.authentication_rule import AuthenticationRule

DAY_S = 86_400
MINUTE_S = 60


def expires_at(credential: Credential, rule: AuthenticationRule) -> float:
    """Unix seconds; 0.0 for never."""
    return credential.changed_at + rule.max_age_days * DAY_S if rule.max_age_days else 0.0


def is_expired(credential: Credential, rule: AuthenticationRule, now: float) -> bool:
    """Whether it is good for nothing but a change: too old, or somebody else chose it."""
    ends = expires_at(credential, rule)
    return credential.must_change or 0.0 < ends < now


def may_change_at(credential: Credential, rule: AuthenticationRule, now: float) -> float:
    """From when on the owner may change it, Unix seconds; 0.0 for now.

    Who must change a password always may. One that was set in the future counts as set now (a clock was put back).
    """
    if is_expired(credential, rule, now):
        return 0.0
    from_then = min(credential.changed_at, now) + rule.min_age_minutes * MINUTE_S
    return from_then if from_then > now else 0.0
