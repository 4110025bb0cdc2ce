"""The process that removes finished items: what is named and locked goes, whatever happens to the node."""

import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from unitymail.spool import removing
from unitymail.spool.claim import try_lock


class Helper:
    """One of its kind, and our end of its socket; `put` makes an item's files and takes its lock."""

    def __init__(self, folder):
        self.folder = folder
        self.line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.line.settimeout(20)
        with theirs:
            self.process = subprocess.Popen([sys.executable, "-I", "-S", removing.__file__, str(folder)], stdin=theirs)

    def put(self, trace):
        for ending in (".eml", ".json"):
            (self.folder / f"{trace}{ending}").write_bytes(b"x" * 3_000)
        return try_lock(str(self.folder / f"{trace}.json"))

    def ask(self, traces, locks):
        socket.send_fds(self.line, ["\n".join(traces).encode()], locks)

    def answer(self):
        return self.line.recv(100_000).decode().split("\n")

    def left(self):
        return sorted(os.listdir(self.folder))


@pytest.fixture
def helper(tmp_path):
    folder = tmp_path / "items"
    folder.mkdir()
    helper = Helper(folder)
    yield helper
    helper.line.close()
    helper.process.wait(20)


def test_what_is_named_goes(helper):
    """Both files of each item; others stay; then it waits for more."""
    locks = [helper.put(trace) for trace in ("t1", "t2", "t3")]
    helper.ask(["t1", "t2"], locks[:2])
    assert helper.answer() == ["done"]
    assert helper.left() == ["t3.eml", "t3.json"]
    helper.ask(["t3"], locks[2:])
    assert helper.answer() == ["done"]
    assert helper.left() == []
    for lock in locks:
        os.close(lock)


def test_as_many_as_there_may_be(helper):
    """A whole batch, of the longest names, is one message."""
    traces = [f"{n:064d}" for n in range(removing.MOST)]
    locks = [helper.put(trace) for trace in traces]
    helper.ask(traces, locks)
    assert helper.answer() == ["done"]
    assert helper.left() == []
    for lock in locks:
        os.close(lock)


def test_what_cannot_go_is_named(helper):
    """The envelope stays as long as the message file: nobody takes it for something else."""
    lock = helper.put("t1")
    os.unlink(helper.folder / "t1.eml")
    (helper.folder / "t1.eml").mkdir()
    helper.ask(["t1", "gone"], [lock, lock])
    assert helper.answer() == ["done", "t1"]
    assert helper.left() == ["t1.eml", "t1.json"]
    os.close(lock)


def test_nothing_without_a_lock(helper):
    """Names that came without as many descriptors are left alone."""
    lock = helper.put("t1")
    helper.ask(["t1", "t2"], [lock])
    assert helper.answer() == ["done", "t1", "t2"]
    assert helper.left() == ["t1.eml", "t1.json"]
    os.close(lock)


def test_it_ends_with_the_node(helper):
    """When the other end is closed, however that comes."""
    helper.line.close()
    assert helper.process.wait(20) == 0


def test_signals_are_for_the_node(helper):
    """Ctrl-C and the end of the service reach the whole group: it goes on until the node is done."""
    lock = helper.put("t1")
    helper.ask(["t1"], [lock])
    helper.answer()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        helper.process.send_signal(number)
    lock2 = helper.put("t2")
    helper.ask(["t2"], [lock2])
    assert helper.answer() == ["done"]
    os.close(lock)
    os.close(lock2)


def test_the_node_dies_in_the_middle(helper):
    """What is on its way to it stays locked until it is gone: nobody meets half an item."""
    lock = helper.put("t1")
    helper.process.send_signal(signal.SIGSTOP)
    helper.ask(["t1"], [lock])
    os.close(lock)
    helper.line.close()
    assert try_lock(str(helper.folder / "t1.json")) is None
    helper.process.send_signal(signal.SIGCONT)
    assert helper.process.wait(20) == 0
    assert helper.left() == []


def test_it_has_nothing_of_the_node(helper):
    """No descriptors but its socket and the standard ones, and it is small."""
    helper.ask(["none"], [])
    helper.answer()
    links = [os.readlink(f"/proc/{helper.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{helper.process.pid}/fd")]
    assert sum(link.startswith("socket:") for link in links) == 1
    assert not [link for link in links if link.startswith(str(helper.folder))]
    with open(f"/proc/{helper.process.pid}/status") as file:
        anonymous = next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
    assert anonymous < 12_000


def test_it_does_not_stay_for_nothing(tmp_path):
    """After an idle time it says so and ends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.settimeout(0.01)
    serving = threading.Thread(target=removing.serve, args=(theirs, str(tmp_path)))
    serving.start()
    assert ours.recv(100) == b"over"
    serving.join(20)
    assert not serving.is_alive()
    ours.close()
    theirs.close()


def test_what_is_another_file_by_now_stays(helper):
    """A start that did not wait for the lock any longer has put another item there: it is left alone."""
    lock = helper.put("t1")
    for ending in (".eml", ".json"):
        (helper.folder / f"t1{ending}").unlink()
    other = helper.put("t1")
    gone = helper.put("t2")
    (helper.folder / "t2.json").unlink()
    helper.ask(["t1", "t2"], [lock, gone])
    assert helper.answer() == ["done"]
    assert helper.left() == ["t1.eml", "t1.json", "t2.eml"]
    for fd in (lock, other, gone):
        os.close(fd)
