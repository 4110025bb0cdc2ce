"""Class: thousands of idle connections. They cost memory by the kilobyte, no CPU, and nobody waits because of them.

Known examples: 546 KB for each idle IMAP connection of a process-per-client server; event loops that look at every
connection in every turn. Five thousand at each door are measured by benchmarks/idle_connections.py; here are fewer, on
any machine, within the same budgets.
"""

import os
import socket
import ssl
import time

import pytest

from tests.hardness.test_descriptor_exhaustion import TICKS
from tests.stories.house import hand_in, no_check, wait_a_little

PLAIN, UNDER_TLS = 15_000, 60_000
"""Octets of resident memory that a connection may cost."""
WARM = 100
CONTEXT = no_check()
LETTER = b"From: robin.smith@example.com\r\nTo: chris.jones@example.com\r\nSubject: Meanwhile\r\n\r\nHi.\r\n"


@pytest.fixture
def house(stopped_house):
    for key in ("smtp.max_connections", "smtp.max_connections_per_address", "imap.max_connections"):
        stopped_house.run("site", "set", f"{key}=20000")
    return stopped_house.start()


def resident(house):
    with open(f"/proc/{house.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def used(house):
    with open(f"/proc/{house.process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def connect(house, door):
    connection = socket.create_connection(("127.0.0.1", house.ports[door]), 30)
    if door in ("submissions", "imaps"):
        connection = CONTEXT.wrap_socket(connection)
    assert connection.recv(500).startswith((b"220 ", b"* OK "))
    if door in ("submission", "submissions"):
        connection.sendall(b"EHLO client.example\r\n")
        said = connection.recv(4096)
        assert said.startswith(b"250-")
    return connection


@pytest.mark.parametrize(
    ("door", "count", "budget"),
    [("submission", 2_000, PLAIN), ("imap", 2_000, PLAIN), ("submissions", 500, UNDER_TLS), ("imaps", 500, UNDER_TLS)],
)
def test_what_an_idle_connection_costs(house, door, count, budget):
    """Memory each, CPU of all in a quiet second, and the greeting of whoever comes now."""
    for each in [connect(house, door) for _ in range(WARM)]:
        each.close()
    client = house.smtp("robin")
    before = resident(house)
    crowd = [connect(house, door) for _ in range(count)]
    try:
        each = (resident(house) - before) / count
        assert each < budget, f"{each:,.0f} octets"
        waits = []
        for _ in range(20):
            began = time.monotonic()
            connect(house, door).close()
            waits.append(time.monotonic() - began)
        assert sorted(waits)[10] < 0.2, waits
        hand_in(client, "robin.smith@example.com", ["chris.jones@example.com"], LETTER)
        began, cpu = time.monotonic(), used(house)
        while time.monotonic() - began < 1:
            wait_a_little()
        assert used(house) - cpu < 0.2
    finally:
        for connection in crowd:
            connection.close()
    client.quit()


def test_a_storm_of_handshakes(house):
    """Two hundred clients begin TLS at the same moment: no turn of the reactor is long, and all are served."""
    waiting = []
    for _ in range(200):
        connection = socket.create_connection(("127.0.0.1", house.ports["imaps"]), 30)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = CONTEXT.wrap_bio(incoming, outgoing)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        waiting.append((connection, tls, incoming, outgoing, outgoing.read()))
    for connection, *_, hello in waiting:
        connection.sendall(hello)
    for connection, tls, incoming, outgoing, _ in waiting:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(connection.recv(65_536))
        connection.sendall(outgoing.read())
        said = b""
        while b"\r\n" not in said:
            try:
                said += tls.read(500)
            except ssl.SSLWantReadError:
                incoming.write(connection.recv(65_536))
        assert said.startswith(b"* OK ")
        connection.close()
    house.expect_short_turns()
