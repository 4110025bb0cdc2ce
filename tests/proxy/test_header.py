"""The PROXY header: whatever a balancer may send, cut anywhere, and whatever it must not."""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.proxy.header import ITSELF, LONGEST, SIGNATURE, BadHeader, Header, HeaderReader, is_header

GREETING = b"EHLO client.example\r\n"


def version_2(command=0x21, family=0x11, addresses=b"", more=b""):
    return SIGNATURE + struct.pack("!BBH", command, family, len(addresses + more)) + addresses + more


def inet(source="192.0.2.7", port=40_000):
    return IPv4Address(source).packed + IPv4Address("198.51.100.1").packed + struct.pack("!HH", port, 25)


def inet6(source="2001:db8::7", port=40_000):
    return IPv6Address(source).packed + IPv6Address("2001:db8::1").packed + struct.pack("!HH", port, 25)


TLVS = b"\x03\x00\x04\xde\xad\xbe\xef" + b"\x02\x00\x0bexample.com"
GOOD = {
    "v1 IPv4": (b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\n", Header("192.0.2.7", 40_000)),
    "v1 IPv6": (b"PROXY TCP6 2001:DB8::7 2001:db8::1 40000 25\r\n", Header("2001:db8::7", 40_000)),
    "v1 longest": (
        b"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        Header("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65_535),
    ),
    "v1 unknown": (b"PROXY UNKNOWN\r\n", ITSELF),
    "v1 unknown with words": (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", ITSELF),
    "v2 IPv4": (version_2(addresses=inet()), Header("192.0.2.7", 40_000)),
    "v2 IPv4 and TLVs": (version_2(addresses=inet(), more=TLVS), Header("192.0.2.7", 40_000)),
    "v2 IPv6": (version_2(family=0x21, addresses=inet6(), more=TLVS), Header("2001:db8::7", 40_000)),
    "v2 mapped": (version_2(family=0x21, addresses=inet6("::ffff:192.0.2.7")), Header("192.0.2.7", 40_000)),
    "v2 UNIX": (version_2(family=0x31, addresses=b"/run/a".ljust(108, b"\0") * 2), ITSELF),
    "v2 LOCAL": (version_2(command=0x20, family=0x00), ITSELF),
    "v2 LOCAL with an address": (version_2(command=0x20, addresses=inet(), more=TLVS), ITSELF),
    "v2 UNSPEC": (version_2(family=0x00, more=TLVS), ITSELF),
    "v2 longest": (version_2(addresses=inet(), more=b"\x04" * (LONGEST - 28)), Header("192.0.2.7", 40_000)),
}
BAD = {
    "no header": GREETING,
    "lower case": b"proxy TCP4 192.0.2.7 198.51.100.1 40000 25\r\n",
    "two spaces": b"PROXY TCP4  192.0.2.7 198.51.100.1 40000 25\r\n",
    "UDP": b"PROXY UDP4 192.0.2.7 198.51.100.1 40000 25\r\n",
    "a field too few": b"PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n",
    "a field too many": b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25 \r\n",
    "words for an address": b"PROXY TCP4 localhost 198.51.100.1 40000 25\r\n",
    "an octet too large": b"PROXY TCP4 192.0.2.256 198.51.100.1 40000 25\r\n",
    "octal": b"PROXY TCP4 192.0.02.7 198.51.100.1 40000 25\r\n",
    "the other family": b"PROXY TCP4 2001:db8::7 2001:db8::1 40000 25\r\n",
    "one of each family": b"PROXY TCP6 2001:db8::7 198.51.100.1 40000 25\r\n",
    "a zone": b"PROXY TCP6 fe80::1%eth0 fe80::2 40000 25\r\n",
    "our mark of a balancer": b"PROXY TCP6 fe80::1%proxy fe80::2 40000 25\r\n",
    "a port too large": b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n",
    "the other port too large": b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 65536\r\n",
    "a port with a zero": b"PROXY TCP4 192.0.2.7 198.51.100.1 040000 25\r\n",
    "a negative port": b"PROXY TCP4 192.0.2.7 198.51.100.1 -1 25\r\n",
    "a bare line feed": b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\n" + b"x" * 107,
    "a line without end": b"PROXY UNKNOWN " + b"x" * 200,
    "control characters": b"PROXY UNKNOWN \0\r\n",
    "version 1 of the block": version_2(command=0x11, addresses=inet()),
    "an unknown command": version_2(command=0x22, addresses=inet()),
    "an unknown family": version_2(family=0x41, addresses=inet()),
    "datagrams": version_2(family=0x12, addresses=inet()),
    "too short for IPv4": version_2(addresses=inet()[:11]),
    "too short for IPv6": version_2(family=0x21, addresses=inet6()[:35]),
    "too short for UNIX": version_2(family=0x31, addresses=b"x" * 215),
    "too long": version_2(addresses=inet(), more=b"\x04" * (LONGEST - 27)),
}


def read(*pieces):
    """(header, rest) of octets that come in pieces."""
    reader = HeaderReader()
    for number, piece in enumerate(pieces):
        found = reader.feed(piece)
        if found is not None:
            return found[0], found[1] + b"".join(pieces[number + 1 :])
    return None


@pytest.mark.parametrize("kind", GOOD)
def test_headers(kind):
    """Each form gives the address, and leaves what follows alone."""
    octets, header = GOOD[kind]
    assert read(octets) == (header, b"")
    assert read(octets + GREETING) == (header, GREETING)


@pytest.mark.parametrize("kind", GOOD)
def test_cut_anywhere(kind):
    """The network may cut a header wherever it likes."""
    octets, header = GOOD[kind]
    if len(octets) < 1_000:
        assert read(*(octets[n : n + 1] for n in range(len(octets))), GREETING) == (header, GREETING)
    for cut in range(min(len(octets), 300)):
        assert read(octets[:cut]) is None
        assert read(octets[:cut], octets[cut:] + GREETING) == (header, GREETING)


@pytest.mark.parametrize("kind", BAD)
def test_no_headers(kind):
    """Whatever is not exactly a header is refused, cut or not, with a reason."""
    for pieces in ((BAD[kind],), tuple(BAD[kind][n : n + 1] for n in range(len(BAD[kind])))):
        with pytest.raises(BadHeader) as refused:
            read(*pieces)
        assert str(refused.value).startswith("it")


@given(st.binary(max_size=300), st.integers(0, 300), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE]))
def test_garbage(octets, cut, opening):
    """Random octets give a header with an address that is one, or are refused; a cut never changes what comes out."""

    def outcome(*pieces):
        try:
            return read(*pieces)
        except BadHeader:
            return "bad"

    octets = opening + octets
    whole = outcome(octets)
    assert outcome(octets[:cut], octets[cut:]) == whole
    if isinstance(whole, tuple):
        header, rest = whole
        assert octets.endswith(rest)
        assert header == ITSELF or ip_address(header.source)


@given(st.ip_addresses(), st.integers(0, 65_535))
def test_any_address(address, port):
    """Every address of either family comes through, by either version."""
    family, there = ("TCP4", "192.0.2.1") if address.version == 4 else ("TCP6", "2001:db8::1")
    line = f"PROXY {family} {address} {there} {port} 25\r\n".encode()
    block = version_2(
        family=0x11 if address.version == 4 else 0x21,
        addresses=inet(address, port) if address.version == 4 else inet6(address, port),
    )
    for octets in (line, block):
        assert read(octets) == (Header(str(getattr(address, "ipv4_mapped", None) or address), port), b"")


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (b"PROXY TCP4 192.0.2.7 ", "yes"), (b"PROXY TCP6 ::1", "yes"), (b"PROXY UNKNOWN\r\n", "yes"),
        (SIGNATURE + b"\x20", "yes"), (SIGNATURE, "yes"), (SIGNATURE[:8], "perhaps"), (b"P", "perhaps"),
        (b"PROXY TCP", "perhaps"), (b"EHLO a\r\n", "no"), (b"PROXY NOOP\r\n", "no"), (b"\r\n", "no"),
        (b"\r\n\r\n", "no"), (b"", "no"), (b"\x16\x03", "no"),
    ],
)
def test_what_is_said_first(octets, answer):
    """A header is known where none is expected; a line of a client that never heard of it is not held up."""
    assert is_header(octets) == answer
