"""Who may connect: the IP access list, and what an address is trusted with.

Knows patterns and which of them wins; refuses to know what a client does once it is in.

Note *Which rule wins*. An exact address beats every block or pattern, the longer block or pattern beats the shorter,
`*` loses to all; between two of equal length the one that denies wins. The smart host counts as an exact address
that is allowed, so only a rule that denies exactly its address keeps it out.

Note *Peers have no address*. A peer is known by the key of its certificate, wherever it comes from. All that the
address of a peer's host is good for is to come in and show it, where the list or the site would have turned it away:
until then (`must_prove`) it may do nothing else. Here too an exact address that is denied stays out.

Note *A balancer's own address*. Where a load balancer does not say for whom it speaks, its own address comes marked
with `PROXY_ITSELF`. The rules that deny it hold; none makes it trusted, the smart host or this machine, since the whole
world may stand behind it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal

from unitymail.mail.reply import Reply
from unitymail.people.access import AccessRule
from unitymail.settings.site import SiteSettings

REFUSED_ADDRESS = Reply(
    554, "5.7.1", "Connections from your address are not accepted here; ask the postmaster to allow them"
)
PROXY_ITSELF = "%proxy"
"""Stands where the zone of an address does, so that it is left out wherever an address is looked at as one."""
EXACT = 129
"""The length of a pattern that is one address: more than any block has (RFC 4291: 128 bits)."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`version` is 4, 6 or 0 for any; `length` ranks it: -1 for `*`, fixed bits for a block, `EXACT` for an address."""

    version: int
    value: int
    mask: int
    length: int

    def matches(self, address: IPv4Address | IPv6Address) -> bool:
        return self.version in (0, address.version) and int(address) & self.mask == self.value


ANY = Pattern(0, 0, 0, -1)


class AccessList(tuple[AccessRule, ...]):
    """The rules in their order, and ready to be asked: however many there are, an address costs a few look-ups.

    To make one of ten thousand rules takes a tenth of a second: that is a thread's work. What cannot be read matches
    nothing.
    """

    _tables: list[tuple[int, dict[tuple[int, int], dict[int, AccessRule]]]]
    """By length, the longest first: for each version and mask the rules by value."""

    def __new__(cls, rules: Iterable[AccessRule] = ()) -> AccessList:
        self = super().__new__(cls, rules)
        tables: dict[int, dict[tuple[int, int], dict[int, AccessRule]]] = {}
        for rule in self:
            pattern = _known(rule.pattern)
            if pattern is not None:
                table = tables.setdefault(pattern.length, {}).setdefault((pattern.version, pattern.mask), {})
                if pattern.value not in table or not rule.allow:
                    table[pattern.value] = rule
        self._tables = sorted(tables.items(), reverse=True)
        return self

    def best(self, address: IPv4Address | IPv6Address | None) -> tuple[int, AccessRule | None]:
        """(length, rule) of the rule that wins for this address; of no address only `*` knows anything."""
        number, family = (int(address), address.version) if address is not None else (0, 0)
        for length, tables in self._tables:
            best: AccessRule | None = None
            for (version, mask), rules in tables.items():
                rule = rules.get(number & mask) if version in (0, family) else None
                if rule is not None and (best is None or not rule.allow):
                    best = rule
            if best is not None:
                return length, best
        return -2, None


_THIS_MACHINE = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


@dataclass(frozen=True, slots=True)
class Client:
    """What the access list says of a client. `refusal` is the banner it gets instead of ours, None when welcome.

    `at_peer`: its address is that of a peer's host. `must_prove`: it is here for no other reason.
    """

    trust: Literal["trusted", "smart-host", "stranger"]
    legacy: bool = False
    refusal: Reply | None = None
    at_peer: bool = False
    must_prove: bool = False


def judge_client(
    ip: str, rules: Sequence[AccessRule], site: SiteSettings, smart_host_addresses: Collection[str] = (),
    peer_addresses: Collection[str] = (),
) -> Client:
    """Trusted, smart host or stranger, by address; with a refusal where the list or the site wants none of it.

    The address book's `rules` are an `AccessList`; others are made into one.
    """
    address = plain_address(ip)
    length, rule = (rules if isinstance(rules, AccessList) else AccessList(rules)).best(address)
    denied = rule is not None and not rule.allow
    legacy = rule is not None and rule.allow and rule.legacy
    if denied and length == EXACT:
        return Client("stranger", refusal=REFUSED_ADDRESS)
    at_peer = bool(peer_addresses) and _is_among(address, peer_addresses)
    known = not ip.endswith(PROXY_ITSELF)
    if known and _is_among(address, smart_host_addresses):
        return Client("smart-host", legacy, at_peer=at_peer)
    if known and rule is not None and rule.allow:
        return Client("trusted", legacy, at_peer=at_peer)
    if denied or not site.smtp_allow_untrusted:
        return Client("stranger", refusal=None if at_peer else REFUSED_ADDRESS, at_peer=at_peer, must_prove=at_peer)
    return Client("stranger", at_peer=at_peer)


def _is_among(address: IPv4Address | IPv6Address | None, hosts: Collection[str]) -> bool:
    return address is not None and any(plain_address(host) == address for host in hosts)


def plain_address(ip: str) -> IPv4Address | IPv6Address | None:
    """The address without zone (`%eth0`); an IPv4 address mapped into IPv6 (RFC 4291 2.5.5.2) is IPv4."""
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=10_000)
def is_this_machine(ip: str) -> bool:
    """Whether it is 127.0.0.1 or ::1: other loopback addresses count as remote (decisions.md)."""
    return plain_address(ip) in _THIS_MACHINE and not ip.endswith(PROXY_ITSELF)


@lru_cache(maxsize=10_000)
def _known(text: str) -> Pattern | None:
    try:
        return read_pattern(text)
    except ValueError:
        return None


def read_pattern(text: str) -> Pattern:
    """An address, a CIDR block, `10.1.*.*` (or `10.1.*`), `2001:db8:*`, or `*`. Raises ValueError with a reason."""
    text = text.strip()
    if text == "*":
        return ANY
    if "*" in text:
        return _wildcard(text)
    if "/" not in text:
        address = plain_address(text)
        if address is None or "%" in text:
            raise ValueError(f"{text!r} is neither an address, a block (10.0.0.0/8), a pattern (10.1.*.*), nor *")
        return Pattern(address.version, int(address), (1 << address.max_prefixlen) - 1, EXACT)
    return _block(text)


def _block(text: str) -> Pattern:
    network = ip_network(text, strict=False)
    mapped = network.network_address.ipv4_mapped if isinstance(network.network_address, IPv6Address) else None
    if mapped is not None and network.prefixlen >= 96:
        return _block(f"{mapped}/{network.prefixlen - 96}")
    return Pattern(network.version, int(network.network_address), int(network.netmask), network.prefixlen)


def _wildcard(text: str) -> Pattern:
    """Groups of which some are `*`; a last `*` stands for all groups that follow."""
    version, separator, groups, bits, digit = (6, ":", 8, 16, "[0-9a-fA-F]{1,4}") if ":" in text else (
        4, ".", 4, 8, "[0-9]{1,3}"
    )
    pieces = text.split(separator)
    if pieces[-1] == "*":
        pieces += ["*"] * (groups - len(pieces))
    if len(pieces) != groups or not all(piece == "*" or re.fullmatch(digit, piece) for piece in pieces):
        raise ValueError(f"{text!r} is not a pattern such as 10.1.*.* or 2001:db8:*")
    value = mask = 0
    for piece in pieces:
        number = 0 if piece == "*" else int(piece, 10 if version == 4 else 16)
        if number >> bits:
            raise ValueError(f"{piece} in {text!r} is larger than {(1 << bits) - 1}")
        value = value << bits | number
        mask = mask << bits | (0 if piece == "*" else (1 << bits) - 1)
    return Pattern(version, value, mask, mask.bit_count())
