"""What becomes of old messages, and when: each rule by itself, and which one has its way."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.people.user import User
from unitymail.policy.aging import (
    DAY_S,
    NOTHING_AGES,
    Aged,
    Aging,
    Place,
    Rule,
    Term,
    aging_of,
    aging_of_site,
    alerts,
    due,
    verdict,
)
from unitymail.settings.site import SiteSettings, changed

NOW = 1_800_000_000.0
LETTER = Aged(Place.ELSEWHERE, seen=False, touched=False, secure=False, recording=False, changed=NOW, came=NOW,
              arrived=NOW)  # fmt: skip
EVERY = Aging(**{rule.value: Term(10) for rule in Rule})


def old(days, **what):
    moment = NOW - days * DAY_S
    return replace(LETTER, changed=moment, came=moment, arrived=moment, **what)


class Book:
    def __init__(self, user, site):
        self.found, self.site = user, site

    def user(self, id):
        return self.found


def test_what_a_new_site_does():
    """Deleted Items are emptied after 15 days; nothing else ages."""
    assert aging_of_site(SiteSettings()) == Aging(deleted=Term(15))


def test_the_settings_of_each_rule_are_its_own():
    """Each has days, a switch, and days of warning."""
    pairs = [
        (f"aging.{rule.value}_{what}", value)
        for number, rule in enumerate(Rule, 1)
        for what, value in (("enabled", "true"), ("days", str(number * 10)), ("alert_days", str(number)))
    ]
    aging = aging_of_site(changed(SiteSettings(), pairs))
    assert [aging.term(rule) for rule in Rule] == [Term(number * 10, number) for number in range(1, len(Rule) + 1)]


@pytest.mark.parametrize("user", [
    None, User("u", "robin", "r@x", home="vm2"), User("u", "robin", "r@x", age_messages=False),
])  # fmt: skip
def test_who_is_left_out(user):
    """Of users who are not here any more, who are elsewhere, and whom an administrator left out nothing ages."""
    assert aging_of("u", Book(user, SiteSettings())) == NOTHING_AGES
    assert aging_of("u", Book(User("u", "robin", "r@x"), SiteSettings())) != NOTHING_AGES


@pytest.mark.parametrize(("rule", "message", "other"), [
    (Rule.NEW, old(10, place=Place.INBOX), old(10, place=Place.INBOX, seen=True)),
    (Rule.SAVED, old(10, place=Place.INBOX, seen=True), old(10, place=Place.ELSEWHERE, seen=True)),
    (Rule.DELETED, old(10, place=Place.DELETED), old(10, place=Place.INBOX)),
    (Rule.RECORDING, old(10, recording=True), old(10)),
    (Rule.SECURE, old(10, secure=True), old(10)),
    (Rule.TOUCHED_SECURE, old(10, secure=True, touched=True), old(10, secure=True)),
])  # fmt: skip
def test_each_rule_alone(rule, message, other):
    """Concerns its messages from the day on, not before it, and no others."""
    aging = Aging(**{rule.value: Term(10)})
    assert verdict(message, aging, NOW) is rule
    assert verdict(message, aging, NOW - 1) is None
    assert verdict(other, aging, NOW) is None
    assert verdict(message, NOTHING_AGES, NOW) is None


@pytest.mark.parametrize(("rule", "counts"), [
    (Rule.NEW, "changed"), (Rule.SAVED, "changed"), (Rule.TOUCHED_SECURE, "changed"), (Rule.DELETED, "came"),
    (Rule.SECURE, "arrived"), (Rule.RECORDING, "arrived"),
])  # fmt: skip
def test_from_when_on(rule, counts):
    """Only one of the moments counts for a rule."""
    place = Place.DELETED if rule is Rule.DELETED else Place.INBOX
    message = replace(
        LETTER, place=place, seen=rule is not Rule.NEW, touched=True, secure=True, recording=True,
        **{counts: NOW - 10 * DAY_S},
    )  # fmt: skip
    assert verdict(message, Aging(**{rule.value: Term(10)}), NOW) is rule
    others = {name: NOW - 10 * DAY_S for name in ("changed", "came", "arrived") if name != counts}
    assert verdict(replace(message, **{counts: NOW}, **others), Aging(**{rule.value: Term(10)}), NOW) is None


def test_removal_comes_before_the_rest():
    """A secure voice message in INBOX, long read, is removed rather than moved or emptied."""
    whole = old(10, place=Place.INBOX, seen=True, touched=True, secure=True, recording=True)
    order = []
    aging = EVERY
    while (rule := verdict(whole, aging, NOW)) is not None:
        order.append(rule)
        aging = replace(aging, **{rule.value: None})
    assert order == [Rule.SECURE, Rule.TOUCHED_SECURE, Rule.RECORDING, Rule.SAVED]


def test_alerts_come_before_and_only_then():
    """Within the days of warning, neither sooner nor once it has happened."""
    message, aging = old(0, place=Place.DELETED), Aging(deleted=Term(15, 3))
    told = [list(alerts(message, aging, NOW + days * DAY_S)) for days in (11.9, 12, 14.9, 15)]
    one = [(Rule.DELETED, NOW + 15 * DAY_S)]
    assert told == [[], one, one, []]
    assert list(alerts(message, Aging(deleted=Term(15)), NOW + 14 * DAY_S)) == []


MOMENTS = st.floats(NOW - 100 * DAY_S, NOW)
MESSAGES = st.builds(Aged, st.sampled_from(Place), *[st.booleans()] * 4, MOMENTS, MOMENTS, MOMENTS)
TERMS = st.none() | st.builds(Term, st.integers(1, 200), st.integers(0, 30))


@given(MESSAGES, st.builds(Aging, *[TERMS] * 6))
def test_nothing_is_due_too_soon(message, aging):
    """What is done now was due; nothing is due sooner than the shortest term after the newest of its moments."""
    rule = verdict(message, aging, NOW)
    moments = dict(due(message, aging))
    assert (rule is None) == all(moment > NOW for moment in moments.values())
    assert rule is None or (moments[rule] <= NOW and aging.term(rule) is not None)
    newest = max(message.changed, message.came, message.arrived)
    oldest = min(message.changed, message.came, message.arrived)
    assert all(oldest + aging.shortest_s <= moment <= newest + 200 * DAY_S for moment in moments.values())
    assert all(moment > NOW for _, moment in alerts(message, aging, NOW))
