"""The ways out end, whatever a next hop does."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from unitymail.ways_out import end_together


class EndTogether(SynchronousTestCase):
    def test_the_courier_waits_for_messages_that_only_the_relay_can_end(self):
        """Nothing more is begun, what is under way is given up in time, and then both have ended."""
        told, stopped, closed = [], Deferred(), Deferred()

        class Courier:
            def stop(self):
                told.append("courier")
                return stopped

        class Relay:
            async def close(self):
                told.append("relay")
                await closed

        done = Deferred.fromCoroutine(end_together(Courier(), Relay()))
        self.assertEqual(told, ["courier", "relay"])
        self.assertNoResult(done)
        closed.callback(None)
        self.assertNoResult(done)
        stopped.callback(None)
        self.successResultOf(done)
