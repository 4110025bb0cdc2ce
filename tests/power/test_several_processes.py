"""One process receives, another has the courier: the power is cut after every call of either. Nothing is lost, what was
done stays done, and a peer's transaction is known."""

import errno
import os

import pytest

from tests.courier.fake_relay import BUSY
from tests.power.recording import DROPPED, KILLED, NAMES, RecordingDisk
from tests.power.way_out import LEE, PAT, OutNode, Promises, check_cuts, check_untroubled, leave
from tests.spool.room import NOW, a_spool
from unitymail.interfaces.spool import DONE


class TwoNode(OutNode):
    """What it takes goes into the spool of the process that receives, on the `receiver` disk."""

    def __init__(self, root, disk, now=NOW, receiver=None, **facts):
        super().__init__(root, disk, now, shared=True, **facts)
        self.room = a_spool(
            root, disk=receiver or disk, store=self.store, clock=self.clock, journal=self.journal,
            hand_over=self.queue.handed,
        )


class HaltingDisk:
    """The disk as a process has it that comes no further than to the flush of a directory, once it `halts_at` one."""

    def __init__(self, disk):
        self._disk = disk
        self.halts_at = None

    def __getattr__(self, name):
        return getattr(self._disk, name)

    def flush_directory(self, path):
        if path == self.halts_at:
            raise OSError(errno.EIO, "halted for the test", path)
        self._disk.flush_directory(path)


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """The calls of both."""
    disk = RecordingDisk(tmp_path_factory.mktemp("two"))
    node = TwoNode(disk.root, disk)
    leave(node)
    assert node.accepted == ["t1", "t2", "t3", "t4", "t5", "t5x", "t6"]
    node.pass_time(3)
    assert not node.queue.look()
    node.store.close()
    return list(disk.events)


def test_the_story_itself(events):
    """Without any trouble everybody is served once, and every end is told."""
    check_untroubled(events)


@pytest.mark.parametrize("variant", [DROPPED, NAMES, KILLED])
def test_after_any_cut_all_are_served_and_no_durable_outcome_is_forgotten(events, variant, place):
    """For each prefix of the disk calls of both the worst tree starts again: who was promised to be served is."""
    assert check_cuts(events, variant, place) > 40


def test_a_receiver_that_halts_before_its_removals_are_durable(tmp_path, place):
    """Its records may come back then: what the courier knows of their end stays until it made the removals durable."""
    disk = RecordingDisk(tmp_path)
    receiver = HaltingDisk(disk)
    node = TwoNode(disk.root, disk, receiver=receiver)
    node.relay.answers["smart-host"] = [DONE, DONE, BUSY, BUSY]
    for number, to in enumerate((PAT, LEE, PAT, LEE)):
        node.take(f"t{number}", to)
    receiver.halts_at = intake = node.room.places.intake
    node.pass_time(2)
    assert not os.listdir(intake)
    node.pass_time(1_000, 10)
    assert len(Promises(disk.events).told) == 4
    assert check_cuts(disk.events, DROPPED, place) > 40
    node.store.close()
