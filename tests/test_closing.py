"""Rooms are closed in the reverse of their opening, whatever goes wrong with one of them."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from unitymail.closing import Closing


class ClosingTests(SynchronousTestCase):
    def test_the_last_opened_is_closed_first_and_waited_for(self):
        """What others build on outlives them."""
        ended, waiting, closing = [], Deferred(), Closing()
        closing.add("the ground", lambda: ended.append("ground"))
        closing.add("the roof", lambda: (ended.append("roof"), waiting)[1])
        done = Deferred.fromCoroutine(closing.close(self.fail))
        self.assertEqual(ended, ["roof"])
        waiting.callback(None)
        self.successResultOf(done)
        self.assertEqual(ended, ["roof", "ground"])

    def test_a_failure_does_not_keep_the_others_open(self):
        """One that cannot be closed is noted; the rest is closed."""
        ended, noted, closing = [], [], Closing()
        closing.add("the ground", lambda: ended.append("ground"))
        closing.add("the roof", lambda: 1 / 0)
        self.successResultOf(Deferred.fromCoroutine(closing.close(lambda what, error: noted.append(what))))
        self.assertEqual((ended, noted), (["ground"], ["stopping the roof"]))
