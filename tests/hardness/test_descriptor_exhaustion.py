"""Class: file-descriptor exhaustion. A crowd of connections burns no core, and does not starve who is inside.

Known example: Stalwart's accept loop that spun on EMFILE (told in its change log). Stock Twisted's spins as soon as the
one descriptor that it keeps in reserve is lost to a thread.
"""

import os
import resource
import shutil
import socket
import time

import pytest

from tests.stories.house import hand_in, until, wait_a_little

LETTER = b"From: robin.smith@example.com\r\nTo: chris.jones@example.com\r\nSubject: Inside\r\n\r\n%b\r\n"
LIMIT = 256
WATCHED_S = 2.0
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(house):
    """Seconds of CPU that the node has used."""
    with open(f"/proc/{house.process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_share(house):
    """How much of a core the node uses while nobody does anything."""
    began, used = time.monotonic(), cpu_of(house)
    while time.monotonic() - began < WATCHED_S:
        wait_a_little()
    return (cpu_of(house) - used) / (time.monotonic() - began)


class Crowd:
    """Many who connect and say nothing, from many addresses. `answers` is what each heard first, None for nothing."""

    def __init__(self, house):
        self._house = house
        self.sockets = []

    def come(self, door, count):
        where = ("127.0.0.1", self._house.ports[door])
        for n in range(count):
            self.sockets.append(socket.create_connection(where, 30, (f"127.0.2.{n % 200 + 1}", 0)))
        return self

    def answers(self, since=0):
        """Of those that came after the first `since`."""
        found = []
        for each in self.sockets[since:]:
            try:
                found.append(each.recv(200))
            except ConnectionResetError:
                found.append(b"")
        return found

    def leave(self):
        for each in self.sockets:
            each.close()
        self.sockets = []


@pytest.fixture
def crowd(stopped_house):
    gathered = Crowd(stopped_house)
    yield gathered
    gathered.leave()


@pytest.fixture
def house(stopped_house):
    """A node that may open 256 files."""
    if not shutil.which("prlimit"):
        pytest.skip("prlimit is not installed: apt-get install util-linux")
    return stopped_house.start("prlimit", f"--nofile={LIMIT}:{LIMIT}")


def test_a_crowd_hears_that_there_is_no_room(house, crowd):
    """Those for whom no descriptor is left hear 421 or BYE, who is inside is served, later all are welcome again."""
    box, client = house.imap("chris"), house.smtp("robin")
    answers = crowd.come("imap", LIMIT).answers()  # all, before the next come: else these would be among the first
    greeted = sum(b" OK " in answer for answer in answers)
    turned_away = sum(b"BYE [UNAVAILABLE] Too many connections" in answer for answer in answers)
    assert 20 < greeted < 100
    assert greeted + turned_away == LIMIT
    answers = crowd.come("submission", 60).answers(LIMIT)
    assert sum(answer.startswith(b"421 4.3.2 Too many connections") for answer in answers) == 60
    crowd.come("imaps", 20)
    assert cpu_share(house) < 0.2
    hand_in(client, "robin.smith@example.com", ["chris.jones@example.com"], LETTER % (b"x" * 200_000))
    box.select("INBOX")
    until(lambda: box.noop() and box.search(None, "ALL")[1] == [b"1"], "the message is not there")
    crowd.leave()
    until(lambda: welcome(house), "nobody is let in after the crowd left")
    until(lambda: house.left_behind() == [], "something is left behind")
    box.logout()
    client.quit()


def welcome(house):
    with socket.create_connection(("127.0.0.1", house.ports["submission"]), 30) as again:
        return again.recv(200).startswith(b"220 ")


def test_not_one_descriptor_left(house, crowd):
    """Accepting fails, files cannot be made: no core is burnt, mail is put off and not lost, and it all comes back."""
    box, client = house.imap("chris"), house.smtp("robin")
    box.select("INBOX")
    for letter in ("one", "two"):
        hand_in(client, "robin.smith@example.com", ["chris.jones@example.com"], LETTER % letter.encode())
    open_now = max(map(int, os.listdir(f"/proc/{house.process.pid}/fd"))) + 1
    resource.prlimit(house.process.pid, resource.RLIMIT_NOFILE, (open_now, LIMIT))
    crowd.come("imap", 40)  # takes what is free below
    crowd.come("submission", 20)
    assert cpu_share(house) < 0.2
    codes = set()
    for size in (10, 200_000):
        client.mail("robin.smith@example.com")
        client.rcpt("chris.jones@example.com")
        codes.add(client.data(LETTER % (b"x" * size))[0])
    assert codes == {451}
    assert box.noop()[0] in ("OK", "NO")
    resource.prlimit(house.process.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
    assert all(answer.startswith((b"* OK", b"* BYE", b"220 ", b"421 ")) for answer in crowd.answers())
    hand_in(client, "robin.smith@example.com", ["chris.jones@example.com"], LETTER % b"three")
    until(lambda: box.noop()[0] == "OK" and box.search(None, "ALL")[1] == [b"1 2 3"], "messages are missing")
    assert sum("nobody can be let in" in line for line in house.output) <= 2  # a line a door
    until(lambda: house.left_behind() == [], "something is left behind")
    box.logout()
    client.quit()
