"""Waiting before a password is looked at, for clients that guess. Knows addresses and their failures, no names.

Each process of a node has its own: see Note *Every process its own* of the examiner. A success takes one failure back,
not all: in an office behind one address one stale telephone does not slow everybody down for good, and who guesses with
an account of their own pays a sign-in for each guess.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

FREE_FAILURES = 3
FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 4.0
FORGET_AFTER_S = 600.0
MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class Delays:
    def __init__(self) -> None:
        self._failures: dict[str, _Failures] = {}

    def before(self, client: str, now: float) -> float:
        """Seconds that this client's next attempt waits."""
        known = self._known(network_of(client), now)
        extra = known.count - FREE_FAILURES if known else 0
        return min(FIRST_DELAY_S * 2 ** (extra - 1), LONGEST_DELAY_S) if extra > 0 else 0.0

    def failed(self, client: str, now: float) -> None:
        network = network_of(client)
        known = self._known(network, now) or _Failures(0, now)
        self._failures.pop(network, None)
        if len(self._failures) >= MOST_ADDRESSES:
            del self._failures[next(iter(self._failures))]
        self._failures[network] = _Failures(min(known.count + 1, 64), now)

    def succeeded(self, client: str) -> None:
        known = self._failures.get(network_of(client))
        if known is not None:
            known.count -= 1
            if known.count <= 0:
                del self._failures[network_of(client)]

    def _known(self, network: str, now: float) -> _Failures | None:
        known = self._failures.get(network)
        if known is not None and abs(now - known.last) > FORGET_AFTER_S:
            del self._failures[network]
            return None
        return known


def network_of(client: str) -> str:
    """What one customer has of the net: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
