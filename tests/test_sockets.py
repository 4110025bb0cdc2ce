"""Doors bind early and accept late; a port that is taken is named with its door."""

import contextlib
import socket

import pytest

from unitymail.sockets import CannotListen, bind, bind_each, shown


def test_a_bound_socket_queues_clients():
    """A client that comes before the node is ready waits instead of being refused."""
    listening = bind("smtp", "127.0.0.1", 0)
    client = socket.create_connection(listening.getsockname())
    client.close()
    assert shown(listening).startswith("127.0.0.1:")
    listening.close()


def test_no_address_is_every_address():
    """An empty address listens on IPv4 too."""
    listening = bind("smtp", "", 0)
    socket.create_connection(("127.0.0.1", listening.getsockname()[1])).close()
    listening.close()


def test_a_taken_port_is_named():
    """The refusal says which door, where, and what to change."""
    first = bind("smtp", "127.0.0.1", 0)
    with pytest.raises(CannotListen, match=r"the imap door cannot listen on 127\.0\.0\.1:\d+: .*listen\.imap"):
        bind("imap", "127.0.0.1", first.getsockname()[1])
    first.close()


def test_the_advice_fits_the_reason(monkeypatch):
    """A privileged port, a foreign address and a taken port each need something else done."""
    with pytest.raises(CannotListen, match=r"change listen\.address in the settings file"):
        bind("smtp", "192.0.2.1", 0)

    def refuse(self, where):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(CannotListen, match="CAP_NET_BIND_SERVICE") as refused:
        bind("smtp", "", 25)
    assert "another program" not in str(refused.value)


def test_several_sockets_of_one_port_share_who_comes():
    """Each gets some of those who connect, and nobody else may have the port meanwhile."""
    port = free_port()
    bound = bind_each("smtp", "127.0.0.1", port, 3)
    try:
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(90)]
        got = []
        for listening in bound:
            mine = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    mine.append(listening.accept()[0])
            got.append(len(mine))
            for one in mine:
                one.close()
        for client in clients:
            client.close()
        assert sum(got) == 90 and min(got) > 5
        for count in (1, 3):
            with pytest.raises(CannotListen, match="another program has it"):
                bind_each("smtp", "127.0.0.1", port, count)
    finally:
        for listening in bound:
            listening.close()


def test_one_socket_shares_with_nobody():
    """The only process of a node binds its ports alone."""
    port = free_port()
    [listening] = bind_each("smtp", "127.0.0.1", port, 1)
    with listening:
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0


def free_port():
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]
