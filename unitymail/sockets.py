"""The listening sockets: bound before privileges are shed, handed to the reactor once everything behind them stands."""

from __future__ import annotations

import errno
import socket
from typing import Any

from unitymail.accepting import Entrance

BACKLOG = 1024


class CannotListen(Exception):
    """Which door, where, why, and what to do."""


def bind_each(door: str, address: str, port: int, count: int) -> list[socket.socket]:
    """`count` listening sockets, among which the kernel deals out who comes; as `bind` otherwise.

    Two nodes of one user could share a port that way, and each would get half of the other's mail. So the port is
    bound by one socket alone first: that fails where anybody listens.
    """
    if count > 1:
        bind(door, address, port).close()
    return [bind(door, address, port, shared=count > 1) for _ in range(count)]


def bind(door: str, address: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; an empty address is every one, IPv4 and IPv6. Raises CannotListen."""
    family = socket.AF_INET6 if ":" in address or (not address and socket.has_dualstack_ipv6()) else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1 if address else 0)
        listening.bind((address or ("::" if family == socket.AF_INET6 else "0.0.0.0"), port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        what = f"the {door} door cannot listen on {address or '*'}:{port}: {error.strerror}"
        raise CannotListen(f"{what}; {_advice(error.errno, door)}") from error
    listening.setblocking(False)
    return listening


def _advice(number: int | None, door: str) -> str:
    match number:
        case errno.EACCES:
            return f"ports below 1024 need CAP_NET_BIND_SERVICE (as in etc/unitymail.service), or change listen.{door}"
        case errno.EADDRINUSE:
            return f"another program has it: stop that one, or change listen.{door} in the settings file"
    return "change listen.address in the settings file to an address of this machine, or to nothing for all"


def adopt(reactor: Any, listening: socket.socket, factory: Any) -> Entrance:
    """Begin to accept on `listening`; the port keeps a descriptor of its own."""
    port: Entrance = Entrance._fromListeningDescriptor(reactor, listening.fileno(), listening.family, factory)
    port.startListening()
    listening.close()
    return port


def shown(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
