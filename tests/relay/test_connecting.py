"""Which address is tried, and which next, with real connections on loopback."""

import pathlib
from dataclasses import replace

from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, fail, succeed
from twisted.internet.error import TimeoutError
from twisted.internet.testing import MemoryReactorClock
from twisted.names import dns, error
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.fakes import InlineThreads
from tests.relay.play import kinds, letter
from tests.relay.sink import Sink
from unitymail.relay.connecting import CONNECT_S, CannotConnect, Connector
from unitymail.relay.dns import Names
from unitymail.relay.relay import Relay
from unitymail.relay.tls import ClientTls
from unitymail.routing.next_hop import NextHop
from unitymail.threads import Threads


class Zone:
    """A resolver of the records given: lists of MX hosts and of addresses."""

    def __init__(self, mx=(), **hosts):
        self.mx = mx
        self.hosts = hosts

    def lookupMailExchange(self, name, timeout):
        records = [dns.Record_MX(10 + n, f"{host}.example.com") for n, host in enumerate(self.mx)]
        return succeed(([dns.RRHeader(name, dns.MX, payload=each) for each in records], [], []))

    def lookupAddress(self, name, timeout):
        addresses = self.hosts.get(name.split(".")[0])
        if addresses is None:
            return fail(error.DNSNameError())
        found = [dns.Record_A(each) for each in addresses if ":" not in each]
        return succeed(([dns.RRHeader(name, dns.A, payload=each) for each in found], [], []))

    def lookupIPV6Address(self, name, timeout):
        found = [dns.Record_AAAA(each) for each in self.hosts.get(name.split(".")[0], ()) if ":" in each]
        return succeed(([dns.RRHeader(name, dns.AAAA, payload=each) for each in found], [], []))


class ConnectingTest(TestCase):
    timeout = 20

    def setUp(self):
        self.folder = pathlib.Path(self.mktemp())
        self.folder.mkdir(parents=True)
        self.threads = Threads(reactor, "test", 1)
        self.threads.start()
        self.addCleanup(self.threads.stop)

    def sink(self, interface="127.0.0.1", port=0, **at):
        made = Sink("PIPELINING", at=at, interface=interface, port=port)
        self.addCleanup(made.stop)
        return made

    async def send(self, port, zone, **more):
        relay = Relay(
            host="me.example.com", reactor=reactor, threads=self.threads, connections=lambda: 1, resolver=zone
        )
        self.addCleanup(relay.close)
        hop = NextHop("smart-host", "the smart host example.com", "example.com", port, tls="none", mx=True)
        return await relay.send(replace(hop, **more), letter(self.folder))

    async def test_the_next_mx(self):
        """One that is down, one that is busy, one that has no address: the third takes the mail."""
        busy = self.sink(BANNER="421 4.3.2 busy")
        good = self.sink("127.0.0.3", busy.number)
        zone = Zone(["down", "busy", "nowhere", "good"], down=["127.0.0.2"], busy=["127.0.0.1"], good=["127.0.0.3"])
        attempt = await self.send(busy.number, zone)
        self.assertEqual(kinds(attempt), [("done", "2.0.0")])
        self.assertEqual((busy.connections, len(good.messages)), (1, 1))
        self.assertEqual(attempt.remote, f"good.example.com [127.0.0.3]:{good.number}")
        self.assertEqual(attempt.outcomes[0].remote_mta, "good.example.com")

    async def test_the_next_address(self):
        """The addresses of one host are tried one after the other too."""
        busy = self.sink(BANNER="554 5.7.1 not you")
        good = self.sink("127.0.0.3", busy.number)
        zone = Zone(example=["127.0.0.1", "127.0.0.2", "127.0.0.3"])
        attempt = await self.send(busy.number, zone, mx=False)
        self.assertEqual((kinds(attempt), len(good.messages)), ([("done", "2.0.0")], 1))

    async def test_ipv6(self):
        """Both families; the one that answers is used."""
        sink = self.sink("::1")
        attempt = await self.send(sink.number, Zone(example=["127.0.0.1", "::1"]), mx=False)
        self.assertEqual(kinds(attempt), [("done", "2.0.0")])
        self.assertIn("[::1]", attempt.remote)
        attempt = await self.send(sink.number, Zone(), mx=False, host="::1")
        self.assertEqual(kinds(attempt), [("done", "2.0.0")])

    async def test_nobody_takes_it(self):
        """The last refusal is told, with what was said."""
        busy = self.sink(BANNER="554 5.7.1 not you")
        attempt = await self.send(busy.number, Zone(["busy"], busy=["127.0.0.1"]))
        self.assertEqual(kinds(attempt), [("try-again", "4.7.1")])
        self.assertTrue(attempt.hop_down)
        self.assertEqual(attempt.dialogue[0], "S: 554 5.7.1 not you")
        self.assertIn("busy.example.com [127.0.0.1]", attempt.remote)

    async def test_one_refuses_and_the_other_is_away(self):
        """What somebody said is told, not that nobody was at the address or the host tried after it."""
        busy = self.sink(BANNER="554 5.7.1 not you")
        for zone, mx in ((Zone(example=["127.0.0.1", "127.0.0.2"]), False),
                         (Zone(["busy", "away"], busy=["127.0.0.1"], away=["127.0.0.2"]), True)):
            attempt = await self.send(busy.number, zone, mx=mx)
            self.assertEqual(kinds(attempt), [("try-again", "4.7.1")])
            self.assertEqual(attempt.dialogue[0], "S: 554 5.7.1 not you")

    async def test_refused(self):
        """Nobody listens: 4.4.1, with the host and the port."""
        sink = self.sink()
        await sink.port.stopListening()
        attempt = await self.send(sink.number, Zone(example=["127.0.0.1"]), mx=False)
        self.assertEqual(kinds(attempt), [("try-again", "4.4.1")])
        self.assertIn(f"example.com, port {sink.number}: Connection refused.", attempt.outcomes[0].why)

    async def test_no_such_host(self):
        """No route: the message waits for whoever sets the name right."""
        attempt = await self.send(25, Zone(), mx=False)
        self.assertEqual(kinds(attempt), [("try-again", "5.4.4")])
        self.assertTrue(attempt.hop_down)

    async def test_the_way_back_to_this_node(self):
        """A smart host whose MX is this node itself gets nothing: the sender hears of the loop at once."""
        attempt = await self.send(25, Zone(["me", "other"]), tls="none")
        self.assertEqual(kinds(attempt), [("failed", "5.4.6")])
        self.assertFalse(attempt.hop_down)

    async def test_null_mx(self):
        """A domain that takes no mail: no try at all."""
        zone = Zone()
        zone.lookupMailExchange = lambda name, timeout: succeed(
            ([dns.RRHeader(name, dns.MX, payload=dns.Record_MX(0, ""))], [], [])
        )
        attempt = await self.send(25, zone)
        self.assertEqual((kinds(attempt), attempt.hop_down), ([("failed", "5.1.10")], False))

    async def test_no_password(self):
        """A password file that cannot be read is named; nobody is connected to."""
        sink = self.sink()
        gone = str(self.folder / "gone")
        attempt = await self.send(sink.number, Zone(example=["127.0.0.1"]), username="robin", password_file=gone)
        self.assertEqual(kinds(attempt), [("try-again", "4.3.5")])
        self.assertIn(f"cannot be read from {gone}: No such file", attempt.outcomes[0].why)
        self.assertEqual(sink.connections, 0)

    async def test_a_sign_in_refused_once(self):
        """A wrong password is not said to each host in turn, nor to each address of one."""
        secret = self.folder / "secret"
        secret.write_bytes(b"wrong\r\nsecond line\n")
        sink = self.sink()
        sink.extensions = ("AUTH PLAIN",)
        sink.at = {"AUTH": "535 5.7.8 wrong"}
        other = self.sink("127.0.0.3", sink.number)
        zone = Zone(["a", "b"], a=["127.0.0.1", "127.0.0.3"], b=["127.0.0.3"])
        attempt = await self.send(sink.number, zone, username="robin", password_file=str(secret))
        self.assertEqual(kinds(attempt), [("try-again", "4.7.8")])
        self.assertEqual((sink.connections, other.connections), (1, 0))


class TimesTest(SynchronousTestCase):
    def connector(self, reactor, zone):
        threads = InlineThreads()
        return Connector(
            identity="me", reactor=reactor, threads=threads, names=Names(reactor=reactor, resolver=zone),
            tls=ClientTls(threads=threads), prepared=bytes,
        )

    def test_unreachable(self):
        """An address that does not answer at all is waited for half a minute, beside the others."""
        memory = MemoryReactorClock()
        zone = Zone(example=["192.0.2.1", "192.0.2.2"])
        hop = NextHop("smart-host", "the smart host", "example.com", tls="none")
        opening = ensureDeferred(self.connector(memory, zone).open(hop, lambda made: None, lambda ended: None))
        memory.advance(1)
        self.assertEqual([client[:2] for client in memory.tcpClients], [("192.0.2.1", 25), ("192.0.2.2", 25)])
        self.assertEqual({client[3] for client in memory.tcpClients}, {CONNECT_S})
        self.assertNoResult(opening)
        for client, connector in zip(memory.tcpClients, memory.connectors, strict=True):
            client[2].clientConnectionFailed(connector, Failure(TimeoutError()))
        memory.advance(1)
        trouble = self.failureResultOf(opening, CannotConnect).value.trouble
        self.assertEqual(trouble.status, "4.4.1")
        self.assertIn("port 25: no answer within 30 seconds.", trouble.why)
