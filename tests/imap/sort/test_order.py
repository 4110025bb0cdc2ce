"""Orders: sorting, and bringing an order up to date, against the plainest way to do it."""

import random
from array import array
from functools import cmp_to_key

from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.sort.order import AT_ONCE, inserted, moved, ordered


def slow(columns, reverses):
    """By comparing messages two by two, as RFC 5256, 3 says."""
    def compare(one, other):
        for column, reverse in zip(columns, reverses, strict=True):
            if column[one] != column[other]:
                less = -1 if column[one] < column[other] else 1
                return -less if reverse else less
        return one - other

    return sorted(range(len(columns[0])), key=cmp_to_key(compare))


values = st.integers(0, 3)
tables = st.integers(1, 3).flatmap(lambda width: st.tuples(
    st.lists(st.tuples(*[values] * width), max_size=30), st.lists(st.booleans(), min_size=width, max_size=width)))


def columns_of(rows, reverses):
    return [[row[at] for row in rows] for at in range(len(reverses))]


@given(tables)
def test_against_comparing(table):
    """Each criterion counts only where those before it are equal; REVERSE leaves equal messages in their order."""
    rows, reverses = table
    columns = columns_of(rows, reverses)
    assert ordered(columns, reverses) == slow(columns, reverses)


def test_many():
    """Many messages are sorted in portions, with the same result: few values, many values, all the same, reversed."""
    dice = random.Random(7)
    count = 5 * AT_ONCE
    for make in (lambda: dice.randrange(10), lambda: dice.randrange(10**9), lambda: 1, lambda: f"{dice.random():.4f}"):
        for reverses in ([False, False], [True, False], [False, True]):
            columns = [[make() for _ in range(count)], [dice.randrange(5) for _ in range(count)]]
            expected = sorted(range(count), key=columns[1].__getitem__, reverse=reverses[1])
            expected.sort(key=columns[0].__getitem__, reverse=reverses[0])
            assert ordered(columns, reverses) == expected


def test_portions_are_small():
    """No portion of many different values is large: sorting one is what holds other threads up."""
    from unitymail.imap.sort import order

    dice = random.Random(7)
    for column in ([dice.random() for _ in range(100_000)], list(range(100_000)), [n % 50_000 for n in range(100_000)]):
        portions = order._portions(column)
        assert max(map(len, portions)) < 2 * AT_ONCE
        assert sum(map(len, portions)) == 100_000


@given(tables, st.data())
def test_brought_up_to_date(table, data):
    """An order from which messages went and to which others came is what sorting anew would give."""
    rows, reverses = table
    before = array("I", [uid for uid in range(len(rows)) if data.draw(st.booleans())])
    after = array("I", [uid for uid in range(len(rows)) if data.draw(st.booleans())])
    order = ordered(columns_of([rows[uid] for uid in before], reverses), reverses)
    left, fresh = moved(order, before, after)
    assert sorted([*left, *fresh]) == list(range(len(after)))
    assert [after[at] for at in fresh] == [uid for uid in after if uid not in before]
    found = inserted(left, fresh, lambda at: rows[after[at]], reverses)
    assert found == ordered(columns_of([rows[uid] for uid in after], reverses), reverses)


def test_few_values_are_asked_for():
    """One new message among thousands finds its place by a handful of looks."""
    order = list(range(10_000))
    asked = set()

    def values_of(at):
        asked.add(at)
        return (3_000.5 if at == 10_000 else at,)

    assert inserted(order, [10_000], values_of, [False])[3_001] == 10_000
    assert len(asked) < 20
