"""Waiting for several that work side by side."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from unitymail.courier.arrivals import Arrivals


class ArrivalsTests(SynchronousTestCase):
    def test_what_is_here_is_taken_together(self):
        """Nobody waits for the last one before the first is seen to."""
        arrivals = Arrivals(3)
        first = Deferred.fromCoroutine(arrivals.some())
        self.assertNoResult(first)
        arrivals.bring("a")
        self.assertTrue(self.successResultOf(first))
        arrivals.bring("b")
        self.assertEqual((arrivals.take(), arrivals.missing), (["a", "b"], 1))
        second = Deferred.fromCoroutine(arrivals.some())
        arrivals.bring("c")
        self.assertTrue(self.successResultOf(second))
        self.assertEqual(arrivals.take(), ["c"])
        self.assertFalse(self.successResultOf(Deferred.fromCoroutine(arrivals.some())))
