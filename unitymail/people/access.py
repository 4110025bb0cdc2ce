"""The IP access list: patterns with a verdict. Longest match wins; at equal length, deny wins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccessRule:
    """`pattern` is an address, a CIDR block, `10.1.*.*` or `*`. `legacy` senders may send bare CR and LF."""

    pattern: str
    allow: bool
    legacy: bool = False
