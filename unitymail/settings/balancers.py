"""A list of load balancers in `unitymail.toml`: IP addresses and CIDR blocks. Knows what is none, and what would be.

Refuses patterns (`10.1.*.*`): these addresses may say of everybody else who they are, so each is to be written out.
"""

from __future__ import annotations

from ipaddress import IPv6Network, ip_network


def why_no_balancers(value: object) -> str:
    """Why `value` cannot be such a list, "" when it can."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return f'{value!r} should be a list of addresses in quotes, as ["192.0.2.7", "10.0.0.0/24"]'
    return next((why for why in map(_why_not, value) if why), "")


def _why_not(text: str) -> str:
    try:
        loose = ip_network(text, strict=False)
    except ValueError:
        return f"{text!r} is neither an IP address nor a block of them, as 10.0.0.0/24"
    if isinstance(loose, IPv6Network) and "%" in text:
        return f"{text!r} has a zone; write the address alone"
    address = text.partition("/")[0]
    return "" if ip_network(address)[0] == loose[0] else f"{text!r} goes beyond its block; did you mean {loose}?"
