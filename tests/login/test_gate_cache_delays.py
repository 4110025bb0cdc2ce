"""The three small guards of signing in: the way in, the minute's memory, and the wait of guessers."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from unitymail.login.cache import KEPT_S, GoodSignIns
from unitymail.login.delays import LONGEST_DELAY_S, Delays
from unitymail.login.gate import Crowd, Full, Gate, Share


class GateTests(SynchronousTestCase):
    def enter(self, gate, name, until):
        async def inside():
            async with gate.entered(name):
                await until

        return Deferred.fromCoroutine(inside())

    def test_one_at_a_time_for_a_name(self):
        """The second waits for the first; another name does not."""
        gate, first, second, other = Gate(10, 10), Deferred(), Deferred(), Deferred()
        one = self.enter(gate, "robin", first)
        two = self.enter(gate, "robin", second)
        three = self.enter(gate, "chris", other)
        other.callback(None)
        self.successResultOf(three)
        second.callback(None)
        self.assertNoResult(two)
        first.callback(None)
        self.successResultOf(one)
        self.successResultOf(two)
        self.assertEqual((gate._inside, gate._locks), (0, {}))

    def test_no_more_than_will_be_served(self):
        """Beyond the bound, in all or for one name, callers are turned away at once and nothing is left behind."""
        gate, wait = Gate(3, 1), Deferred()
        inside = [self.enter(gate, "robin", wait), self.enter(gate, "robin", wait)]
        self.failureResultOf(self.enter(gate, "robin", wait), Full)
        inside.append(self.enter(gate, "chris", wait))
        self.failureResultOf(self.enter(gate, "terry", wait), Full)
        wait.callback(None)
        for one in inside:
            self.successResultOf(one)
        self.assertEqual((gate._inside, gate._locks), (0, {}))

    def test_a_failure_inside_lets_the_next_in(self):
        """An error is no lock for ever."""
        gate, wait = Gate(3, 3), Deferred()
        failing = self.enter(gate, "robin", wait)
        wait.errback(ZeroDivisionError())
        self.failureResultOf(failing, ZeroDivisionError)
        done = Deferred()
        done.callback(None)
        self.successResultOf(self.enter(gate, "robin", done))


class ShareTests(SynchronousTestCase):
    def test_what_one_may_have(self):
        """One key has no more than its share, another has its own, and who has left leaves nothing behind."""
        share = Share(1)
        with share.taken("10.0.0.1"), share.taken("10.0.0.2"):
            with self.assertRaises(Crowd), share.taken("10.0.0.1"):
                self.fail("beyond the share")
        with share.taken("10.0.0.1"):
            self.assertEqual(dict(share._taken), {"10.0.0.1": 1})
        self.assertEqual(dict(share._taken), {})


class CacheTests(SynchronousTestCase):
    def test_only_the_same_password_within_a_minute(self):
        """Another password, another user, or a minute later: hash again."""
        good = GoodSignIns()
        good.remember("robin", b"tulips", 3, 100.0)
        self.assertEqual(good.version("robin", b"tulips", 159.9), 3)
        self.assertIsNone(good.version("robin", b"roses", 101.0))
        self.assertIsNone(good.version("chris", b"tulips", 101.0))
        self.assertIsNone(good.version("robin", b"tulips", 100.0 + KEPT_S))
        self.assertIsNone(good.version("robin", b"tulips", 99.0))
        good.forget("robin")
        self.assertIsNone(good.version("robin", b"tulips", 101.0))

    def test_no_password_is_kept(self):
        """Nothing in memory that belongs to the cache holds it."""
        good = GoodSignIns()
        good.remember("robin", b"tulips at noon", 3, 100.0)
        self.assertNotIn("tulips", repr(vars(good)))

    def test_it_is_bounded(self):
        """However many users sign in, the oldest are forgotten."""
        from unittest import mock

        good = GoodSignIns()
        with mock.patch("unitymail.login.cache.MOST", 50):
            for number in range(500):
                good.remember(f"u{number}", b"x", 1, 100.0)
            self.assertLessEqual(len(good._good), 50)
            self.assertEqual(good.version("u499", b"x", 101.0), 1)


class DelayTests(SynchronousTestCase):
    def waits(self, delays, client, count):
        found = []
        for _ in range(count):
            found.append(delays.before(client, 100.0))
            delays.failed(client, 100.0)
        return found

    def test_a_few_errors_are_free_then_it_grows(self):
        """Typing errors cost nothing; guessing costs more each time, up to four seconds."""
        self.assertEqual(self.waits(Delays(), "10.0.0.1", 10), [0, 0, 0, 0, 0.25, 0.5, 1, 2, 4, LONGEST_DELAY_S])

    def test_neighbours_are_not_punished(self):
        """Another address waits for nothing, except within one IPv6 customer's network."""
        delays = Delays()
        self.waits(delays, "10.0.0.1", 9)
        self.assertEqual(delays.before("10.0.0.2", 100.0), 0)
        self.assertEqual(delays.before("::ffff:10.0.0.1", 100.0), LONGEST_DELAY_S)
        self.waits(delays, "2001:db8::1", 9)
        self.assertEqual(delays.before("2001:db8::2", 100.0), LONGEST_DELAY_S)
        self.assertEqual(delays.before("2001:db8:1::1", 100.0), 0)

    def test_ten_quiet_minutes_forgive(self):
        """Also when the clock was put back."""
        for later in (701.0, -600.0):
            delays = Delays()
            self.waits(delays, "10.0.0.1", 9)
            self.assertEqual(delays.before("10.0.0.1", later), 0)

    def test_one_success_takes_one_failure_back(self):
        """An attacker with one account of their own gains nothing by using it."""
        delays = Delays()
        self.waits(delays, "10.0.0.1", 6)
        delays.succeeded("10.0.0.1")
        self.assertEqual(delays.before("10.0.0.1", 100.0), 0.5)

    def test_memory_is_bounded(self):
        """A flood from many addresses forgets the oldest."""
        from unittest import mock

        delays = Delays()
        with mock.patch("unitymail.login.delays.MOST_ADDRESSES", 20):
            for number in range(200):
                delays.failed(f"10.0.{number}.1", 100.0)
        self.assertLessEqual(len(delays._failures), 20)
