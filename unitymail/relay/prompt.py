"""Writing without asking the poller first: a socket nearly always takes a few lines at once.

Stock Twisted registers a socket with the poller for every write, sends in the turn after, and takes it out again. Here
only what the socket did not take goes that way, and everything under TLS, which gathers small writes itself.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import tcp


def write(transport: Any, octets: bytes) -> None:
    """As `transport.write`, sooner."""
    if isinstance(transport, tcp.Connection) and not transport.TLS and transport.connected and _is_free(transport):
        sent = transport.writeSomeData(octets)
        if isinstance(sent, int):
            if sent == len(octets):
                return
            octets = octets[sent:]
    transport.write(octets)


def _is_free(transport: Any) -> bool:
    """Whether nothing waits that must leave before."""
    return not transport.dataBuffer and not transport._tempDataBuffer
