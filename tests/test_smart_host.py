"""Where the smart host and the peers' hosts are now."""

import socket
from dataclasses import replace

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from zope.interface import implementer

from tests.fakes import FakeBook, RecordingJournal
from unitymail.interfaces.threads import IThreads
from unitymail.people.location import Location, LocationKind
from unitymail.settings.site import SiteSettings
from unitymail.smart_host import AGAIN_S, PeerAddresses, SmartHostAddresses

B = Location("l-b", LocationKind.PEER, "node-b", "vm2.example.com", "b.example")
C = Location("l-c", LocationKind.PEER, "node-c", "vm3.example.com", "::1")
VPIM = Location("l-v", LocationKind.VPIM, "london", "london.example.org", "v.example")


@implementer(IThreads)
class Resolver:
    """Names and their addresses; a name that is not there cannot be looked up."""

    def __init__(self, **names):
        self.names = {name.replace("_", "."): addresses for name, addresses in names.items()}
        self.asked = []
        self.meanwhile = None
        self.slow = None

    def run(self, function, host, *args, **kwargs):
        assert function is socket.getaddrinfo
        self.asked.append(host)
        if self.meanwhile is not None:
            self.meanwhile()
        if host not in self.names:
            raise socket.gaierror(-2, "Name or service not known")
        if self.slow is not None:
            return self.slow
        return succeed([(0, 0, 0, "", (address, 0)) for address in self.names[host]])


def looking(kind, *objects, site=None, **names):
    book, journal, clock, resolver = FakeBook(*objects, site=site), RecordingJournal(), Clock(), Resolver(**names)
    addresses = kind(book=book, threads=resolver, journal=journal, clock=clock)
    addresses.start()
    return addresses, book, resolver, clock, journal


def test_the_smart_host():
    """By name, by address in brackets, by none; the hosts of a domain's MX are not asked for."""
    for host, found in (("relay.example", {"192.0.2.9", "2001:db8::9"}), ("[192.0.2.1]", {"192.0.2.1"}), ("", set()),
                        ("mx:relay.example", set())):
        site = SiteSettings(smart_host_host=host)
        addresses, *_ = looking(SmartHostAddresses, site=site, relay_example=["192.0.2.9", "2001:db8::9"])
        assert addresses() == found


def test_all_peers():
    """Every peer's host, and no VPIM location's."""
    addresses, _, resolver, *_ = looking(PeerAddresses, B, C, VPIM, b_example=["192.0.2.2"])
    assert addresses() == {"192.0.2.2", "::1"}
    assert resolver.asked == ["b.example"]


def test_each_minute_and_on_a_change():
    """A name may lead elsewhere a minute later; a new peer counts at once, a removed one no more."""
    addresses, book, resolver, clock, _ = looking(PeerAddresses, B, b_example=["192.0.2.2"])
    resolver.names["b.example"] = ["192.0.2.3"]
    assert addresses() == {"192.0.2.2"}
    clock.advance(AGAIN_S)
    assert addresses() == {"192.0.2.3"}
    book.objects = (C,)
    addresses.look()
    assert addresses() == {"::1"}


def test_a_name_that_cannot_be_looked_up():
    """What was known stays known, and the journal is not filled with it."""
    addresses, _, resolver, clock, journal = looking(PeerAddresses, B, C, b_example=["192.0.2.2"])
    del resolver.names["b.example"]
    for _ in range(3):
        clock.advance(AGAIN_S)
    assert addresses() == {"192.0.2.2", "::1"}
    [trouble] = journal.named("trouble")
    assert trouble.args[0] == "the host of the peer node-b, b.example cannot be looked up"
    resolver.names["b.example"] = ["192.0.2.3"]
    clock.advance(AGAIN_S)
    del resolver.names["b.example"]
    clock.advance(AGAIN_S)
    assert len(journal.named("trouble")) == 2
    assert addresses() == {"192.0.2.3", "::1"}


def test_a_peer_removed_while_its_name_is_looked_up():
    """The late answer does not bring it back."""
    addresses, book, resolver, clock, _ = looking(PeerAddresses, B, b_example=["192.0.2.2"])
    resolver.meanwhile = lambda: setattr(book, "objects", ())
    clock.advance(AGAIN_S)
    assert addresses() == set()


def test_many_changes_while_a_name_is_looked_up():
    """A slow name server is not asked once for each of a thousand changes, and the last of them counts."""
    addresses, book, resolver, *_ = looking(PeerAddresses, B, b_example=["192.0.2.2"], d_example=["192.0.2.4"])
    resolver.slow = Deferred()
    addresses.look()
    book.objects = (replace(B, host="d.example"),)
    for _ in range(1_000):
        addresses.look()
    assert resolver.asked == ["b.example"] * 2
    slow, resolver.slow = resolver.slow, None
    slow.callback([(0, 0, 0, "", ("192.0.2.3", 0))])
    assert addresses() == {"192.0.2.4"} and resolver.asked == ["b.example"] * 2 + ["d.example"]


def test_stopped():
    """After `stop` nothing is looked up."""
    addresses, _, resolver, clock, _ = looking(PeerAddresses, B, b_example=["192.0.2.2"])
    addresses.stop()
    clock.advance(10 * AGAIN_S)
    addresses.look()
    assert len(resolver.asked) == 1
