"""The PROXY protocol: a header or none, the same however it is cut, an address that policies can judge, little kept."""

from __future__ import annotations

from ipaddress import ip_address

from fuzz.octets import pieces, uncut
from unitymail.proxy.header import LONGEST, SIGNATURE, BadHeader, Header, HeaderReader, is_header

WORDS = [
    b"PROXY ", b"TCP4 ", b"TCP6 ", b"UNKNOWN", b"192.0.2.1 ", b"2001:db8::1 ", b"::ffff:192.0.2.1 ", b"fe80::1%eth0 ",
    b"65535 ", b"65536", b"25\r\n", b"\r\n", SIGNATURE, b"\x21\x11\0\x0c", b"\x21\x21\0\x24", b"\x20\0\0\0",
    b"\x21\x31\0\xd8",
    b"\xff\xff", b"EHLO a\r\n",
]
SEEDS = [
    uncut(octets)
    for octets in (
        b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\nEHLO a\r\n", b"PROXY TCP6 2001:db8::1 2001:db8::2 40000 25\r\n",
        b"PROXY UNKNOWN\r\nEHLO a\r\n", b"PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n",
        SIGNATURE + b"\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x9c\x40\0\x19EHLO a\r\n", SIGNATURE + b"\x20\0\0\0NOOP\r\n",
        SIGNATURE + b"\x21\x21\0\x27" + bytes(39), b"EHLO client.example\r\n",
    )
]


def one(data: bytes) -> None:
    octets, cut = pieces(data)
    whole = _read([octets])
    assert _read(cut) == whole
    assert _read([octets[at : at + 1] for at in range(len(octets))]) == whole
    if isinstance(whole, tuple):
        header, rest = whole
        assert octets.endswith(rest)
        assert is_header(octets) == "yes"
        if header.source:
            assert str(ip_address(header.source)) == header.source and "%" not in header.source
            assert not header.source.startswith("::ffff:") or "." not in header.source
        assert 0 <= header.port <= 65_535


def _read(cut: list[bytes]) -> tuple[Header, bytes] | str | None:
    reader = HeaderReader()
    for number, piece in enumerate(cut):
        try:
            found = reader.feed(piece)
        except BadHeader as bad:
            assert str(bad).isprintable()
            return "none"
        if found is not None:
            return found[0], found[1] + b"".join(cut[number + 1 :])
        assert len(reader._octets) <= LONGEST + len(piece)
    return None
