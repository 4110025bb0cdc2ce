"""A long stretch of a message on its way: read ahead, at the client's pace, and nothing being read once it ends."""

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import HeldThreads
from unitymail.imap.registry import Gone
from unitymail.imap.streaming import AT_ONCE, BLOCK, stream

OCTETS = bytes(range(256)) * 4 * (BLOCK // 256)
ALL = len(OCTETS)


class Content:
    """Notes how far it was read; `bad`: where its disk cannot be read."""

    def __init__(self, bad=ALL):
        self.bad, self.read_to = bad, 0

    def read(self, offset, length):
        if offset + length > self.bad:
            raise OSError("bad sector")
        self.read_to = offset + length
        return OCTETS[offset : offset + length]


class Session:
    """A session whose client reads a block when the test lets it."""

    def __init__(self):
        self.threads = HeldThreads()
        self.sent, self.reads, self.trouble = b"", [], []
        self.journal = self.client = self

    def begun(self, function, *args):
        return self.threads.run(function, *args)

    async def result(self, begun):
        return await begun

    def send(self, octets):
        self.sent += octets

    def drained(self):
        self.reads.append(Deferred())
        return self.reads[-1]

    def cut_off(self, why):
        self.trouble.append(why)


def streaming(content, offset=0, length=ALL):
    session = Session()
    return session, ensureDeferred(stream(session, content, offset, length))


class StreamTests(SynchronousTestCase):
    def test_the_next_blocks_are_read_while_the_last_ones_go_out(self):
        """While the client has yet to read what was sent, what comes next is being read, and no more than that."""
        content = Content()
        session, done = streaming(content)
        session.threads.step()
        self.assertEqual((session.sent, len(session.threads.waiting)), (OCTETS[:BLOCK], 1))
        session.threads.step()
        self.assertEqual((session.sent, session.threads.waiting), (OCTETS[:BLOCK], []))
        self.assertEqual(content.read_to, 2 * AT_ONCE * BLOCK)
        while not done.called:
            session.threads.go()
            session.reads.pop().callback(None)
        self.assertEqual(session.sent, OCTETS)
        self.assertEqual(self.successResultOf(done), None)

    def test_any_stretch(self):
        """It need not begin or end with a block, and may be empty."""
        portion = AT_ONCE * BLOCK
        for offset, length in ((100, portion), (7, 1), (0, 0), (BLOCK - 1, 3 * BLOCK), (0, portion + 1)):
            session, done = streaming(Content(), offset, length)
            while not done.called:
                session.threads.go()
                if session.reads:
                    session.reads.pop().callback(None)
            self.assertEqual(session.sent, OCTETS[offset : offset + length])
            self.assertEqual(session.threads.waiting, [])

    def test_who_leaves_meanwhile(self):
        """The message is not closed under the hands of who reads it: the end comes once nothing is being read."""
        for content in (Content(), Content(bad=AT_ONCE * BLOCK)):
            session, done = streaming(content)
            session.threads.step()
            session.reads.pop().errback(Gone())
            self.assertNoResult(done)
            session.threads.step()
            self.failureResultOf(done, Gone)
            self.assertEqual(session.trouble, [])
