"""The power is cut after every call to the disk: what was acknowledged is there afterwards, once and whole."""

import os
import shutil

import pytest

from tests.power.cutting import brief, cuts, moments
from tests.power.recording import DROPPED, KILLED, NAMES, Model, RecordingDisk
from tests.power.scenario import Node, Promises, check, live, recovered


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    disk = RecordingDisk(tmp_path_factory.mktemp("life"))
    node = Node(disk.root, disk)
    live(node)
    node.store.close()
    return list(disk.events)


@pytest.mark.parametrize("variant", [DROPPED, NAMES, KILLED])
def test_after_any_cut_every_acknowledged_message_is_there_once(events, variant, place):
    """For each prefix of the disk calls, the worst tree starts again with all that was promised."""
    promises, done, tried = Promises(), 0, 0
    for number, root, label in cuts(events, variant, place):
        for event in events[done:number]:
            if event[0] == "mark":
                promises.take(event[1])
        done = number
        check(root, promises, label)
        tried += 1
    assert tried > 50


def test_recovery_may_be_interrupted_too(events, place):
    """A second cut, anywhere in the recovery from the first, costs nothing either."""
    durable = moments(events, DROPPED)
    for number in durable[len(durable) // 7 :: len(durable) // 7]:
        promises = Promises()
        for event in events[:number]:
            if event[0] == "mark":
                promises.take(event[1])
        root = os.path.join(place, str(number))
        Model(events[:number]).build(root, DROPPED)
        disk = RecordingDisk(root)
        recovered(root, disk).store.close()
        for cut in range(disk.began, len(disk.events), max(1, (len(disk.events) - disk.began) // 9)):
            again = os.path.join(place, f"{number}-{cut}")
            Model(disk.events[:cut]).build(again, DROPPED)
            check(again, promises, (number, "then", cut, brief(disk.events[cut - 1])))
            shutil.rmtree(again)
        shutil.rmtree(root)
