"""A worker asks for places: answers in any order, late ones, none at all, and a parent that is gone."""

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.ledger import Count, Full, Ticket
from unitymail.ledger.lending import Lending
from unitymail.ledger.local import LocalLedger
from unitymail.ledger.remote import WITHIN_S, RemoteLedger
from unitymail.ledger.words import Back, Take

COUNTS = (Count("smtp", "", 2),)


class RemoteTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.said = []
        self.remote = RemoteLedger(self.said.append, self.clock)
        self.ledger = LocalLedger()
        self.lending = Lending(self.ledger)

    def answers(self):
        """What the parent says to all it heard."""
        heard, self.said[:] = list(self.said), []
        return [answer for word in heard if (answer := self.lending.hear(word)) is not None]

    def test_answers_in_another_order(self):
        """Each asker gets the answer to its own question."""
        asked = [self.remote.take(COUNTS, f"client {number}") for number in range(3)]
        for answer in reversed(self.answers()):
            self.remote.hear(answer)
        found = [self.successResultOf(one) for one in asked]
        self.assertEqual(found[:2], [Ticket(1), Ticket(2)])
        self.assertEqual(found[2], Full(COUNTS[0], {"client 0": 1, "client 1": 1}))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_answer(self):
        """Nobody waits for ever, and what is granted too late is given back."""
        asked = self.remote.take(COUNTS)
        self.clock.advance(WITHIN_S)
        error = self.failureResultOf(asked, TryAgain).value
        self.assertEqual((error.reply.code, error.reply.enhanced), (421, "4.3.2"))
        for answer in self.answers():
            self.remote.hear(answer)
        self.assertEqual(self.said, [Back(1)])
        self.answers()
        self.assertEqual(self.ledger.held("smtp"), 0)

    def test_the_asker_left(self):
        """Its place is given back as soon as it is granted."""
        asked = self.remote.take(COUNTS)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        for answer in self.answers():
            self.remote.hear(answer)
        self.answers()
        self.assertEqual(self.ledger.held("smtp"), 0)

    def test_an_answer_twice(self):
        """A second answer to one question frees what it grants; a refusal to nobody is nothing."""
        asked = self.remote.take(COUNTS)
        [answer] = self.answers()
        self.remote.hear(answer)
        self.successResultOf(asked)
        self.remote.hear(answer)
        self.assertEqual(self.said, [Back(answer.ticket)])

    def test_the_parent_is_gone(self):
        """Who waits is told so, who asks later too, and nothing more is said."""
        asked = self.remote.take(COUNTS)
        self.said.clear()
        self.remote.lost()
        self.failureResultOf(asked, TryAgain)
        self.failureResultOf(self.remote.take(COUNTS), TryAgain)
        self.remote.give_back(Ticket(1))
        self.assertEqual(self.said, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_is_asked(self):
        """The counts and the note reach the parent as they are."""
        self.remote.take(COUNTS, "192.0.2.1")
        self.assertEqual(self.said, [Take(1, COUNTS, "192.0.2.1")])
