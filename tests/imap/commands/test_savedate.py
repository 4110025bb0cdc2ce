"""SAVEDATE (RFC 8514), as a client sees it."""

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.store import Store

SAVED = '"18-Nov-2026 11:06:40 +0000"'


class SaveDates(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.house.inbox.put(MESSAGE, date=1_000_000_000.0)
        self.client = self.house.selected()

    def test_fetched(self):
        """When the message came into the mailbox, whatever its internal date."""
        self.assertEqual(self.client.say("a FETCH 1 SAVEDATE")[0], f"* 1 FETCH (SAVEDATE {SAVED})")
        self.assertEqual(
            self.client.say("a FETCH 1 (UID SAVEDATE INTERNALDATE)")[0],
            f'* 1 FETCH (UID 1 SAVEDATE {SAVED} INTERNALDATE " 9-Sep-2001 01:46:40 +0000")',
        )

    def test_searched(self):
        """The keys of the RFC are there with it."""
        self.assertEqual(self.client.say("a SEARCH SAVEDON 18-Nov-2026"), ["* SEARCH 1", "a OK SEARCH completed"])
        self.assertEqual(self.client.say("a SEARCH SAVEDBEFORE 18-Nov-2026"), ["* SEARCH", "a OK SEARCH completed"])
        self.assertEqual(self.client.say("a SEARCH SAVEDSINCE 18-Nov-2026"), ["* SEARCH 1", "a OK SEARCH completed"])
        self.assertEqual(self.client.say("a SEARCH SAVEDATESUPPORTED"), ["* SEARCH 1", "a OK SEARCH completed"])

    def test_announced(self):
        """The capability is there."""
        self.assertIn(" SAVEDATE ", self.client.say("a CAPABILITY")[0])


@pytest.mark.parametrize("command", ["copy", "move"])
def test_a_copy_is_saved_when_it_is_made(tmp_path, command):
    """COPY and MOVE give the message a new save date in the other mailbox (RFC 8514 4.1)."""
    times = [1_795_000_000.0]
    store = Store(str(tmp_path), disk=Disk(), now=lambda: times[0], host="h")
    try:
        account = store.account("u")
        inbox = account.folder("INBOX")
        descriptor, path = account.new_file()
        with open(descriptor, "wb") as file:
            file.write(MESSAGE)
        inbox.append(path, [], 1_000_000_000.0)
        assert inbox.rows([1], ["saved"]) == [(1, 1_795_000_000)]
        times[0] += 86_400
        junk = account.folder("Junk")
        getattr(inbox, command)([1], junk)
        assert junk.rows([1], ["saved"]) == [(1, 1_795_086_400)]
    finally:
        store.close()
