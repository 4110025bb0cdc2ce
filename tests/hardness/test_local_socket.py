"""Local socket kill: CVE-2025-62875 (OpenSMTPD: any local user's octets on a UNIX socket end the server).

The doorbell, the line between a parent and its workers, and the page of metrics hear garbage, megabytes without an end,
deep nesting, words in the wrong place, and many who say nothing: each of them only ever costs who said it, and the next
honest word is heard. Who may not be there cannot even knock: sockets and their directory are the node's own.
"""

import os
import socket
import stat
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor, threads
from twisted.internet.defer import succeed
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase

from tests.fakes import RecordingJournal
from unitymail.doorbell import sockets
from unitymail.doorbell.unix import Doorbell
from unitymail.doorbell.words import MAX_LINE, DirectoryChanged, spoken
from unitymail.workers.channel import Channel
from unitymail.workers.words import MAX_LINE as LONGEST_WORD
from unitymail.workers.words import Beat, Ready
from unitymail.workers.words import spoken as said

GARBAGE = (
    b"\0" * 100, b"\xff" * 1000 + b"\n", b"\n" * 10_000, b"[" * 50_000 + b"\n", b'{"a":' * 5_000 + b"\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b'["ring"]\n["ring",1,2]\n["ring",null,"x"]\n["directory","x"]\n["directory",1e999]\n["directory",-1]\n',
    b'["ring","../../x","\\ud800\\u0000"]\n', b'["items",[["../x",1e999,0,""],["t",NaN,0,""],[[]]]]\n',
    b'["taken",5]\n',
    b'["directory",' + b"9" * 4_000 + b"]\n", b'["rings",' + b"[" * 100 + b"]" * 100 + b"]\n", b"x" * (3 * MAX_LINE),
    b'"' + b"x" * (2 * MAX_LINE) + b'"\n',
)


class DoorbellTestCase(TestCase):
    """A bell on a real socket, and visitors that are no neighbours."""

    timeout = 60

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.run_folder = os.path.join(folder.name, "run")
        self.journal = RecordingJournal()
        self.asked = []
        self.bell = Doorbell(self.run_folder, reactor=reactor, journal=self.journal, take=self.take)
        self.bell.start()
        self.addCleanup(self.bell.stop)
        (self.path,) = sockets.bells(self.run_folder).values()

    def take(self, usn):
        self.asked.append(usn)
        return succeed(usn)

    def knock(self, octets, wait=0.2):
        """Say this, and read what comes back within the time; in a thread."""
        with socket.socket(socket.AF_UNIX) as visitor:
            visitor.settimeout(wait)
            visitor.connect(self.path)
            try:
                visitor.sendall(octets)
                return visitor.recv(65_536)
            except (TimeoutError, ConnectionError):
                return b""

    async def is_well(self):
        """An honest word is answered."""
        answer = await threads.deferToThread(self.knock, spoken(DirectoryChanged(7)), 10)
        self.assertEqual(answer, b'["taken",7]\n')

    async def test_garbage(self):
        """Whatever a visitor says, the bell hears the next one, and the node notes no trouble."""
        heard = []
        self.bell.listen("u-robin", heard.append)
        for octets in GARBAGE:
            await threads.deferToThread(self.knock, octets)
            await self.is_well()
        self.assertEqual(heard, [])
        self.assertEqual([one.args for one in self.journal.named("trouble")], [])
        self.flushLoggedErrors()

    async def test_many_who_say_nothing(self):
        """Two hundred visitors that stay, each with half a word: the bell still answers."""
        visitors = []
        for _ in range(200):
            visitor = socket.socket(socket.AF_UNIX)
            self.addCleanup(visitor.close)
            visitor.connect(self.path)
            visitor.send(b'["ring","u-robin"')
            visitors.append(visitor)
            await deferLater(reactor, 0, lambda: None)
        await self.is_well()

    async def test_who_never_reads(self):
        """A visitor that asks and asks and takes no answer holds nobody up."""
        visitor = socket.socket(socket.AF_UNIX)
        self.addCleanup(visitor.close)
        visitor.connect(self.path)
        visitor.setblocking(False)
        for _ in range(200):
            try:
                visitor.send(spoken(DirectoryChanged(1)) * 100)
            except BlockingIOError:
                await deferLater(reactor, 0.005, lambda: None)
        await self.is_well()

    def test_nobody_else_may_knock(self):
        """Socket and directory are for the node's own user only, whatever the umask."""
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode) & 0o077, 0)
        self.assertEqual(stat.S_IMODE(os.stat(self.run_folder).st_mode) & 0o077, 0)

    async def test_what_lies_there_is_no_bell(self):
        """Files, links and names that are nearly bells do not keep a node from starting or ringing."""
        for name in ("bell-0.sock", "bell-99999999.sock", "bell-x.sock", "bell-1.sock.x", "bell--1.sock"):
            with open(os.path.join(self.run_folder, name), "w") as file:
                file.write("x")
        os.symlink("/dev/zero", os.path.join(self.run_folder, "bell-1.sock"))
        self.bell.ring("u-robin", "INBOX")
        await deferLater(reactor, 0.05, lambda: None)
        await self.is_well()
        self.flushLoggedErrors()


def channel():
    heard, confused = [], []
    made = Channel(write=lambda octets: None, heard=heard.append, confused=confused.append, clock=Clock())
    return made, heard, confused


@pytest.mark.parametrize("octets", [*GARBAGE, b"[]\n", b"null\n", b'["begin",[]]\n', b'["beat"]\n'])
def test_a_worker_that_says_nonsense(octets):
    """What is no word ends that worker's say, once; nothing it says afterwards counts, and nothing is raised."""
    made, heard, confused = channel()
    made.receive(said(Ready()))
    made.receive(octets + b"\n")
    made.receive(said(Beat({})) * 3)
    assert heard[0] == Ready() and len(confused) == 1 and len(heard) == 1
    assert confused[0].isprintable() and len(confused[0]) < 500


def test_a_line_without_end():
    """A word that never ends is given up at the limit, and not kept."""
    made, heard, confused = channel()
    for _ in range(LONGEST_WORD // 65_536 + 2):
        made.receive(b"x" * 65_536)
    assert confused and not heard and made._begun == b""


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_octets_in_any_pieces(octets, cut):
    """However they are cut, the same is heard."""
    found = []
    for pieces in ([octets], [octets[:cut], octets[cut:]]):
        made, heard, confused = channel()
        for piece in pieces:
            made.receive(piece)
        found.append((heard, confused))
    assert found[0] == found[1]
