"""Lists: who is on them, and who may write to them."""

from dataclasses import replace

import pytest

from tests.fakes import DEFAULT_COS, FakeUsage
from tests.routing.letters import INTERNAL, JO, PEER, SITE, STRANGER, TEAM, book, message
from unitymail.people.distribution_list import DistributionList
from unitymail.routing.decision import SenderFinding
from unitymail.routing.expand import MAX_LEVELS, NOT_FOREIGN, NOT_TO_LISTS, expand, judge_list
from unitymail.routing.situation import Situation


def of(id, *members, **more):
    return DistributionList(f"l-{id}", id, f"{id}@vm1.example.com", members=members, **more)


def names(expansion):
    return [member.alias for member in expansion.members]


def test_members_once_each_in_order():
    """Doubles within a list and in lists within it do not count twice."""
    outer = of("outer", "u-chris", "l-team", "u-chris", "u-dana")
    assert names(expand(outer, book(outer))) == ["chris", "dana", "robin", "terry"]


def test_lists_that_hold_each_other_end():
    """A circle of lists, and a list that holds itself."""
    a, b, me = of("a", "l-b", "u-robin"), of("b", "l-a", "u-chris"), of("me", "l-me")
    assert names(expand(a, book(a, b))) == ["robin", "chris"]
    assert names(expand(me, book(me))) == []


def chain(length):
    """Lists 1 to `length`, each holding the next and one user of its own, the last Terry too."""
    return [of(str(n), *(["u-terry"] if n == length else [f"l-{n + 1}"])) for n in range(1, length + 1)]


def test_twenty_levels_are_opened_and_no_more():
    """The member at level 20 gets it; the list at level 21 stays closed, and that is said."""
    good, deep = chain(MAX_LEVELS), chain(MAX_LEVELS + 1)
    assert names(expand(good[0], book(*good))) == ["terry"]
    expansion = expand(deep[0], book(*deep))
    assert names(expansion) == []
    assert (expansion.too_deep, "closed below level 20" in expansion.note) == (1, True)


def test_a_list_is_opened_by_its_shortest_way():
    """The long way down does not hide the short one, whichever comes first."""
    lists = chain(MAX_LEVELS + 1)
    last = lists[-1]
    for members in (("l-2", last.id), (last.id, "l-2")):
        top = of("1", *members)
        expansion = expand(top, book(top, *lists[1:]))
        assert names(expansion) == ["terry"]
        assert expansion.too_deep == 0


def test_what_a_long_way_reaches_last_a_short_one_opens_with_all_that_is_in_it():
    """A list at level 20 by one way and at level 3 by another: the lists within it are within reach."""
    inner, below = of("inner", "l-below"), of("below", "u-chris")
    long = [*chain(MAX_LEVELS - 1)[:-1], of(str(MAX_LEVELS - 1), "l-inner")]
    by = of("by", "l-inner")
    for members in (("l-2", "l-by"), ("l-by", "l-2")):
        top = of("1", *members)
        expansion = expand(top, book(top, by, inner, below, *long[1:]))
        assert (names(expansion), expansion.too_deep) == (["chris"], 0)


def test_contacts_are_members_only_where_the_list_allows_it():
    """A contact barred by one list and allowed by another is a member."""
    closed = of("closed", "c-jo", "u-robin")
    open_ = of("open", "c-jo", allow_contacts=True)
    both = of("both", "l-closed", "l-open")
    expansion = expand(closed, book(closed))
    assert (names(expansion), expansion.contacts_barred) == (["robin"], 1)
    assert "1 contacts left out" in expansion.note
    assert names(expand(open_, book(open_))) == [JO.alias]
    assert expand(both, book(closed, open_, both)).contacts_barred == 0


def test_members_that_are_gone_are_passed_over():
    """A list may name ids that no longer exist."""
    assert names(expand(of("x", "u-gone", "u-robin"), book())) == ["robin"]


@pytest.mark.parametrize("kind", ["vpim", "outside", "null", "unknown", "peer"])
def test_foreign_senders_need_the_lists_leave(kind):
    """Off unless the list accepts messages from foreign systems; our own reports and peers have been asked."""
    sender = SenderFinding("x@y", kind)
    for origin, accept, expected in [
        (STRANGER, False, NOT_FOREIGN), (STRANGER, True, None), (INTERNAL, False, None), (PEER, False, None)
    ]:
        situation = Situation(message(), origin, sender, False, book(), FakeUsage(), SITE)
        assert judge_list(replace(TEAM, accept_foreign=accept), situation) == expected


@pytest.mark.parametrize(("may", "expected"), [(True, None), (False, NOT_TO_LISTS)])
def test_a_users_class_of_service_allows_lists(may, expected):
    """`send_to_lists` of the sender's class."""
    cos = replace(DEFAULT_COS, send_to_lists=may)
    situation = Situation(
        message(), STRANGER, SenderFinding("x", "user", "u-robin"), False, book(cos), FakeUsage(), SITE
    )
    assert judge_list(TEAM, situation) == expected


def test_many_members_take_no_more_than_their_number():
    """Every membership is looked at once, however lists overlap."""
    looked = []
    lists = [of(str(n), *(f"l-{m}" for m in range(60)), "u-robin") for n in range(60)]
    site = book(*lists)
    entry = site.entry
    site.entry = lambda id: looked.append(id) or entry(id)
    assert names(expand(lists[0], site)) == ["robin"]
    assert len(looked) == 60 * 61
