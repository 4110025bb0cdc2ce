"""When wrong passwords lock: the rule of the site as a table over time."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.interfaces.directory import Attempts
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.policy.lockout import UNTIL_UNLOCKED, after_failure, after_success, is_locked

RULE = AuthenticationRule(max_failures=3, reset_minutes=30, lock_minutes=10)
MINUTE = 60.0
NOW = 1_000_000.0


def failures(*minutes, rule=RULE, attempts=None):
    attempts = attempts or Attempts()
    for minute in minutes:
        attempts = after_failure(attempts, rule, NOW + minute * MINUTE)
    return attempts


def test_the_third_failure_locks_for_ten_minutes():
    """Not the second; and the lock ends by itself."""
    assert not is_locked(failures(0, 1), RULE, NOW + MINUTE)
    locked = failures(0, 1, 2)
    assert is_locked(locked, RULE, NOW + 2 * MINUTE)
    assert is_locked(locked, RULE, NOW + 11.9 * MINUTE)
    assert not is_locked(locked, RULE, NOW + 12 * MINUTE)


def test_guessing_on_does_not_prolong_a_lock():
    """Whoever is locked out gets in when the lock said, whatever strangers do meanwhile."""
    assert failures(0, 1, 2, 5, 8).locked_until == failures(0, 1, 2).locked_until


def test_after_a_lock_counting_begins_anew():
    """One typing error after it does not lock again."""
    after = failures(0, 1, 2, 13)
    assert (after.failures, after.locked_until) == (1, 0.0)
    assert is_locked(failures(0, 1, 2, 13, 14, 15), RULE, NOW + 15 * MINUTE)


def test_a_quiet_half_hour_clears_the_count():
    """Two errors today and two tomorrow are no attack."""
    assert failures(0, 1, 31).failures == 1
    assert failures(0, 1, 30.9).failures == 3


def test_the_right_password_clears_the_count_but_opens_no_lock():
    """A guesser who is right while the lock lasts learns nothing."""
    assert after_success(failures(0, 1), RULE, NOW) == Attempts()
    locked = failures(0, 1, 2)
    assert is_locked(after_success(locked, RULE, NOW + 3 * MINUTE), RULE, NOW + 3 * MINUTE)


def test_a_lock_may_last_until_it_is_ended():
    """Zero lock minutes mean: an administrator unlocks."""
    rule = AuthenticationRule(max_failures=3, lock_minutes=0)
    locked = failures(0, 1, 2, rule=rule)
    assert locked.locked_until == UNTIL_UNLOCKED
    assert is_locked(locked, rule, NOW + 1e9)


def test_a_rule_may_never_lock():
    """Zero failures switch locking off."""
    rule = AuthenticationRule(max_failures=0)
    assert failures(*range(29), rule=rule) == Attempts(29, NOW, NOW + 28 * MINUTE, 0.0)


def test_a_clock_put_back_locks_nobody_for_years():
    """A lock counted under a clock far ahead is none when the clock is right, and new failures lock as ever."""
    ahead = failures(5_000_000, 5_000_001, 5_000_002)
    assert not is_locked(ahead, RULE, NOW)
    assert is_locked(failures(0, 1, 2, attempts=ahead), RULE, NOW + 2 * MINUTE)


def test_clocks_that_differ_a_little_end_no_lock():
    """Who looked a moment before the lock was made, or by a clock some seconds behind, finds it all the same."""
    locked = failures(0, 1, 2)
    for behind in (0.001, 1.0, 60.0):
        before = NOW + 2 * MINUTE - behind
        assert is_locked(locked, RULE, before)
        assert after_failure(locked, RULE, before).locked_until == locked.locked_until
        assert after_success(locked, RULE, before).locked_until == locked.locked_until


@given(st.lists(st.tuples(st.floats(0, 120), st.booleans()), max_size=40))
def test_never_more_guesses_than_allowed(events):
    """Between two right passwords or quiet half hours nobody gets more than three looks before a lock."""
    attempts, now, looks = Attempts(), NOW, 0
    for pause, right in events:
        now += pause * MINUTE
        if is_locked(attempts, RULE, now):
            continue
        if pause >= RULE.reset_minutes or attempts.locked_until:
            looks = 0
        if right:
            attempts, looks = after_success(attempts, RULE, now), 0
        else:
            attempts, looks = after_failure(attempts, RULE, now), looks + 1
        assert looks <= 3
        assert is_locked(attempts, RULE, now) == (looks == 3)
