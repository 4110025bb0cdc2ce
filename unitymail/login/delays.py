"""Waiting before a password is looked at, for clients that guess. Knows addresses and their failures, no names.

Each process of a node has its own: see Note *Every process its own* of the examiner. An IPv6 client is its /64. A
success takes one failure back, not all, so that one good account buys no guesses.
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
        known = self._known(_group(client), now)
        extra = known.count - FREE_FAILURES if known else 0
        return min(FIRST_DELAY_S * 2 ** (extra - 1), LONGEST_DELAY_S) if extra > 0 else 0.0

    def failed(self, client: str, now: float) -> None:
        group = _group(client)
        known = self._known(group, now) or _Failures(0, now)
        self._failures.pop(group, None)
        if len(self._failures) >= MOST_ADDRESSES:
            del self._failures[next(iter(self._failures))]
        self._failures[group] = _Failures(min(known.count + 1, 64), now)

    def succeeded(self, client: str) -> None:
        known = self._failures.get(_group(client))
        if known is not None:
            known.count -= 1
            if known.count <= 0:
                del self._failures[_group(client)]

    def _known(self, group: str, now: float) -> _Failures | None:
        known = self._failures.get(group)
        if known is not None and abs(now - known.last) > FORGET_AFTER_S:
            del self._failures[group]
            return None
        return known


def _group(client: str) -> str:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
