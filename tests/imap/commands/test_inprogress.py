"""INPROGRESS: who waits for a long command hears how far it is."""

from types import SimpleNamespace

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import HeldThreads
from tests.imap.conversation import House
from unitymail.imap.commands import capability, inprogress, login
from unitymail.imap.registry import Done, Registry, command


@command("COUNT")
async def count(session, reader):
    """Counts to 30, one a second."""
    for number in range(30):
        session.progress(number, 30)
        later = Deferred()
        session.clock.callLater(1, later.callback, None)
        await later
    return Done("COUNT completed")


@command("LABOUR")
async def labour(session, reader):
    await session.labour(str)
    return Done("LABOUR completed")


SLOW = SimpleNamespace(count=count, labour=labour)


class InProgressTests(SynchronousTestCase):
    def house(self, **door):
        return House(registry=Registry([capability, login, inprogress, SLOW]), **door)

    def test_counting(self):
        """Every ten seconds of a command that counts, with its tag; then its tagged response."""
        house = self.house()
        client = house.signed_in()
        client.send("A001 COUNT\r\n")
        house.clock.pump([1] * 30)
        self.assertEqual(
            client.heard(),
            '* OK [INPROGRESS ("A001" 10 30)] 10 of 30 done\r\n'
            '* OK [INPROGRESS ("A001" 20 30)] 20 of 30 done\r\n'
            "A001 OK COUNT completed\r\n",
        )

    def test_in_a_thread(self):
        """Work that cannot be counted is said to go on; nothing is said after its end."""
        threads = HeldThreads()
        house = self.house(threads=threads)
        client = house.connect()
        client.send("x LOGIN robin secret\r\n")
        while threads.waiting:
            threads.step()
        client.heard()
        client.send("A02 LABOUR\r\n")
        house.clock.advance(10)
        self.assertIn('* OK [INPROGRESS ("A02" NIL NIL)] Still working on it\r\n', client.heard())
        threads.step()
        self.assertEqual(client.heard(), "A02 OK LABOUR completed\r\n")
        house.clock.advance(60)
        self.assertEqual(client.heard(), "")

    def test_who_does_not_read(self):
        """A client that does not read what it was told is told no more."""
        house = self.house()
        client = house.signed_in()
        client.send("a COUNT\r\n")
        client.wire.producer.pauseProducing()
        house.clock.pump([1] * 30)
        self.assertEqual(client.heard(), "a OK COUNT completed\r\n")

    def test_announced(self):
        """It is among the capabilities."""
        self.assertIn("INPROGRESS", self.house().signed_in().say("a CAPABILITY")[0].split())
