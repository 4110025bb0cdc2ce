"""Which items wait, in memory: who is next, among levels, next hops and times."""

import time
import tracemalloc
from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from unitymail.spool import index as index_module
from unitymail.spool import times, turns
from unitymail.spool.index import LOW, NORMAL, SHARE, URGENT, Index, level_of
from unitymail.spool.places import parent_of


def due(index, now=100.0, closed=()):
    found = []
    while (trace := index.due(now, closed)) is not None:
        found.append(trace)
    return found


def test_urgent_first_then_the_longest_due():
    """Among what is due urgent items go first, low ones last; each is handed out once."""
    index = Index()
    index.load([
        ("a", 5.0, NORMAL), ("b", 3.0, NORMAL), ("c", 50.0, URGENT), ("d", 101.0, URGENT), ("e", 1.0, LOW),
    ])  # fmt: skip
    assert due(index) == ["c", "b", "a", "e"]
    assert due(index) == []
    assert due(index, 101.0) == ["d"]


def test_levels_of_priorities():
    """Importance: high above zero, low below."""
    assert [level_of(priority) for priority in (7, 1, 0, -1)] == [URGENT, URGENT, NORMAL, LOW]


def test_a_lower_level_gets_its_share():
    """However many urgent items there are, normal and low ones get every tenth slot each."""
    index = Index()
    for level, name in ((URGENT, "u"), (NORMAL, "n"), (LOW, "l")):
        index.load((f"{name}{n}", 1.0, level) for n in range(1_000))
    order = [index.due(2.0)[0] for _ in range(600)]
    for start in range(0, 600 - 2 * SHARE, SHARE):
        assert Counter(order[start : start + SHARE + 2]).keys() == {"u", "n", "l"}
    assert order.count("u") >= 600 - 2 * (600 // SHARE) - 2


def test_next_hops_take_turns():
    """50,000 items of one hop hold up nobody else's: each hop gets every second slot, the longest due of it first."""
    index = Index()
    for n in range(50_000):
        index.put(f"slow{n:05}", n / 1_000, NORMAL, "slow")
    for n in range(3):
        index.put(f"quick{n}", 90.0 + n, NORMAL, "quick")
    assert [index.due(100.0) for _ in range(7)] == [
        "slow00000", "quick0", "slow00001", "quick1", "slow00002", "quick2", "slow00003",
    ]  # fmt: skip


def test_what_waits_for_a_closed_hop_is_passed_over():
    """It is due the moment the hop is open again; what waits for several or unknown hops is never closed off."""
    index = Index()
    index.put("a", 1.0, URGENT, "down")
    index.put("b", 2.0, NORMAL, "up")
    index.put("c", 3.0, NORMAL)
    assert due(index, closed={"down"}) == ["b", "c"]
    assert index.next_time({"down"}) is None
    assert index.next_time() == 1.0
    assert due(index) == ["a"]


def test_the_hop_is_learned():
    """A claim finds out what an item waits for, and tells; it keeps its urgency."""
    index = Index()
    index.load([("a", 1.0, URGENT)])
    assert (due(index), index.hop_of("a")) == (["a"], "")
    index.again("a", 2.0, "slow")
    index.put("b", 1.0, NORMAL)
    assert index.hop_of("a") == "slow"
    assert due(index) == ["a", "b"]


def test_some_items_cannot_wait_for_their_hop():
    """When it must be looked at at the latest an item is due though its hop is closed; it is once."""
    index = Index()
    index.put("a", 1.0, NORMAL, "down", at_latest=50.0)
    index.put("b", 1.0, NORMAL, "down")
    assert due(index, 49.0, {"down"}) == []
    assert index.next_time({"down"}) == 50.0
    assert due(index, 50.0, {"down"}) == ["a"]
    index.again("a", 60.0, "down", 70.0)
    assert index.next_time({"down"}) == 70.0
    assert due(index, 65.0) == ["b", "a"]
    index.again("a", 90.0, "down")
    assert due(index, 95.0, {"down"}) == []


def test_again_and_drop():
    """An item that was handed out comes back when it is put again, with its urgency, and never after it left."""
    index = Index()
    index.put("a", 1.0, URGENT)
    index.put("b", 1.0, NORMAL)
    assert due(index) == ["a", "b"]
    index.again("a", 200.0)
    index.drop("b")
    index.again("b", 1.0)
    assert index.next_time() == 200.0
    assert due(index, 300.0) == ["a"]
    assert (len(index), "b" in index, "a" in index) == (1, False, True)


def test_next_time_passes_over_what_is_claimed():
    """Nobody is woken for items in hand."""
    index = Index()
    index.put("a", 1.0, NORMAL)
    index.put("b", 7.0, NORMAL)
    index.claim("a")
    assert index.next_time() == 7.0
    index.drop("b")
    assert index.next_time() is None


def test_a_derived_item_waits_for_its_parent():
    """A report is not sent on while its own message is in hand or due: its outcome is written first."""
    index = Index()
    index.put("t-r0", 1.0, URGENT)
    index.put("t", 1.0, NORMAL)
    assert due(index) == ["t"]
    assert due(index, 102.0) == []
    index.again("t", 500.0)
    assert due(index, 104.0) == ["t-r0"]


def test_an_orphan_waits_for_nobody():
    """When its parent is gone a derived item is like any other."""
    index = Index()
    index.put("t-r0", 1.0, NORMAL)
    assert due(index) == ["t-r0"]


def test_items_released_for_years_leave_nothing_behind():
    """What no longer counts is forgotten: an index of ten items stays small, however often they are tried."""
    index = Index()
    for n in range(10):
        index.put(f"t{n}", 0.0, NORMAL, "down", 1e9)
    tracemalloc.start()
    for round in range(3_000):
        for trace in due(index, float(round)):
            index.again(trace, round + 1.0, "down", 1e9 + round)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 1_000_000


def test_many_items_cost_little():
    """100,000 items load in a second or two of processor time and take less than 50 MB; so do 10,000 closed hops."""
    tracemalloc.start()
    began = time.process_time()
    index = Index()
    index.load((f"{n:020d}", 1_000.0 + n, URGENT if n % 50 == 0 else NORMAL) for n in range(90_000))
    closed = {f"smtp:host{n}:25" for n in range(10_000)}
    for n, hop in enumerate(closed):
        index.put(f"w{n:019d}", 500.0, NORMAL, hop)
    for _ in range(100):
        assert index.due(500_000.0, closed)[0] == "0"
        assert index.next_time(closed) is not None
    spent, (used, _) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 50_000_000
    assert spent < 5


HOPS = ["", "h1", "h2", "h3"]


class AgainstAPlainList(RuleBasedStateMachine):
    """Whatever is done, in whatever order: what is handed out is what a look through all items would allow."""

    def __init__(self):
        super().__init__()
        self.index, self.plain, self.now = Index(), {}, 0.0

    @rule(name=st.sampled_from("abcdefg"), derived=st.booleans(), after=st.integers(-3, 9),
          level=st.sampled_from([URGENT, NORMAL, LOW]), hop=st.sampled_from(HOPS), latest=st.integers(0, 9))
    def put(self, name, derived, after, level, hop, latest):
        trace = name + "-r" if derived else name
        at_latest = self.now + latest if latest else 0.0
        if trace in self.plain and self.plain[trace]["claimed"]:
            self.index.put(trace, self.now + after, level, hop, at_latest)
            return
        self.index.put(trace, self.now + after, level, hop, at_latest)
        self.plain[trace] = {"when": self.now + after, "level": level, "hop": hop, "claimed": False,
                             "latest": max(at_latest, self.now + after) if at_latest and hop else None}

    @rule(after=st.integers(-3, 9), hop=st.sampled_from(HOPS), latest=st.integers(0, 9), data=st.data())
    def again(self, after, hop, latest, data):
        claimed = [trace for trace, entry in self.plain.items() if entry["claimed"]]
        if claimed:
            trace = data.draw(st.sampled_from(claimed))
            at_latest = self.now + latest if latest else 0.0
            self.index.again(trace, self.now + after, hop, at_latest)
            self.plain[trace] |= {"when": self.now + after, "hop": hop, "claimed": False,
                                  "latest": max(at_latest, self.now + after) if at_latest and hop else None}

    @rule(data=st.data())
    def drop(self, data):
        if self.plain:
            trace = data.draw(st.sampled_from(sorted(self.plain)))
            self.index.drop(trace)
            del self.plain[trace]

    @rule(seconds=st.integers(0, 5))
    def wait(self, seconds):
        self.now += seconds

    def free(self, closed):
        """{trace: when it is due} of all that is neither claimed nor behind a closed hop."""
        for entry in self.plain.values():
            if not entry["claimed"] and entry["latest"] is not None and entry["latest"] <= self.now:
                entry |= {"hop": "", "when": entry["latest"], "latest": None}
        times = {}
        for trace, entry in self.plain.items():
            moments = [entry["when"]] if entry["hop"] not in closed else []
            moments += [entry["latest"]] if entry["latest"] is not None else []
            if moments and not entry["claimed"]:
                times[trace] = min(moments)
        return times

    def behind(self, trace):
        parent = self.plain.get(parent_of(trace)) if parent_of(trace) else None
        return parent is not None and (parent["claimed"] or parent["when"] <= self.now)

    def chosen(self, closed):
        return self.index.due(self.now, closed)

    def looked_up(self, closed):
        return self.index.next_time(closed)

    @rule(closed=st.sets(st.sampled_from(HOPS[1:])))
    def due(self, closed):
        possible = {t for t, when in self.free(closed).items() if when <= self.now and not self.behind(t)}
        trace = self.chosen(closed)
        for other, entry in self.plain.items():  # who came up in vain waits a second for its parent
            if other in self.free(closed) and entry["when"] <= self.now and self.behind(other):
                self.index.put(other, self.now + 1, entry["level"], entry["hop"])
                entry |= {"when": self.now + 1, "latest": None}
        if trace is None:
            assert not possible
        else:
            assert trace in possible
            self.plain[trace] |= {"claimed": True, "latest": None}

    @rule(closed=st.sets(st.sampled_from(HOPS[1:])))
    def next_time(self, closed):
        times = [self.plain[t]["when"] if self.plain[t]["hop"] not in closed else when
                 for t, when in self.free(closed).items()]
        assert (self.index.next_time(closed) or 0.0) <= min(times, default=0.0) or not times
        if not self.free(closed):
            assert self.looked_up(closed) is None

    @invariant()
    def same_items(self):
        assert self.index.traces() == set(self.plain)


class OfLittleRoom(AgainstAPlainList):
    """The same where lines are looked through all the time for entries that no longer count."""

    def __init__(self):
        super().__init__()
        self.spare, times.SPARE = times.SPARE, 1

    def teardown(self):
        times.SPARE = self.spare


class OfLittlePatience(OfLittleRoom):
    """The same where one call looks at very little: who asks again while the time has come misses nothing."""

    def __init__(self):
        super().__init__()
        self.usual = turns.LOOKS, index_module.AT_ONCE
        turns.LOOKS, index_module.LOOKS, index_module.AT_ONCE = 2, 2, 1

    def teardown(self):
        super().teardown()
        turns.LOOKS, index_module.AT_ONCE = self.usual
        index_module.LOOKS = turns.LOOKS

    def chosen(self, closed):
        for _ in range(200):
            if (trace := self.index.due(self.now, closed)) is not None:
                return trace
            when = self.index.next_time(closed)
            if when is None or when > self.now:
                return None
        raise AssertionError("asked again and again for nothing")

    def looked_up(self, closed):
        for _ in range(200):
            if (when := self.index.next_time(closed)) is None:
                return None
        return when


TestAgainstAPlainList = AgainstAPlainList.TestCase
TestOfLittleRoom = OfLittleRoom.TestCase
TestOfLittlePatience = OfLittlePatience.TestCase


def test_a_change_that_comes_too_late():
    """Somebody claims an item just before it is said to have changed: it is not handed out a second time."""
    index = Index()
    index.load([("a", 1.0, NORMAL)])
    assert due(index) == ["a"]
    index.put("a", 2.0, URGENT)
    assert due(index) == []
    index.again("a", 3.0)
    assert due(index) == ["a"]


def test_changing_its_time_again_and_again_costs_no_memory():
    """An item that is held and let go a hundred thousand times is entered once, and keeps its turn."""
    index = Index()
    index.load((f"other{n}", 50.0 + n, NORMAL) for n in range(10))
    for n in range(100_000):
        index.put("a", 1e9 + n, NORMAL)
        index.put("a", 10.0, NORMAL)
    (line,) = {line for _, _, line in index._entries.values()}
    assert len(line) < 2_000
    assert index.next_time() == 10.0
    assert due(index) == ["a", *(f"other{n}" for n in range(10))]


class Watched(Index):
    """Counts what one call has to do with: entries that it asks about, and that it makes."""

    def __init__(self):
        self.work = 0
        super().__init__()

    def _counts(self, entry):
        self.work += 1
        return super()._counts(entry)

    def _enter(self, trace, when, line):
        self.work += 1
        super()._enter(trace, when, line)

    def _is_limit(self, entry):
        self.work += 1
        return super()._is_limit(entry)

    def costs(self, call, *args):
        """What the call gives, which was not too much work."""
        self.work = 0
        given = call(*args)
        assert self.work <= 3 * turns.LOOKS
        return given

    def all_due(self, now, closed=()):
        found, calls = [], 0
        while True:
            calls += 1
            trace = self.costs(self.due, now, closed)
            when = self.costs(self.next_time, closed)
            if trace is not None:
                found.append(trace)
            elif when is None or when > now:
                return found, calls


MANY = 30_000


def test_all_of_a_long_line_moves_to_another():
    """An administrator has 30,000 items tried: no single question pays for all that they leave behind."""
    index = Watched()
    for n in range(MANY):
        index.costs(index.put, f"t{n:05}", n / MANY, NORMAL, "slow", 1_000.0 + n / MANY)
    for n in range(MANY):
        index.costs(index.put, f"t{n:05}", n / MANY, NORMAL)
    found, calls = index.all_due(100.0, {"slow"})
    assert found == [f"t{n:05}" for n in range(MANY)]
    assert calls < MANY + 1_000
    for trace in found:
        index.costs(index.again, trace, 200.0, "slow", 2_000.0)
    assert sorted(index.all_due(300.0)[0]) == found


def test_many_cannot_wait_any_longer():
    """30,000 items of a closed hop fall due at once whatever it does, after a clock was set: they come in portions."""
    index = Watched()
    for n in range(MANY):
        index.put(f"t{n:05}", 1.0, NORMAL, "down", 50.0)
    found, _ = index.all_due(60.0, {"down"})
    assert sorted(found) == [f"t{n:05}" for n in range(MANY)]


def test_many_derived_items_wait_for_their_parent():
    """They are put off in portions, too, and nobody else waits for that for long."""
    index = Watched()
    index.put("t", 0.0, NORMAL)
    assert index.due(1.0) == "t"
    for n in range(5_000):
        index.put(f"t-r{n}", 0.5, NORMAL)
    index.put("other", 0.9, NORMAL)
    assert index.all_due(1.0)[0] == ["other"]


def test_many_hops_with_nothing_left():
    """10,000 hops of which every item went elsewhere are let go some at a time."""
    index = Watched()
    for n in range(10_000):
        index.put(f"t{n}", 1.0, NORMAL, f"hop{n}")
        index.put(f"t{n}", 500.0, NORMAL)
    assert index.all_due(100.0)[0] == []
    assert index.next_time() == 500.0
