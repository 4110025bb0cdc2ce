"""What a process of the node opens stays its own: a program that it starts has none of it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from tests.fakes import FakeUsage, RecordingJournal
from tests.spool.room import HOST, receive
from unitymail.directory.sql.database import Database
from unitymail.disk import Disk
from unitymail.doorbell.unix import Doorbell
from unitymail.history.history import History
from unitymail.journal.lines import Lines
from unitymail.lock import FolderLock
from unitymail.spool.spool import Spool
from unitymail.store.quota import Usage
from unitymail.store.store import Store
from unitymail.threads import Threads

LISTED = "import os; print([n for n in os.listdir('/proc/self/fd') if os.path.lexists(f'/proc/self/fd/{n}')])"


def held_by_a_child():
    """The descriptors of a child that closes none itself: those that were left open for it."""
    program = [sys.executable, "-I", "-S", "-c", LISTED]
    return subprocess.run(program, close_fds=False, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout


class DescriptorsTests(TestCase):
    timeout = 60

    async def test_a_child_holds_only_what_it_was_given(self):
        """Mailboxes, spool, history, directory, doorbell, journal, lock and connections: all close in a new program."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        before, root, disk, journal = held_by_a_child(), folder.name, Disk(), RecordingJournal()
        threads = Threads(reactor, "all", 2)
        threads.start()
        self.addCleanup(threads.stop)
        lock = FolderLock(root)
        lock.take()
        self.addCleanup(lock.release)
        lines = Lines(os.path.join(root, "log"), reactor.callLater)
        self.addCleanup(lines.close)
        bell = Doorbell(os.path.join(root, "run"), reactor=reactor, journal=journal)
        bell.start()
        self.addCleanup(bell.stop)
        usage = Usage(os.path.join(root, "usage"), disk, processes=2)
        usage.add("u-robin", 1)
        store = Store(os.path.join(root, "accounts"), disk=disk, now=reactor.seconds, host=HOST, usage=usage)
        self.addCleanup(store.close)
        self.spool = Spool(
            os.path.join(root, "spool"), disk=disk, threads=threads, store=store, doorbell=bell, journal=journal,
            clock=reactor, host=HOST, usage=FakeUsage(), shared=True,
        )
        self.addCleanup(self.spool.stop)
        await self.spool.recover()
        await receive(self, "t1", xid="peer.1")[0]
        large = self.spool.receive("t2")
        large.write(b"x" * 100_000)
        self.addCleanup(large.abandon)
        store.account("u-robin").folder("INBOX").refresh()
        history = History(
            os.path.join(root, "history"), disk=disk, clock=reactor, threads=threads, days=lambda: 1, journal=journal
        )
        history.start()
        history.note("t1", "delivered", {})
        self.addCleanup(history.stop)
        database = Database(os.path.join(root, "directory"))
        database.make()
        self.addCleanup(database.close)
        with database.reading():
            now = held_by_a_child()
        self.assertEqual(now, before)
        self.assertGreater(len(list(Path("/proc/self/fd").iterdir())), 20)
