"""Mail that waits in vain: whenever the power is cut, its sender hears once of the delay and once of the failure."""

import os
import re
import shutil
from collections import Counter

import pytest

from tests.courier.fake_relay import BUSY
from tests.power.cutting import brief
from tests.power.recording import DROPPED, KILLED, HastyDisk, Model, RecordingDisk
from tests.power.way_out import PAT, OutNode
from tests.spool.room import NOW, files_under
from unitymail.spool.spool import GATHER_S

HOUR = 3_600.0
END = NOW + 49 * HOUR
REPORTS = re.compile(rb"^Action: (\w+)\r$", re.MULTILINE)


def wait_until(node, end):
    """The smart host never has time for it."""
    node.relay.always["smart-host"] = BUSY
    while node.clock.seconds() < end:
        node.pass_time(min(900.0, end - node.clock.seconds()), 450)
        node.mark("time", node.clock.seconds())


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    disk = RecordingDisk(tmp_path_factory.mktemp("waiting"))
    node = OutNode(disk.root, disk, gather_s=GATHER_S)
    node.mark("time", NOW)
    node.take("t1", PAT)
    wait_until(node, END)
    assert told(node) == {b"delayed": 1, b"failed": 1}
    node.store.close()
    return list(disk.events)


def told(node):
    """How often Chris was told what."""
    folder = node.store.account("u-chris").folder("INBOX")
    folder.refresh()
    found = Counter()
    for uid in folder.snapshot.uids:
        content = folder.content(uid)
        found.update(REPORTS.findall(bytes(content.buffer[:])))
        content.close()
    return found


def moments(events):
    """The numbers of the events around the notice of delay and the end."""
    hours, time = [], 0.0
    for event in events:
        time = (event[1][1] - NOW) / HOUR if event[0] == "mark" and event[1][0] == "time" else time
        hours.append(time)
    return [number for number, hour in enumerate(hours, 1) if 3.7 < hour < 4.3 or 47.7 < hour < 48.3]


@pytest.mark.parametrize("variant", [DROPPED, KILLED])
def test_told_once_of_each(events, variant, place):
    """Cut anywhere near the notice or the end, and started again: one notice of delay, one report of failure."""
    tried = moments(events)[:: 2 if variant == DROPPED else 3]
    assert len(tried) > 30
    for number in tried:
        root = os.path.join(place, str(number))
        Model(events[:number]).build(root, variant)
        times = [event[1][1] for event in events[:number] if event[0] == "mark" and event[1][0] == "time"]
        node = OutNode(root, HastyDisk(), times[-1] + 60)
        wait_until(node, END + HOUR)
        label = (variant, number, brief(events[number - 1]))
        assert told(node) == {b"delayed": 1, b"failed": 1}, (label, told(node))
        node.stop()
        assert files_under(os.path.join(root, "spool")) == [], label
        shutil.rmtree(root)
