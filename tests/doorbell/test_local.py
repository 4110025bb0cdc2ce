"""Ringing within a process."""

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.fakes import RecordingJournal
from unitymail.doorbell.local import LocalDoorbell
from unitymail.interfaces.doorbell import IDoorbell


class LocalTests(SynchronousTestCase):
    def setUp(self):
        self.journal = RecordingJournal()
        self.bell = LocalDoorbell(self.journal)

    def test_whoever_listens_hears(self):
        """All listeners of the account, nobody else's, until they stop."""
        verifyObject(IDoorbell, self.bell)
        heard = []
        stop = self.bell.listen("robin", lambda folder: heard.append(("one", folder)))
        self.bell.listen("robin", lambda folder: heard.append(("two", folder)))
        self.bell.listen("chris", lambda folder: heard.append(("chris", folder)))
        self.bell.ring("robin", "INBOX")
        stop()
        stop()
        self.bell.ring("robin", "Sent")
        self.assertEqual(heard, [("one", "INBOX"), ("two", "INBOX"), ("two", "Sent")])

    def test_a_listener_that_fails_harms_nobody(self):
        """The others hear, the ringer goes on, the journal has the cause."""
        heard = []
        self.bell.listen("robin", lambda folder: 1 / 0)
        self.bell.listen("robin", heard.append)
        self.bell.ring("robin", "INBOX")
        self.assertEqual(heard, ["INBOX"])
        self.assertIsInstance(self.journal.named("trouble")[0].args[1], ZeroDivisionError)

    def test_listeners_may_come_and_go_while_it_rings(self):
        """One that stops itself or starts another is no trouble."""
        heard = []

        def once(folder):
            heard.append(folder)
            stop()
            self.bell.listen("robin", heard.append)

        stop = self.bell.listen("robin", once)
        self.bell.ring("robin", "A")
        self.bell.ring("robin", "B")
        self.assertEqual(heard, ["A", "B"])
        self.assertEqual(self.journal.events, [])

    def test_nothing_stays_behind(self):
        """Listeners that left leave no account behind."""
        self.bell.listen("robin", print)()
        self.assertEqual(self.bell._listeners, {})
