"""What a client hears of a long command (RFC 9585): when, and in which words."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from unitymail.imap.progress import Progress, Still, octets_of


class ProgressTests(SynchronousTestCase):
    def test_words(self):
        """The forms of RFC 9585: both numbers, a count alone, nothing known."""
        self.assertEqual(octets_of(b"A001", 454, 1000), b'* OK [INPROGRESS ("A001" 454 1000)] 454 of 1000 done\r\n')
        self.assertEqual(octets_of(b"A001", 175, None), b'* OK [INPROGRESS ("A001" 175 NIL)] 175 done so far\r\n')
        self.assertEqual(
            octets_of(b"A001", None, None), b'* OK [INPROGRESS ("A001" NIL NIL)] Still working on it\r\n'
        )

    def test_a_tag_that_would_end_the_code(self):
        """A tag with a bracket is NIL."""
        self.assertEqual(octets_of(b"A]1", 1, 2), b"* OK [INPROGRESS (NIL 1 2)] 1 of 2 done\r\n")

    def test_never_done(self):
        """A goal is greater than what was done, and positive; a goal without a count is none."""
        self.assertIn(b'("a" 9 10)', octets_of(b"a", 10, 10))
        self.assertIn(b'("a" 9 10)', octets_of(b"a", 12, 10))
        self.assertIn(b'("a" 0 NIL)', octets_of(b"a", 0, 0))
        self.assertIn(b'("a" NIL NIL)', octets_of(b"a", None, 10))

    def test_when(self):
        """First after ten seconds, then every ten, however often it is asked."""
        progress = Progress()
        progress.begin(b"a", 100.0)
        told = [second for second in range(100, 141) if progress.due(float(second))]
        self.assertEqual(told, [110, 120, 130, 140])
        progress.begin(b"b", 141.0)
        self.assertFalse(progress.due(150.0))

    def test_still(self):
        """What cannot be counted is said to go on, until it is over."""
        clock, said = Clock(), []
        still = Still(clock, lambda: said.append(clock.seconds()))
        clock.pump([1] * 25)
        still.stop()
        clock.pump([1] * 25)
        self.assertEqual((said, clock.getDelayedCalls()), ([10, 20], []))
