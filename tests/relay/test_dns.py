"""Where hops are, as name servers tell it."""

import pytest
from twisted.internet.defer import Deferred, ensureDeferred, fail, succeed
from twisted.internet.task import Clock
from twisted.names import dns, error

from unitymail.relay.dns import MOST_ADDRESSES, MOST_HOSTS, OTHER_FAMILY_S, PATIENCE_S, CannotFind, Names

FAMILIES = {"lookupAddress": dns.Record_A, "lookupIPV6Address": dns.Record_AAAA}


class Resolver:
    """Answers as it was told: payloads, an exception, or a Deferred."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def __getattr__(self, method):
        def look_up(name, timeout):
            self.asked.append((method, name))
            answer = self.answers.get(method, [])
            if isinstance(answer, Deferred):
                return answer
            if isinstance(answer, Exception):
                return fail(answer)
            return succeed(([dns.RRHeader(name, each.TYPE, payload=each) for each in answer], [], []))

        return look_up


def names(**answers):
    clock = Clock()
    made = Names(reactor=clock, resolver=Resolver(**answers), shuffle=lambda names: names.reverse())
    made.clock = clock
    return made


def result(coroutine):
    found = []
    ensureDeferred(coroutine).addBoth(found.append)
    return found


def trouble(coroutine):
    [failure] = result(coroutine)
    return failure.trap(CannotFind) and failure.value.trouble


def mx(*records):
    return {"lookupMailExchange": [dns.Record_MX(preference, name) for preference, name in records]}


def test_mx_in_order():
    """By preference, equals shuffled, and only once asked."""
    made = names(**mx((20, "backup.example.com"), (10, "a.example.com"), (10, "b.example.com")))
    assert result(made.hosts("example.com")) == [["b.example.com", "a.example.com", "backup.example.com"]]


def test_no_mx():
    """A domain without MX is its own mail host (RFC 5321 5.1), and so is a name that does not exist, for now."""
    assert result(names(lookupMailExchange=[]).hosts("Example.COM.")) == [["example.com"]]
    assert result(names(lookupMailExchange=error.DNSNameError()).hosts("example.com")) == [["example.com"]]


def test_null_mx():
    """RFC 7505: a domain that takes no mail is told at once."""
    found = trouble(names(**mx((0, ""))).hosts("example.com"))
    assert (found.kind, found.status) == ("failed", "5.1.10")


def test_this_node_among_the_hosts():
    """RFC 5321 5.1: only better hosts are asked, so that nothing comes back; without one the message fails."""
    records = mx((10, "a.example.com"), (20, "US.example.com"), (20, "b.example.com"), (30, "c.example.com"))
    assert result(names(**records).hosts("example.com", "us.example.com")) == [["a.example.com"]]
    assert result(names(**records).hosts("example.com", "other.example.com"))[0][0] == "a.example.com"
    found = trouble(names(**mx((10, "us.example.com"), (10, "b.example.com"))).hosts("example.com", "us.example.com"))
    assert (found.kind, found.status) == ("failed", "5.4.6") and "come back here" in found.why


@pytest.mark.parametrize("evil", [b"a b.example", b"a\r\nX-Evil: yes", b"a\x1b[31m.example", b"\xff.example", b"a..b"])
def test_names_that_are_none(evil):
    """What could break a line of a report or of the trace is no host, wherever it was said."""
    record = dns.Record_MX(10, "good.example.com")
    bad = dns.Record_MX(5)
    bad.name.name = evil
    assert result(names(lookupMailExchange=[bad, record]).hosts("example.com")) == [["good.example.com"]]
    assert result(names(lookupMailExchange=[bad]).hosts("example.com")) == [[]]


@pytest.mark.parametrize("answer", [
    error.DNSServerError(), error.DNSQueryTimeoutError(1), error.DNSQueryRefusedError(), OSError("no network"),
])  # fmt: skip
def test_name_servers_fail(answer):
    """No answer is not the answer no: the message waits."""
    for found in (
        trouble(names(lookupMailExchange=answer).hosts("example.com")),
        trouble(names(lookupAddress=answer, lookupIPV6Address=answer).addresses("mx.example.com")),
        trouble(names(lookupAddress=answer, lookupIPV6Address=[]).addresses("mx.example.com")),
    ):
        assert (found.kind, found.status) == ("try-again", "4.4.3")


@pytest.mark.parametrize("answer", [[], error.DNSNameError(), error.AuthoritativeDomainError(), error.DomainError()])
def test_no_address(answer):
    """A host without an address is a mistake somebody may set right."""
    found = trouble(names(lookupAddress=answer, lookupIPV6Address=answer).addresses("mx.example.com"))
    assert (found.kind, found.status) == ("try-again", "5.4.4")


def test_addresses_in_turn():
    """Both families, IPv6 first, in turn, each once."""
    made = names(
        lookupAddress=[dns.Record_A("192.0.2.1"), dns.Record_A("192.0.2.2"), dns.Record_A("192.0.2.1")],
        lookupIPV6Address=[dns.Record_AAAA("2001:db8::1")],
    )
    assert result(made.addresses("mx.example.com")) == [["2001:db8::1", "192.0.2.1", "192.0.2.2"]]


def test_one_family_fails():
    """What the other family knows is enough."""
    made = names(lookupAddress=[dns.Record_A("192.0.2.1")], lookupIPV6Address=error.DNSServerError())
    assert result(made.addresses("mx.example.com")) == [["192.0.2.1"]]


def test_one_family_is_slow():
    """It is waited for a little, and then not."""
    made = names(lookupAddress=[dns.Record_A("192.0.2.1")], lookupIPV6Address=Deferred())
    found = result(made.addresses("mx.example.com"))
    assert found == []
    made.clock.advance(OTHER_FAMILY_S)
    assert found == [["192.0.2.1"]]
    made.clock.advance(PATIENCE_S)
    assert made.clock.getDelayedCalls() == []


def test_nobody_answers():
    """A resolver that never answers holds a message up for a while only."""
    made = names(lookupAddress=Deferred(), lookupIPV6Address=Deferred(), lookupMailExchange=Deferred())
    addresses, hosts = result(made.addresses("mx.example.com")), result(made.hosts("example.com"))
    made.clock.advance(PATIENCE_S)
    assert [found[0].value.trouble.status for found in (addresses, hosts)] == ["4.4.3", "4.4.3"]


@pytest.mark.parametrize(("host", "addresses"), [
    ("192.0.2.1", ["192.0.2.1"]), ("[::1]", ["::1"]), ("::1", ["::1"]), ("localhost", ["127.0.0.1", "::1"]),
])  # fmt: skip
def test_nothing_to_ask(host, addresses):
    """Addresses, and this machine, need no name server."""
    made = names()
    assert result(made.addresses(host)) == [addresses]
    assert made._resolver.asked == []
    assert result(made.hosts("192.0.2.1")) == [["192.0.2.1"]]


def test_names_that_are_not_ascii():
    """Asked for as the network writes them."""
    made = names(lookupAddress=[dns.Record_A("192.0.2.1")])
    result(made.addresses("bücher.example"))
    assert made._resolver.asked[0][1] == "xn--bcher-kva.example"


def test_bounded():
    """A domain with thousands of hosts, and a host with thousands of addresses, are tried a little."""
    made = names(
        **mx(*((n, f"h{n}.example.com") for n in range(500))),
        lookupAddress=[dns.Record_A(f"192.0.2.{n % 250}") for n in range(500)],
    )
    assert len(result(made.hosts("example.com"))[0]) == MOST_HOSTS
    assert len(result(made.addresses("mx.example.com"))[0]) == MOST_ADDRESSES


def test_the_usual_resolver():
    """Without one given, twisted.names asks the hosts file and the name servers of this system."""
    clock = Clock()
    resolver = Names(reactor=clock)._get_resolver()
    assert [type(each).__module__ for each in resolver.resolvers] == ["twisted.names.hosts", "twisted.names.client"]
