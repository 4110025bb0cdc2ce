"""When a password is too old, and when its owner may change it again."""

import pytest

from unitymail.interfaces.directory import Credential
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.policy.passwords import expires_at, is_expired, may_change_at

NOW, DAY, MINUTE = 1_000_000_000.0, 86_400, 60


def set_at(moment, must_change=False):
    return Credential("u", "hash", 1, moment, must_change=must_change)


@pytest.mark.parametrize(
    ("age", "days", "must_change", "expired"),
    [(29 * DAY, 30, False, False), (30 * DAY, 30, False, False), (30 * DAY + 1, 30, False, True),
     (900 * DAY, 0, False, False), (0, 0, True, True), (0, 30, True, True), (-5 * DAY, 1, False, False)],
)  # fmt: skip
def test_expiry(age, days, must_change, expired):
    """After so many days, never with 0, at once when somebody else chose it; a clock put back ages nothing."""
    rule = AuthenticationRule(max_age_days=days)
    credential = set_at(NOW - age, must_change)
    assert is_expired(credential, rule, NOW) is expired
    assert expires_at(credential, rule) == (NOW - age + days * DAY if days else 0.0)


@pytest.mark.parametrize(
    ("age", "minutes", "days", "must_change", "again"),
    [(0, 60, 0, False, NOW + 60 * MINUTE), (59 * MINUTE, 60, 0, False, NOW + MINUTE), (60 * MINUTE, 60, 0, False, 0.0),
     (0, 0, 0, False, 0.0), (0, 60, 0, True, 0.0), (2 * DAY, 9_999, 1, False, 0.0),
     (-9 * DAY, 60, 0, False, NOW + 60 * MINUTE)],
)  # fmt: skip
def test_minimum_age(age, minutes, days, must_change, again):
    """Its owner waits; not when it must be changed or has expired; and no longer than the rule after a clock's jump."""
    rule = AuthenticationRule(min_age_minutes=minutes, max_age_days=days)
    assert may_change_at(set_at(NOW - age, must_change), rule, NOW) == again
