"""WITHIN (RFC 5032): messages by their age in seconds."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House

NOW = 1_000_000.0


class Ages(SynchronousTestCase):
    """Messages that arrived 0, 100, 259,200 and 600,000 seconds ago."""

    def setUp(self):
        self.house = House()
        self.house.clock.advance(NOW - self.house.clock.seconds())
        for age in (0, 100, 259_200, 600_000):
            self.house.inbox.put(b"Subject: s\r\n\r\n", date=NOW - age)
        self.client = self.house.selected()

    def test_older_and_younger(self):
        """The boundary belongs to both; all is by the internal date."""
        for criteria, found in (
            ("OLDER 259200", "3 4"), ("YOUNGER 259200", "1 2 3"), ("YOUNGER 259199", "1 2"),
            ("OLDER 1 YOUNGER 200", "2"),
            ("NOT YOUNGER 1000", "3 4"), ("OR OLDER 500000 YOUNGER 50", "1 4"), ("OLDER 4294967295", ""),
            ("YOUNGER 4294967295", "1 2 3 4"),
        ):
            self.assertEqual(self.client.say(f"a1 SEARCH UNSEEN {criteria}")[0].removeprefix("* SEARCH").strip(), found)

    def test_time_goes_by(self):
        """The age is that at the moment of the search."""
        self.house.clock.advance(10)
        self.assertEqual(self.client.say("a SEARCH YOUNGER 105")[0], "* SEARCH 1")

    def test_bad(self):
        """Zero, signs and other words are no ages."""
        for criteria in ("OLDER", "OLDER 0", "OLDER -5", "YOUNGER 1.5", "YOUNGER 4294967296"):
            self.assertTrue(self.client.say("a SEARCH " + criteria)[0].startswith("a BAD "), criteria)
