"""Deliveries that the courier makes: for those beyond the hundredth, and for what could not be linked at once."""

from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.courier.fake_relay import PEER
from tests.courier.room import a_courier, pass_time, waiting_items
from tests.fakes import CHRIS, ROBIN, TERRY
from tests.spool.room import receive
from unitymail.interfaces.errors import TryAgain
from unitymail.routing.steps import Deliver

USERS = (ROBIN, CHRIS, TERRY)


class DeliverTests(SynchronousTestCase):
    def setUp(self):
        self.room = a_courier(self.mktemp())
        self.room.store.broken.update(user.id for user in USERS)

    def send(self):
        """A message that nobody's mailbox takes at first."""
        steps = [Deliver(user.id, user.address) for user in USERS]
        self.successResultOf(receive(self.room, "t1", b"\r\nx\r\n", *steps)[0])

    def delivered(self):
        return [event.args[1] for event in self.room.journal.named("delivered")]

    def test_tried_again(self):
        """Mailboxes that were in trouble get the message once they are well, said once to each."""
        self.send()
        self.assertEqual(self.delivered(), [])
        self.room.store.broken.clear()
        pass_time(self.room, 300)
        self.assertEqual(self.delivered(), [user.id for user in USERS])
        self.assertEqual(len(self.room.store.mailbox(ROBIN.id)), 1)
        self.assertEqual(waiting_items(self.room), [])

    def test_after_a_restart(self):
        """Before a crash a mailbox may have had it, though no attempt was noted: the store hears that, and looks."""
        self.room.courier.stop()
        self.send()
        self.room.store.broken.clear()
        item = self.successResultOf(self.room.spool.queue.claim("t1"))
        state = replace(item.steps[0], attempts=0)
        performer = self.room.performers.of(state.step)
        for fresh in (True, False):
            d = Deferred.fromCoroutine(performer.perform(replace(item, fresh=fresh), state))
            self.assertEqual(self.successResultOf(d).kind, "done")
            self.assertEqual(self.room.store.calls[-1][2], not fresh)

    def test_one_mailbox_that_cannot_be_made_durable(self):
        """It is tried again alone: for the others the message is delivered, and nobody hears of a failure."""
        make_durable, bad = self.room.store.make_durable, {CHRIS.id}

        def trouble_with_chris(accounts):
            if bad & set(accounts):
                raise TryAgain(why="for the test")
            make_durable(accounts)

        self.room.store.make_durable = trouble_with_chris
        self.send()
        self.room.store.broken.clear()
        pass_time(self.room, 150)
        self.assertEqual(self.delivered(), [ROBIN.id, TERRY.id])
        (item,) = waiting_items(self.room)
        self.assertEqual([state.step.account for state in item.steps if state.outcome is None], [CHRIS.id])
        bad.clear()
        pass_time(self.room, 3_600)
        self.assertEqual(self.delivered(), [ROBIN.id, TERRY.id, CHRIS.id])
        self.assertEqual(waiting_items(self.room), [])

    def test_a_user_deleted_meanwhile(self):
        """The sender hears that the mailbox is no longer here; the others get the message."""
        self.send()
        self.room.store.broken.clear()
        user = self.room.book.user
        self.room.book.user = lambda id: None if id == CHRIS.id else user(id)
        pass_time(self.room, 300)
        self.assertEqual(self.delivered()[:2], [ROBIN.id, TERRY.id])
        (failed,) = self.room.journal.named("failed")
        self.assertEqual((failed.args[1].account, failed.args[2]), (CHRIS.id, "5.1.1"))

    def test_a_user_moved_to_another_server_meanwhile(self):
        """Nothing goes into the mailbox that stayed behind, which nobody reads: the sender hears of it."""
        self.send()
        self.room.store.broken.clear()
        user = self.room.book.user
        self.room.book.user = lambda id: replace(user(id), home=PEER.id) if id == CHRIS.id else user(id)
        pass_time(self.room, 150)
        self.assertNotIn(("t1", CHRIS.id), [event.args[:2] for event in self.room.journal.named("delivered")])
        self.assertFalse([name for name in self.room.store.mailbox(CHRIS.id) if ".t1." in name])
        (failed,) = self.room.journal.named("failed")
        self.assertEqual((failed.args[1].account, failed.args[2]), (CHRIS.id, "5.1.6"))
