"""Peers that send again what they sent before, at a door with the real spool behind it: one copy, always."""

import pathlib
import shutil

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests.fakes import ROBIN
from tests.smtp.conversation import LETTER, codes
from tests.smtp.peers import TELLS, proven
from tests.smtp.test_connection import reactor_clock
from tests.spool.room import a_spool
from unitymail.threads import Threads

MAIL = f"MAIL FROM:<chris@vm1.example.com> {TELLS}"


class NeverTwice(TestCase):
    async def setUp(self):
        self.folder = pathlib.Path(self.mktemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.threads = Threads(reactor, "commit", 2)
        self.threads.start()
        self.addCleanup(self.threads.stop)
        await self.open(self.folder / "a")

    async def open(self, folder):
        """A spool on what is on disk there."""
        self.room = a_spool(folder, threads=self.threads, clock=reactor)
        await self.room.spool.recover()
        self.addCleanup(self.room.spool.stop)

    def begin(self, *recipients, mail=MAIL):
        """A peer up to the last octet but the final dot."""
        c = proven(spool=self.room.spool, clock=reactor_clock(), threads=self.threads)
        assert c.codes(mail, *(f"RCPT TO:<{r}>" for r in recipients), "DATA")[-1] == "354"
        c.send(LETTER)
        self.addCleanup(c.hang_up)
        return c

    async def end(self, c):
        """The final dot, and the code of its reply once it is there."""
        return codes(c.send(b".\r\n") or await self.answer(c))

    async def answer(self, c):
        while not (said := c.heard()):
            turn = Deferred()
            reactor.callLater(0.005, turn.callback, None)
            await turn
        return said

    def copies(self, account=ROBIN.id):
        return len(self.room.store.mailbox(account))

    async def test_again(self):
        """The connection ended before the reply came; the next attempt is answered and stores nothing."""
        first = self.begin("robin@vm1.example.com")
        self.assertEqual(await self.end(first), ["250 2.0.0"])
        self.assertEqual(await self.end(self.begin("robin@vm1.example.com")), ["250 2.0.0"])
        self.assertEqual(self.copies(), 1)

    async def test_a_connection_that_ends_after_the_dot(self):
        """The client is gone before the message is durable; it is kept once, and the next attempt knows."""
        first = self.begin("robin@vm1.example.com")
        first.send(b".\r\n")
        first.hang_up()
        self.assertEqual(await self.end(self.begin("robin@vm1.example.com")), ["250 2.0.0"])
        self.assertEqual(self.copies(), 1)

    async def test_two_at_once(self):
        """Several connections with the same transaction: one copy, and whoever is answered 250 may forget it."""
        clients = [self.begin("robin@vm1.example.com") for _ in range(5)]
        for each in clients:
            each.said = each.send(b".\r\n")
        for each in clients:
            self.assertEqual(codes(each.said or await self.answer(each)), ["250 2.0.0"])
        self.assertEqual(self.copies(), 1)

    async def test_two_at_once_for_different_recipients(self):
        """One of them is told to come again, or both are done; in the end each recipient has one copy."""
        one, two = self.begin("robin@vm1.example.com"), self.begin("robin@vm1.example.com", "terry@vm1.example.com")
        one.said, two.said = one.send(b".\r\n"), two.send(b".\r\n")
        for each in (one, two):
            [said] = codes(each.said or await self.answer(each))
            self.assertIn(said[:3], ("250", "451"))
        again = self.begin("robin@vm1.example.com", "terry@vm1.example.com")
        self.assertEqual(await self.end(again), ["250 2.0.0"])
        self.assertEqual((self.copies(), self.copies("u-terry")), (1, 1))

    async def test_after_a_crash(self):
        """What was durable is remembered by the next process, whose disk is as it was at that moment."""
        self.assertEqual(await self.end(self.begin("robin@vm1.example.com")), ["250 2.0.0"])
        shutil.copytree(self.folder / "a", self.folder / "b")
        await self.open(self.folder / "b")
        later = self.begin("Robin@VM1.example.com", "terry@vm1.example.com")
        self.assertEqual(await self.end(later), ["250 2.0.0"])
        self.assertEqual((self.copies(), self.copies("u-terry")), (1, 1))

    async def test_other_transactions_are_others(self):
        """The same letter under another name is another letter."""
        for mail in (MAIL, MAIL.replace("n1.t1", "n1.t2"), MAIL.split(" XID")[0], MAIL.split(" XID")[0]):
            self.assertEqual(await self.end(self.begin("robin@vm1.example.com", mail=mail)), ["250 2.0.0"])
        self.assertEqual(self.copies(), 4)
