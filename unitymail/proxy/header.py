"""The header of the PROXY protocol, versions 1 and 2: octets in, the address of the client out. Sans-IO.

Knows the grammar (haproxy.org, proxy-protocol.txt, 2020/03/05); refuses to know whose header is believed. Whatever is
not exactly a header is none, and how the network cuts it means nothing.

Why not `twisted.protocols.haproxy` (26.10): it wants sixteen octets of version 2 in the first segment, believes any
words for an address, takes `PROXY UNKNOWN` alone for an error, sets no time limit, and lets the protocol behind it
begin before the header is there, so that a banner and a policy would go to the balancer's address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Literal

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
"""The first twelve octets of version 2."""
LONGEST_LINE = 107
"""Of version 1, with its CRLF."""
LONGEST = 4_096
"""Of version 2. Addresses take 216 octets at most; more than this of extensions (TLVs) no balancer sends."""

_FIXED = len(SIGNATURE) + 4
_WORD = b"PROXY "
_OPENINGS = (b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN", SIGNATURE)
_version_1 = re.compile(rb"PROXY (TCP[46]) ([!-~]+) ([!-~]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})").fullmatch
_unknown = re.compile(rb"PROXY UNKNOWN(?: [ -~]*)?").fullmatch
_LOCAL, _PROXY = 0x20, 0x21
_OF_NOBODY = (0x00, 0x10, 0x20, 0x30)
_UNIX = (0x31, 0x32)
_UNIX_OCTETS = 216


@dataclass(frozen=True, slots=True)
class Header:
    """For whom the balancer speaks. `source` is "" when it speaks for itself, or cannot tell an IP address."""

    source: str
    port: int = 0


ITSELF = Header("")


class BadHeader(Exception):
    """This is no header, and why."""


class HeaderReader:
    """Of one connection."""

    __slots__ = ("_octets",)

    def __init__(self) -> None:
        self._octets = b""

    def feed(self, octets: bytes) -> tuple[Header, bytes] | None:
        """The header and what follows it, None until it is whole. Raises BadHeader as soon as it cannot be one."""
        self._octets += octets
        if self._octets.startswith(SIGNATURE[: len(self._octets)]):
            return self._version_2()
        if self._octets.startswith(_WORD[: len(self._octets)]):
            return self._version_1()
        raise BadHeader("it begins with neither PROXY nor the signature of version 2")

    def _version_1(self) -> tuple[Header, bytes] | None:
        line, end, rest = self._octets[:LONGEST_LINE].partition(b"\r\n")
        if end:
            return read_line(line), rest + self._octets[LONGEST_LINE:]
        if len(line) == LONGEST_LINE:
            raise BadHeader(f"its line is longer than {LONGEST_LINE} octets")
        return None

    def _version_2(self) -> tuple[Header, bytes] | None:
        octets = self._octets
        if len(octets) < _FIXED:
            return None
        size = _FIXED + int.from_bytes(octets[_FIXED - 2 : _FIXED], "big")
        if size > LONGEST:
            raise BadHeader(f"it is {size} octets long; {LONGEST} are read")
        if len(octets) < size:
            return None
        return read_block(octets[:size]), octets[size:]


def read_line(line: bytes) -> Header:
    """Version 1, without its CRLF. Raises BadHeader."""
    if _unknown(line):
        return ITSELF
    found = _version_1(line)
    if found is None:
        raise BadHeader("its line is not PROXY TCP4|TCP6 SOURCE DESTINATION PORT PORT")
    kind, source, destination = (each.decode("ascii") for each in found.groups()[:3])
    ports = [int(each) for each in found.groups()[3:]]
    if max(ports) > 65_535:
        raise BadHeader("its port is above 65535")
    _address(kind, destination)
    return Header(_address(kind, source), ports[0])


def _address(kind: str, text: str) -> str:
    """A zone (`%eth0`) means something on the balancer only."""
    try:
        if kind == "TCP4":
            return str(IPv4Address(text))
        if "%" not in text:
            return _written(IPv6Address(text))
    except AddressValueError:
        pass
    raise BadHeader(f"its address is not one of {kind}")


def _written(address: IPv6Address) -> str:
    """An IPv4 address mapped into IPv6 (RFC 4291 2.5.5.2) is IPv4."""
    return str(address.ipv4_mapped or address)


def read_block(octets: bytes) -> Header:
    """Version 2, whole. What follows the addresses (TLVs) is passed over. Raises BadHeader."""
    command, family, addresses = octets[12], octets[13], octets[_FIXED:]
    if command == _LOCAL:
        return ITSELF
    if command != _PROXY:
        raise BadHeader(f"its version and command are {command:#04x}")
    if family in _OF_NOBODY:
        return ITSELF
    if family in _UNIX:
        _enough(addresses, _UNIX_OCTETS)
        return ITSELF
    if family == 0x11:
        _enough(addresses, 12)
        return Header(str(IPv4Address(addresses[:4])), int.from_bytes(addresses[8:10], "big"))
    if family == 0x21:
        _enough(addresses, 36)
        return Header(_written(IPv6Address(addresses[:16])), int.from_bytes(addresses[32:34], "big"))
    raise BadHeader(f"its family and protocol are {family:#04x}")


def _enough(addresses: bytes, octets: int) -> None:
    if len(addresses) < octets:
        raise BadHeader("it is too short for its addresses")


def is_header(octets: bytes) -> Literal["yes", "no", "perhaps"]:
    """Whether what a client says first is a header. Lines that end are never held to see: they want an answer."""
    if octets.startswith(_OPENINGS):
        return "yes"
    undecided = octets and not octets.endswith(b"\r\n") and any(opening.startswith(octets) for opening in _OPENINGS)
    return "perhaps" if undecided else "no"
