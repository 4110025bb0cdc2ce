"""What a client did itself is recognised, for a while, and never more than it did."""

from dataclasses import replace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from unitymail.imap.notify.own import MOST_UIDS, REMEMBERED_S, Own
from unitymail.imap.notify.state import Moved
from unitymail.imap.notify.wish import NAMES, SUBSCRIPTIONS
from unitymail.interfaces.store import FolderInfo, FolderStatus

BEFORE = FolderStatus(3, 0, 1, 10, 7, 20, 300, 0, "F1")


def moved(**now):
    return Moved(FolderInfo("A", mailboxid="F1"), BEFORE, replace(BEFORE, **now))


class OwnTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.own = Own(self.clock.seconds)

    def test_names(self):
        """An event of this kind, of this name or of one above it, until some time has passed."""
        self.own.add(NAMES, "A/B")
        explained = [self.own.explains(*deed) for deed in
                     ((NAMES, "A/B"), (NAMES, "A"), (NAMES, "A/B/C"), (NAMES, "A/"), (SUBSCRIPTIONS, "A/B"))]
        self.assertEqual(explained, [True, True, False, False, False])
        self.clock.advance(REMEMBERED_S)
        self.assertFalse(self.own.explains(NAMES, "A/B"))

    def test_messages(self):
        """All that came was put there by the client, and nothing left: that once."""
        self.own.add_messages("A", [10, 11])
        self.assertFalse(self.own.explains_all(moved(messages=6, uidnext=13)))
        self.assertFalse(self.own.explains_all(moved(messages=4, uidnext=12)))
        self.assertFalse(self.own.explains_all(moved(messages=2)))
        self.assertTrue(self.own.explains_all(moved(messages=5, uidnext=12)))
        self.assertFalse(self.own.explains_all(moved(messages=5, uidnext=12)))

    def test_bounded(self):
        """Very many are not remembered: then they are told."""
        self.own.add_messages("A", range(10, 10 + MOST_UIDS + 1))
        self.assertEqual(self.own.take_messages("A"), set())
