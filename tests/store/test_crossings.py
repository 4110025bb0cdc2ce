"""Who is told that a mailbox fills up: once a crossing, whatever is started, stopped or killed in between."""

import os

import pytest

from unitymail.disk import Disk
from unitymail.people.user import Quota
from unitymail.policy.fullness import Crossed, Level
from unitymail.store.crossings import Crossings

QUOTA = Quota(1000, 2000, 3000)


class Room:
    """Mailboxes as a test fills them. `told()` is who is told by one look at all of them."""

    def __init__(self, path):
        self.path = str(path / "warned")
        self.octets = {"u-robin": 0, "u-chris": 0}
        self.quotas = dict.fromkeys(self.octets, QUOTA)
        self.now = 1_800_000_000
        self.begin()

    def begin(self):
        self.crossings = Crossings(
            self.path, disk=Disk(), usage=self, quota=lambda account: self.quotas.get(account), now=lambda: self.now
        )

    def accounts(self):
        return list(self.octets)

    def used(self, account):
        return self.octets.get(account, 0)

    def look(self):
        self.now += 60
        return self.crossings.review()

    def told(self, sent=True):
        found = self.look()
        for one in found:
            self.crossings.done(one, sent=sent)
        return [(one.account, one.level) for one in found]


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_once_a_crossing(room):
    """Not again while it stays full, nor when it hovers; each higher limit is a crossing of its own, back too."""
    story = [
        (500, []), (1000, [1]), (1500, []), (980, []), (1020, []), (2100, [2]), (3500, [3]), (2900, []), (3100, []),
        (100, []), (3000, [3]), (0, []), (1200, [1]),
    ]  # fmt: skip
    for octets, levels in story:
        room.octets["u-robin"] = octets
        assert room.told() == [("u-robin", Level(level)) for level in levels], octets


def test_what_is_said_of_it(room):
    """How full, against which limits, since when."""
    room.octets["u-chris"] = 1234
    assert room.look() == [Crossed("u-chris", Level.WARNING, 1234, QUOTA, room.now)]


def test_not_again_after_a_restart(room):
    """Also when the mailbox got room while nobody looked, or filled up further."""
    room.octets["u-robin"] = 1500
    assert len(room.told()) == 1
    room.begin()
    assert room.told() == []
    room.octets["u-robin"] = 0
    room.begin()
    assert room.told() == []
    room.octets["u-robin"] = 2500
    room.begin()
    assert room.told() == [("u-robin", Level.SEND)]


def test_one_that_was_not_sent(room):
    """Is given again with the same moment, by this process or the next; one in hand is not given twice."""
    room.octets["u-robin"] = 1500
    [crossed] = room.look()
    assert room.look() == []
    room.crossings.done(crossed, sent=False)
    assert room.look() == [crossed]
    room.begin()
    assert room.look() == [crossed]
    room.octets["u-robin"] = 1600
    room.crossings.done(crossed, sent=True)
    room.begin()
    assert room.look() == []


def test_room_again_before_it_was_sent(room):
    """Nobody is told of what is over."""
    room.octets["u-robin"] = 1500
    [crossed] = room.look()
    room.octets["u-robin"] = 0
    room.crossings.done(crossed, sent=False)
    assert room.look() == []


def test_other_limits(room):
    """Lowering a limit crosses it, raising one takes that back; whose mailbox moved away, or is gone, is forgotten."""
    room.octets["u-robin"] = 500
    assert room.told() == []
    room.quotas["u-robin"] = Quota(100, 0, 0)
    assert room.told() == [("u-robin", Level.WARNING)]
    room.quotas["u-robin"] = QUOTA
    assert room.told() == []
    room.octets["u-robin"] = 5000
    assert room.told() == [("u-robin", Level.RECEIVE)]
    room.quotas["u-robin"] = None
    assert room.told() == []
    del room.octets["u-robin"]
    room.octets["u-chris"] = 5000
    assert room.told() == [("u-chris", Level.RECEIVE)]
    del room.octets["u-chris"]
    room.told()
    with open(room.path) as file:
        assert file.read() == ""


def test_many_mailboxes(room):
    """They are looked at in turn, and each is reached."""
    room.octets = {f"u{number}": 1500 * (number % 2) for number in range(50)}
    room.quotas = dict.fromkeys(room.octets, QUOTA)
    found = [one.account for _ in range(4) for one in room.crossings.review(7)]
    assert 0 < len(found) < 25
    found += [one.account for _ in range(8) for one in room.crossings.review(7)]
    assert sorted(found) == sorted(account for account, octets in room.octets.items() if octets)


def test_a_file_that_nobody_can_read(room):
    """What cannot be understood is left out; the rest counts."""
    with open(room.path, "w") as file:
        file.write("1 1800000000 1 u-robin\nnonsense\n9 1 1 u-chris\n1 x 1 u-chris\n\n2 1 1\n")
    room.octets.update({"u-robin": 1500, "u-chris": 1500})
    room.begin()
    assert room.told() == [("u-chris", Level.WARNING)]


def test_nothing_new_is_not_written(room):
    """The file is left alone while nobody crosses anything."""
    assert room.told() == [] and not os.path.exists(room.path)
    room.octets["u-robin"] = 1500
    room.told()
    before = os.stat(room.path).st_ino
    room.octets["u-robin"] = 1600
    assert room.told() == [] and os.stat(room.path).st_ino == before
