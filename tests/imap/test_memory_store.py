"""The store in memory keeps the promises its users build on."""

import os
from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.imap.memory_store import MemoryStore
from unitymail.interfaces.store import (
    BadFolderName,
    FolderExists,
    IAccount,
    IContent,
    IFolder,
    IStore,
    NoSuchFolder,
    OverQuota,
    TooManyKeywords,
)

HELLO = b"Subject: hello\r\n\r\nworld\r\n"


class MemoryStoreTests(SynchronousTestCase):
    def setUp(self):
        self.store = MemoryStore()
        self.account = self.store.account("u-robin")
        self.inbox = self.account.folder("inbox")

    def test_interfaces(self):
        """It provides what the interfaces name."""
        self.inbox.put(HELLO)
        verifyObject(IStore, self.store)
        verifyObject(IAccount, self.account)
        verifyObject(IFolder, self.inbox)
        verifyObject(IContent, self.inbox.content(1))

    def test_recent_goes_to_one(self):
        """A message is recent for the first who claims it, and not again."""
        self.inbox.put(HELLO)
        self.inbox.put(HELLO)
        self.assertEqual(self.inbox.peek_recent(), 1)
        self.assertEqual(self.inbox.claim_recent(), (1, 2))
        self.assertEqual(self.inbox.claim_recent(), (1, 0))
        self.assertEqual(self.inbox.peek_recent(), 3)

    def test_flags(self):
        """Flags change only where they differ; keywords keep their first spelling; MODSEQ rises."""
        for _ in range(3):
            self.inbox.put(HELLO)
        before = self.inbox.snapshot.highest_modseq
        after, left = self.inbox.store([1, 3], "add", ["\\seen", "Work"])
        self.assertEqual((left, self.inbox.flags_of(3)), ((), {"\\Seen", "Work"}))
        self.assertGreater(after.highest_modseq, before)
        again, _ = self.inbox.store([1], "add", ["WORK"])
        self.assertIs(again, self.inbox.snapshot)
        self.assertEqual(again.serial, after.serial)
        _, left = self.inbox.store([1, 2], "replace", ["\\Flagged"], unchanged_since=before)
        self.assertEqual((left, self.inbox.flags_of(2)), ((1,), {"\\Flagged"}))
        self.assertRaises(TooManyKeywords, self.inbox.store, [1], "add", [f"k{n}" for n in range(201)])

    def test_expunge_copy_move(self):
        """Expunge takes the deleted ones; copy and move pair UIDs; flags travel."""
        for n in range(4):
            self.inbox.put(b"%d\r\n\r\n" % n, ["\\Deleted"] if n % 2 else ["\\Seen"])
        junk = self.account.folder("Junk")
        copied = self.inbox.copy([4, 1, 9], junk)
        self.assertEqual((copied.sources, copied.targets), ((1, 4), (1, 2)))
        self.assertEqual(junk.flags_of(1), {"\\Seen"})
        self.inbox.expunge([2])
        self.assertEqual(list(self.inbox.snapshot.uids), [1, 3, 4])
        self.assertEqual(self.inbox.move([3], self.inbox).targets, (5,))
        self.assertEqual(list(self.inbox.expunge().uids), [1, 5])
        self.assertTrue(all(a < b for a, b in pairwise(self.inbox.snapshot.uids)))

    def test_append_and_quota(self):
        """APPEND takes the file; a full mailbox refuses it."""
        fd, path = self.account.new_file()
        os.write(fd, HELLO)
        os.close(fd)
        self.account.quota = 1
        self.assertRaises(OverQuota, self.inbox.append, path, [], None)
        self.account.quota = None
        self.assertEqual(self.inbox.append(path, ["\\Draft"], 0.0), 1)
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.inbox.rows([1], ["size", "internaldate"]),
                         [(1, len(HELLO), b'" 1-Jan-1970 00:00:00 +0000"')])

    def test_arrival(self):
        """What arrives is seen by the next refresh."""
        self.inbox.arrive(HELLO)
        self.assertEqual(list(self.inbox.snapshot.uids), [])
        self.assertEqual(list(self.inbox.refresh().uids), [1])

    def test_names(self):
        """Parents are made, children follow a rename, a parent stays as a name, INBOX gives up its messages."""
        self.account.create("a/b/c")
        self.assertRaises(FolderExists, self.account.create, "a/b/c")
        self.assertRaises(BadFolderName, self.account.create, "a//c")
        self.account.rename("a/b", "x/y")
        self.assertIs(self.account.folder("x/y/c").name, self.account.folder("x/y/c").name)
        self.account.delete("x/y")
        self.assertRaises(NoSuchFolder, self.account.folder, "x/y")
        found = {f.name: (f.selectable, f.has_children) for f in self.account.folders()}
        self.assertEqual((found["x/y"], found["x/y/c"]), ((False, True), (True, False)))
        self.inbox.put(HELLO)
        self.account.rename("INBOX", "old")
        self.assertEqual((len(self.inbox.snapshot.uids), len(self.account.folder("old").snapshot.uids)), (0, 1))

    def test_contents_are_counted(self):
        """A content not closed is visible to a test."""
        self.inbox.put(HELLO)
        content = self.inbox.content(1)
        self.assertEqual(self.store.open_contents, 1)
        content.close()
        content.close()
        self.assertEqual((self.store.open_contents, self.inbox.content(7)), (0, None))
