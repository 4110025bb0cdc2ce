"""Mail that leaves: the power is cut after every call, or a call fails. Nothing is lost, what was done stays done."""

import errno
import os
import shutil

import pytest

from tests.courier.fake_relay import BUSY
from tests.power.cutting import brief, moments
from tests.power.recording import DROPPED, KILLED, NAMES, Model, RecordingDisk
from tests.power.test_disk_errors import Failing
from tests.power.way_out import (
    LEE,
    PAT,
    TO_CHRIS,
    TO_ROBIN,
    OutNode,
    Promises,
    check,
    check_cuts,
    check_untroubled,
    leave,
)
from tests.spool.room import NOW
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import DONE
from unitymail.spool import durable
from unitymail.spool.spool import GATHER_S


@pytest.fixture(scope="module", params=[0.0, GATHER_S], ids=["at-once", "gathered"])
def events(tmp_path_factory, request):
    """That an item is finished is noted at once, or with others a few milliseconds later."""
    disk = RecordingDisk(tmp_path_factory.mktemp("leaving"))
    node = OutNode(disk.root, disk, gather_s=request.param)
    leave(node)
    assert node.accepted == ["t1", "t2", "t3", "t4", "t5", "t5x", "t6"]
    node.store.close()
    return list(disk.events)


def test_the_story_itself(events):
    """Without any trouble everybody is served once, the peer's second try is answered, and every end is told."""
    check_untroubled(events)


@pytest.mark.parametrize("variant", [DROPPED, NAMES, KILLED])
def test_after_any_cut_all_are_served_and_no_durable_outcome_is_forgotten(events, variant, place):
    """For each prefix of the disk calls the worst tree starts again: who was promised to be served is."""
    assert check_cuts(events, variant, place) > 40


def test_recovery_may_be_interrupted_too(events, place):
    """A second cut, anywhere in the recovery from the first and the work after it, forgets no durable outcome."""
    durable = moments(events, DROPPED)
    for number in durable[len(durable) // 6 :: len(durable) // 6]:
        root = os.path.join(place, str(number))
        Model(events[:number]).build(root, DROPPED)
        disk = RecordingDisk(root)
        node = OutNode(root, disk)
        node.pass_time(2)
        node.store.close()
        for cut in range(disk.began, len(disk.events), max(1, (len(disk.events) - disk.began) // 7)):
            again = os.path.join(place, f"{number}-{cut}")
            Model(disk.events[:cut]).build(again, DROPPED)
            promises = Promises([*events[:number], *disk.events[:cut]])
            check(again, promises, (number, "then", cut, brief(disk.events[cut - 1])))
            shutil.rmtree(again)
        shutil.rmtree(root)


class FailingFlush:
    """The flush of files (or of all) that has this number fails; names can be flushed."""

    def __init__(self, at=0):
        self.at = at
        self.count = 0

    def __call__(self, call):
        if call in ("flush", "flush_filesystem"):
            self.count += 1
            if self.count == self.at:
                raise OSError(errno.EIO, os.strerror(errno.EIO))


def wait(node):
    """Messages that wait in files by the end, some of them after a second attempt; all their records are retired."""
    node.relay.answers["smart-host"] = [DONE, Attempt((DONE, BUSY)), BUSY, BUSY, BUSY]
    node.take("t1", PAT)
    node.take("t2", PAT, LEE, TO_ROBIN)
    node.take("t3", LEE)
    node.pass_time(2)
    node.take("t4", TO_CHRIS, PAT, hold_until=NOW + 400)
    node.pass_time(100, 1)


def test_an_envelope_that_was_replaced_when_the_power_was_cut(place):
    """Some file systems keep the new name and lose the octets: what waits is known all the same, and what was done."""
    disk = RecordingDisk(os.path.join(place, "life"))
    node = OutNode(disk.root, disk)
    wait(node)
    node.store.close()
    model = Model()
    for number, event in enumerate(disk.events, 1):
        model.apply(event)
        root = os.path.join(place, str(number))
        model.build(root, NAMES)
        check(root, Promises(disk.events[:number]), (number, brief(event)))
        shutil.rmtree(root)


@pytest.mark.parametrize("together", [False, True], ids=["one-by-one", "together"])
def test_a_flush_failed_and_later_the_power_is_cut(place, together, monkeypatch):
    """What a flush lost is written anew before anything relies on it: a cut long after it finds everything."""
    monkeypatch.setattr(durable, "FLUSHED_ONE_BY_ONE", 0 if together else 64)
    counting = FailingFlush()
    wait(OutNode(os.path.join(place, "count"), RecordingDisk(os.path.join(place, "count"), counting)))
    assert counting.count > 10
    for at in range(1, counting.count + 1):
        root, after = os.path.join(place, str(at)), os.path.join(place, f"{at}-cut")
        disk = RecordingDisk(root, failing := FailingFlush(at))
        node = OutNode(root, disk)
        wait(node)
        assert failing.count >= at
        node.store.close()
        Model(disk.events).build(after, DROPPED)
        check(after, Promises(disk.events), ("flush", at))
        shutil.rmtree(root)
        shutil.rmtree(after)


def test_a_flush_failed_and_the_node_was_killed(place):
    """The next start does not know what a flush lost: it writes the envelopes it answers for anew."""
    failing = Failing(errno.EIO)
    disk = RecordingDisk(os.path.join(place, "life"), lambda call: failing(call) if call == "flush" else None)
    node = OutNode(disk.root, disk)
    node.relay.always["smart-host"] = BUSY
    node.take("t3", LEE)
    failing.always = True
    node.spool._retirement.run()
    failing.always = False
    os.close(node.spool._commits._life)
    for held in node.spool._in_hand._held.values():
        os.close(held.fd)
    OutNode(disk.root, disk).store.close()
    after = os.path.join(place, "after")
    Model(disk.events).build(after, DROPPED)
    check(after, Promises(disk.events), "killed")


def how_many_calls(root):
    failing = Failing(errno.EIO)
    node = OutNode(root, RecordingDisk(root, failing))
    began = failing.calls
    leave(node)
    return began, failing.calls


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
def test_any_call_may_fail(number, place):
    """Whichever call fails: who was acknowledged is served, and served once, since the process knows what it did."""
    began, ended = how_many_calls(os.path.join(place, "count"))
    for at in range(began + 1, ended + 1):
        root = os.path.join(place, str(at))
        failing = Failing(number)
        disk = RecordingDisk(root, failing)
        node = OutNode(root, disk)
        failing.at = at
        leave(node)
        label = (os.strerror(number), at, failing.failed)
        node.pass_time(300, 20)
        promises = Promises(disk.events)
        assert not [pair for pair, count in promises.sent.items() if count > 1], (label, promises.sent)
        node.stop()
        check(root, promises, label)
        shutil.rmtree(root)
