"""Small messages whose files are not durable yet: what becomes of them when a disk fails or a process ends."""

import errno
import os

import pytest

from tests.store.house import House, message
from tests.store.test_appending import files_for, gone
from tests.store.test_intents import subjects
from unitymail.disk import Disk
from unitymail.interfaces.errors import TryAgain
from unitymail.store import landing


class Flushes(Disk):
    """Counts flushes by their names; the calls named in `failing` fail."""

    def __init__(self):
        self.calls = []
        self.failing = set()

    def _called(self, name):
        if name in self.failing:
            raise OSError(errno.EIO, "injected")
        self.calls.append(name)

    def flush(self, fd):
        self._called("flush")

    def flush_directory(self, path):
        self._called("flush_directory")

    def flush_filesystem(self, path):
        self._called("flush_filesystem")

    def rename(self, source, target):
        self._called("rename")
        super().rename(source, target)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path, Flushes())
    assert list(house.inbox.refresh().uids) == []
    house.disk.calls.clear()
    yield house
    house.close()


def append(house, *numbers, body=b"Hello\r\n"):
    paths = files_for(house, *numbers, body=body)
    return house.inbox.append_all([(path, ["\\Seen"], None) for path in paths], flushed=False)


def held(house):
    with house.account.access.using() as index:
        return [octets for (octets,) in index.all("SELECT octets FROM landing ORDER BY number")]


def test_nobody_waits_for_the_files(house):
    """A client waits for the index alone; later all files become durable with one flush, and the index lets go."""
    assert append(house, 1) == [1] and append(house, 2, 3) == [2, 3]
    assert house.disk.calls == ["rename"] * 3
    assert held(house) == [message(1), message(2), message(3)]
    house.store.settle()
    assert house.disk.calls.count("flush_filesystem") == 1 and held(house) == []
    assert subjects(house, house.inbox) == ["NUMBER 1", "NUMBER 2", "NUMBER 3"]


def test_large_ones_are_flushed_at_once(house):
    """What is not small is in no second place."""
    append(house, 1, body=b"x" * landing.MOST_OCTETS)
    assert held(house) == []
    assert house.disk.calls == ["flush", "rename", "flush_directory"]


def test_where_files_are_shredded_there_is_no_copy(tmp_path):
    """Octets that are to be overwritten one day do not stand in the index as well."""
    house = House(tmp_path, Flushes(), shredding=1)
    append(house, 1)
    assert held(house) == []
    house.close()


def test_no_more_is_held_than_allowed(house, monkeypatch):
    """Before more is held than may be, the files are flushed."""
    monkeypatch.setattr(landing, "MOST_HELD", 3 * len(message(1)))
    append(house, 1, 2)
    append(house, 3, 4)
    assert held(house) == [message(3), message(4)]
    assert house.disk.calls.count("flush_filesystem") == 1


def test_what_another_process_left_is_written_anew(house):
    """After a power cut the files may be anything; the messages are whole, with the flags another program gave."""
    append(house, 1, 2, 3)
    one, two, three = house.files()["cur"]
    for name in (one, two):
        os.truncate(house.path("cur", name), 3)
    os.rename(house.path("cur", two), house.path("cur", two + "F"))
    os.unlink(house.path("cur", three))
    house.crash()
    assert subjects(house, house.inbox) == ["NUMBER 1", "NUMBER 2", "NUMBER 3"]
    assert [house.octets(house.inbox, uid) for uid in (1, 2, 3)] == [message(number) for number in (1, 2, 3)]
    assert held(house) == []
    assert house.files()["cur"] == [one, two + "F", three]


def test_a_flush_that_failed_is_not_believed_afterwards(house):
    """What the disk may have dropped is written once more before it counts as durable."""
    append(house, 1)
    house.disk.failing = {"flush_filesystem"}
    with pytest.raises(TryAgain):
        house.store.settle()
    house.disk.failing = set()
    before = os.stat(house.path("cur", *house.files()["cur"])).st_ino
    house.store.settle()
    assert held(house) == []
    assert os.stat(house.path("cur", *house.files()["cur"])).st_ino != before
    assert house.octets(house.inbox, 1) == message(1)


def test_without_a_name_there_is_no_message(house):
    """Files that cannot get their names stay the caller's, and the rows that were there already are gone."""
    paths = files_for(house, 1, 2)
    house.disk.failing = {"rename"}
    with pytest.raises(TryAgain):
        house.inbox.append_all([(path, [], None) for path in paths], flushed=False)
    house.disk.failing = set()
    assert not gone(paths)
    assert subjects(house, house.inbox) == []
    assert append(house, 3) == [3]
    house.crash()
    assert subjects(house, house.inbox) == ["NUMBER 3"]


@pytest.mark.parametrize("how", ["copy", "move"])
def test_a_second_name_is_of_a_durable_file(house, how):
    """What is copied or moved a moment later is flushed before."""
    append(house, 1)
    getattr(house.inbox, how)([1], house.account.folder("Archive"))
    assert house.disk.calls.index("flush_filesystem") < house.disk.calls.index("flush_directory")
    assert held(house) == []


def test_a_folder_that_is_deleted_keeps_its_messages(house):
    """What can be undeleted with its folder is durable."""
    folder = house.account.create("Going")
    (path,) = files_for(house, 1)
    folder.append_all([(path, [], None)], flushed=False)
    house.account.delete("Going")
    assert held(house) == [] and "flush_filesystem" in house.disk.calls
