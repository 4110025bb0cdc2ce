"""QUOTA: usage and limits (RFC 9208), from the account's own."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.store import Store


class QuotaTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.signed_in()
        self.house.account.quota = 14 * 1024 * 1024

    def test_usage_and_limit(self):
        """4.1.1 and 4.2.1: KiB of storage, rounded up, and messages, in all folders together."""
        self.house.inbox.put(b"x" * 100)
        self.house.account.folder("Sent").put(b"y" * 2000)
        self.assertEqual(
            self.client.say('G0001 GETQUOTA ""'),
            ['* QUOTA "" (STORAGE 3 14336 MESSAGE 2 4294967295)', "G0001 OK GETQUOTA completed"],
        )

    def test_root_of_a_mailbox(self):
        """4.1.2: every mailbox has the same root, also one that does not exist yet."""
        for name, shown in (("INBOX", "INBOX"), ("inbox", "INBOX"), ('"not yet"', '"not yet"'), ("Sent", "Sent")):
            self.assertEqual(
                self.client.say(f"G0002 GETQUOTAROOT {name}"),
                [f'* QUOTAROOT {shown} ""', '* QUOTA "" (STORAGE 0 14336 MESSAGE 0 4294967295)',
                 "G0002 OK GETQUOTAROOT completed"],
            )

    def test_no_limit(self):
        """An account without a quota has no STORAGE resource; its messages are counted all the same."""
        self.house.account.quota = 0
        self.house.inbox.put(MESSAGE)
        self.assertEqual(self.client.say('a GETQUOTA ""')[0], '* QUOTA "" (MESSAGE 1 4294967295)')

    def test_nobody_sets_it_here(self):
        """SETQUOTA is the administrator's; the words are read, and the quota stays."""
        for arguments in ("(STORAGE 510)", "()", "(STORAGE 510 MESSAGE 9223372036854775807)"):
            self.assertEqual(
                self.client.say(f'S0001 SETQUOTA "" {arguments}'),
                ["S0001 NO [NOPERM] Quotas are set by the administrator"],
            )
        self.assertIn("STORAGE 0 14336", self.client.say('a GETQUOTA ""')[0])

    def test_refused(self):
        """Another root is NO; what cannot be read is BAD; before signing in there is nothing."""
        for line in ('GETQUOTA "#user/alice"', 'SETQUOTA "!partition/sda4" (STORAGE 1)'):
            self.assertTrue(self.client.say(f"a {line}")[0].startswith("a NO [NONEXISTENT]"), line)
        for line in ("GETQUOTA", 'GETQUOTA "" x', "GETQUOTAROOT", 'SETQUOTA ""', 'SETQUOTA "" STORAGE 1',
                     'SETQUOTA "" (STORAGE)', 'SETQUOTA "" (STORAGE x)', 'SETQUOTA "" (STORAGE 1'):
            self.assertTrue(self.client.say(f"a {line}")[0].startswith("a BAD"), line)
            self.client.say("b NOOP")
        self.assertTrue(self.client.say("a GETQUOTAROOT a&b")[0].startswith("a NO [CANNOT]"))
        self.assertTrue(self.house.connect().say('a GETQUOTA ""')[0].startswith("a BAD"))

    def test_what_expunge_would_free(self):
        """4.1.4: how many messages carry \\Deleted, and how many octets they have."""
        for flags in ((), ("\\Deleted",), ("\\Deleted", "\\Seen")):
            self.house.inbox.put(MESSAGE, flags)
        self.assertEqual(
            self.client.say("S0003 STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)")[0],
            f"* STATUS INBOX (MESSAGES 3 DELETED 2 DELETED-STORAGE {2 * len(MESSAGE)})",
        )


class QuotaOnDisk(SynchronousTestCase):
    """With the real store, which counts files and measures messages."""

    def test_it_counts(self):
        """Usage grows with APPEND, says what EXPUNGE would free after STORE, and shrinks with it; full is full."""
        store = Store(self.mktemp(), disk=Disk(), now=lambda: 1_795_000_000.0, host="h", quota=lambda account: 5000)
        self.addCleanup(store.close)
        house = House(store=store)
        client = house.signed_in()
        message = b"Subject: x\r\n\r\n" + b"x" * 2000

        def append():
            client.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(message), message))
            return client.heard()

        self.assertTrue(append().startswith("a OK"))
        self.assertTrue(append().startswith("a OK"))
        self.assertEqual(client.say('a GETQUOTA ""')[0], '* QUOTA "" (STORAGE 4 4 MESSAGE 2 4294967295)')
        self.assertTrue(append().startswith("a NO [OVERQUOTA]"))
        client.say("a SELECT INBOX")
        client.say("a STORE 1 +FLAGS (\\Deleted)")
        status = "a STATUS INBOX (SIZE DELETED DELETED-STORAGE)"
        size = len(message)
        self.assertEqual(
            client.say(status)[0], f"* STATUS INBOX (SIZE {2 * size} DELETED 1 DELETED-STORAGE {size})"
        )
        client.say("a STORE 2 +FLAGS (\\Deleted \\Seen)")
        self.assertEqual(
            client.say(status)[0], f"* STATUS INBOX (SIZE {2 * size} DELETED 2 DELETED-STORAGE {2 * size})"
        )
        client.say("a EXPUNGE")
        self.assertEqual(client.say(status)[0], "* STATUS INBOX (SIZE 0 DELETED 0 DELETED-STORAGE 0)")
        self.assertEqual(client.say('a GETQUOTA ""')[0], '* QUOTA "" (STORAGE 0 4 MESSAGE 0 4294967295)')
