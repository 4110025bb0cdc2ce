"""Commands that wait: woken by a line or by news, called now and then, and gone with their connection."""

from types import SimpleNamespace

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.imap.commands import capability, login
from unitymail.imap.parking import Beats
from unitymail.imap.registry import Done, Farewell, No, Registry, command
from unitymail.interfaces.errors import TryAgain

PARKED = []


class Waiter:
    """Says what it is woken by; ends at END, fails as it is told."""

    def __init__(self, session):
        self.session = session
        self.woken = False
        self.left = 0
        self.held = None
        PARKED.append(self)

    def ring(self):
        self.woken = True
        self.session.client.conductor.wake()

    async def go_on(self, said):
        self.woken = False
        if self.held is not None:
            await self.held
        if said is None:
            self.session.send(b"* OK rung\r\n")
            return self
        if said == b"END":
            return Done("WAIT completed")
        if said == b"NO":
            raise No("No more waiting")
        if said == b"BYE":
            raise Farewell("Go away")
        if said == b"TROUBLE":
            raise TryAgain()
        raise ValueError(said)

    def leave(self):
        self.left += 1


@command("WAIT")
async def wait(session, reader):
    return Waiter(session)


class ParkedTests(SynchronousTestCase):
    def setUp(self):
        PARKED.clear()
        self.house = House(registry=Registry([capability, login, SimpleNamespace(wait=wait)]))
        self.client = self.house.signed_in()

    def parked(self):
        self.client.say("a WAIT")
        return PARKED[-1]

    def test_lines_and_rings(self):
        """It goes on at each ring, and at a line; then the next command runs."""
        waiting = self.parked()
        waiting.ring()
        waiting.ring()
        self.assertEqual(self.client.heard(), "* OK rung\r\n" * 2)
        self.client.send("END\r\nb CAPABILITY\r\n")
        heard = self.client.heard()
        self.assertTrue(heard.startswith("a OK WAIT completed\r\n"))
        self.assertTrue(heard.endswith("b OK CAPABILITY completed\r\n"))
        self.assertEqual(waiting.left, 1)

    def test_while_it_goes_on(self):
        """A ring and a line that come while it goes on are not lost, and come in this order."""
        waiting = self.parked()
        waiting.held = held = Deferred()
        waiting.ring()
        waiting.ring()
        self.client.send("END\r\n")
        self.assertEqual(self.client.heard(), "")
        waiting.held = None
        held.callback(None)
        self.assertEqual(self.client.heard(), "* OK rung\r\na OK WAIT completed\r\n")

    def test_woken_before_it_waits(self):
        """A ring before the command has begun to wait is heard when it does."""

        class Early(Waiter):
            def __init__(self, session):
                super().__init__(session)
                self.woken = True

        house = House(registry=Registry([login, SimpleNamespace(wait=_command_of(Early))]))
        client = house.signed_in()
        self.assertEqual(client.say("a WAIT"), ["* OK rung"])

    def test_ends(self):
        """Refusals, failures and farewells are told as those of any command, and nothing is left behind."""
        for said, answer in (
            ("NO", "a NO No more waiting"), ("TROUBLE", "a NO "), ("x", "a NO [SERVERBUG]"), ("BYE", "* BYE Go away"),
        ):  # fmt: skip
            waiting = self.parked()
            self.assertTrue(self.client.say(said)[0].startswith(answer), said)
            self.assertGreater(waiting.left, 0, said)
        self.assertTrue(self.client.closed)

    def test_leaving(self):
        """A client that leaves takes it along, also while it goes on."""
        waiting = self.parked()
        self.client.leave()
        self.assertEqual(waiting.left, 1)
        self.assertIsNone(self.client.session.account)
        self.client = self.house.signed_in()
        waiting = self.parked()
        waiting.held = held = Deferred()
        waiting.ring()
        self.client.leave()
        held.callback(None)
        self.assertEqual(waiting.left, 1)

    def test_shutting_down(self):
        """Who only waits is sent away at once."""
        waiting = self.parked()
        self.house.door.drain()
        self.assertIn("* BYE ", self.client.heard())
        self.assertEqual(waiting.left, 1)


def _command_of(kind):
    @command("WAIT")
    async def wait_early(session, reader):
        return kind(session)

    return wait_early


class Beaten:
    def __init__(self, beats, again=True):
        self.beats, self.again, self.times = beats, again, []
        self.due = beats.add(self)

    def beat(self):
        self.times.append(self.beats._clock.seconds())
        if self.again:
            self.due = self.beats.add(self)


class BeatsTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.advance(1000)
        self.beats = Beats(self.clock, 120)

    def test_every_two_minutes(self):
        """Each is called so many seconds after it was added, and again when it adds itself."""
        first = Beaten(self.beats)
        self.clock.advance(50)
        second = Beaten(self.beats, again=False)
        self.clock.pump([10] * 40)
        self.assertEqual((first.times, second.times), ([1120, 1240, 1360], [1170]))

    def test_one_timer(self):
        """However many there are, one timer waits; without any, none."""
        many = [Beaten(self.beats) for _ in range(1000)]
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for one in many:
            self.beats.remove(one, one.due)
            self.beats.remove(one, one.due)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(200)
        self.assertEqual(many[0].times, [])

    def test_leaving_at_a_beat(self):
        """One whose beat takes others away, and itself, harms nobody."""
        beats, clock = self.beats, self.clock
        later = []

        class Leaving(Beaten):
            def beat(self):
                super().beat()
                for one in (*early, *later):
                    beats.remove(one, one.due)

        early = [Leaving(beats) for _ in range(3)]
        clock.advance(1)
        later.append(Beaten(beats))
        clock.advance(200)
        self.assertEqual((sum(len(one.times) for one in early), later[0].times), (1, []))
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_slices(self):
        """Thousands at once are called in slices."""
        clock = self.clock

        class Slow(Beaten):
            def beat(self):
                super().beat()
                clock.rightNow += 0.001

        many = [Slow(self.beats, again=False) for _ in range(100)]
        clock.rightNow += 120
        self.beats._timer.reset(0)
        self.beats._timer.cancel()
        self.beats._go()
        self.assertLess(sum(len(one.times) for one in many), 10)
        for _ in range(60):
            clock.advance(0)
        self.assertEqual(sum(len(one.times) for one in many), 100)
