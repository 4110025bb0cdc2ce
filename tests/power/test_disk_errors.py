"""A call to the disk fails, each in turn: a clear answer, nothing lost or half visible, and life goes on."""

import errno
import os
import shutil

import pytest

from tests.power.recording import ForgetfulDisk
from tests.power.scenario import TO_CHRIS, TO_ROBIN, Node, Promises, check, live, mailboxes
from unitymail.interfaces.errors import DISK_FULL, TryAgain


class Failing:
    """Raises once, at call number `at`; or at every call while `always`."""

    def __init__(self, number):
        self.number = number
        self.at = 0
        self.calls = 0
        self.always = False
        self.failed = ""

    def __call__(self, call):
        self.calls += 1
        if self.always or self.calls == self.at:
            self.failed = self.failed or call
            raise OSError(self.number, os.strerror(self.number))


def promises_of(disk):
    promises = Promises()
    for event in disk.events:
        if event[0] == "mark":
            promises.take(event[1])
    return promises


def how_many_calls(root):
    failing = Failing(errno.EIO)
    node = Node(root, ForgetfulDisk(root, failing))
    began = failing.calls
    live(node)
    ended = failing.calls
    node.stop()
    return began, ended


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
def test_any_call_may_fail(number, place):
    """Whichever call fails: what was acknowledged is there, what was refused is not, and the next message goes in."""
    began, ended = how_many_calls(os.path.join(place, "count"))
    for at in range(began + 1, ended + 1):
        root = os.path.join(place, str(at))
        failing = Failing(number)
        disk = ForgetfulDisk(root, failing)
        node = Node(root, disk)
        failing.at = at
        live(node)
        label = (os.strerror(number), at, failing.failed)
        for answer in node.answers:
            assert answer is None or isinstance(answer, TryAgain), (label, answer)
        assert node.send("t9", TO_CHRIS, TO_ROBIN) is None, label
        node.pass_time(200, 20)
        assert_kept(node, promises_of(disk), label)
        node.stop()
        check(root, promises_of(disk), label)
        shutil.rmtree(root)


def assert_kept(node, promises, label):
    """While the node runs on: the promised messages, once each, and nothing that was refused."""
    pairs = [(account, trace) for account, trace, _ in mailboxes(node.store)]
    assert len(pairs) == len(set(pairs)), (label, pairs)
    assert promises.kept <= set(pairs), (label, "lost", promises.kept - set(pairs))
    assert set(pairs) <= promises.kept | promises.open, (label, "refused, but there", set(pairs) - promises.kept)


def test_a_full_disk_says_so_and_recovers(place):
    """While the disk is full every message is told 452 4.3.1; afterwards mail flows as if nothing had been."""
    root = place
    failing = Failing(errno.ENOSPC)
    disk = ForgetfulDisk(root, failing)
    node = Node(root, disk)
    assert node.send("t1", TO_ROBIN) is None
    failing.always = True
    for trace, body in (("t2", b"\r\nHi\r\n"), ("t3", b"\r\n" + b"x" * 200_000)):
        answer = node.send(trace, TO_ROBIN, body=body)
        assert isinstance(answer, TryAgain)
        assert answer.reply == DISK_FULL
    node.pass_time(5)
    failing.always = False
    assert node.send("t4", TO_ROBIN) is None
    node.pass_time(120, 10)
    assert_kept(node, promises_of(disk), "full")
    assert {trace for _, trace in promises_of(disk).kept} == {"t1", "t4"}
    node.stop()
    check(root, promises_of(disk), "full")
