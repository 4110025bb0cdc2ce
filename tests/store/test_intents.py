"""COPY, MOVE, APPEND, REPLACE, EXPUNGE and RENAME interrupted at every step: all or nothing, and nothing lost."""

import errno
import os
import shutil

import pytest

from tests.store.house import House, message
from unitymail.disk import Disk
from unitymail.interfaces.errors import TryAgain

CHANGES = (
    "create", "write", "flush", "close", "link", "rename", "unlink", "set_times", "make_directory", "remove_directory",
    "flush_directory", "begin", "commit",
)  # fmt: skip


class PowerGone(BaseException):
    """The process ends here: nobody can catch it and tidy up."""


class Failing(Disk):
    """Counts the calls that change the disk; at the chosen one it raises, before the call or after it.

    With PowerGone all later calls fail too, as those of a process that is no more.
    """

    def __init__(self, at=0, error=None, after=False):
        self.at, self.error, self.after, self.calls, self.log = at, error, after, 0, []

    def __getattribute__(self, name):
        method = object.__getattribute__(self, name)
        if name not in CHANGES:
            return method

        def counted(*args, **kwargs):
            self.calls += 1
            self.log.append(name)
            dead = isinstance(self.error, PowerGone) and self.calls > self.at
            if self.at and (dead or (self.calls == self.at and not self.after)):
                raise self.error
            result = method(*args, **kwargs)
            if self.at and self.calls == self.at:
                raise self.error
            return result

        return counted


def uids(folder):
    return list(folder.refresh().uids)


def subjects(house, folder):
    return sorted(row[1].split("\n")[4] for row in folder.rows(folder.refresh().uids, ["terms"]))


def written(house, number):
    """A finished file of the account."""
    descriptor, path = house.account.new_file()
    os.write(descriptor, message(number))
    os.close(descriptor)
    return path


def append_several(house):
    messages = [(written(house, number), ["\\Seen", f"keyword{number}"], None) for number in (50, 51, 52)]
    return house.account.folder("Archive").append_all(messages)


DO = {
    "copy": lambda house: house.inbox.copy([1, 2, 3], house.account.folder("Archive")),
    "move": lambda house: house.inbox.move([1, 2, 3], house.account.folder("Archive")),
    "append": lambda house: house.append(house.account.folder("Archive"), ["\\Seen"], message(50)),
    "append several": lambda house: append_several(house),
    "replace": lambda house: house.inbox.replace(2, written(house, 70), ["\\Seen"], None, house.inbox),
    "replace elsewhere": lambda house: house.inbox.replace(
        2, written(house, 70), [], 1.0e9, house.account.folder("Archive")
    ),
    "expunge": lambda house: house.inbox.expunge(),
    "rename": lambda house: house.account.rename("Tree", "Wood/Big"),
    "delete": lambda house: house.account.delete("Tree"),
    "settle": lambda house: (house.inbox.refresh(), house.store.settle()),
    "create": lambda house: house.account.create("One/Two"),
    "rename inbox": lambda house: house.account.rename("INBOX", "Old"),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Three messages in INBOX, the third \\Deleted, names not yet settled; a folder with a child and a message."""
    house = House(tmp_path_factory.mktemp("template"))
    house.deliver(3)
    house.inbox.refresh()
    house.inbox.store([3], "add", ["\\Deleted"])
    house.account.create("Tree/Leaf")
    house.append(house.account.folder("Tree/Leaf"), octets=message(60))
    house.append(house.account.folder("Tree"), octets=message(61))
    house.close()
    return house.directory


def prepared(template, directory):
    shutil.copytree(template, directory)
    return House(directory)


def state(house):
    """Every folder with the subjects of its messages."""
    account = house.account
    return {info.name: subjects(house, account.folder(info.name)) for info in account.folders() if info.selectable}


def steps_of(template, tmp_path, what):
    house = prepared(template, tmp_path / "count")
    before = state(house)
    counting = Failing()
    house.crash(counting)
    house.store.account("u-robin")
    counting.calls = 0
    DO[what](house)
    calls = counting.calls
    after = state(house)
    house.close()
    return calls, before, after


@pytest.mark.parametrize("what", DO)
def test_killed_at_any_step(template, tmp_path, what):
    """The process is killed before or after each disk call in turn: whoever opens the account next finds the state
    before or after the whole, and each message once."""
    calls, before, after = steps_of(template, tmp_path, what)
    assert calls
    for at in range(1, calls + 1):
        for afterwards in (False, True):
            house = prepared(template, tmp_path / f"{at}{afterwards}")
            failing = Failing()
            house.crash(failing)
            house.store.account("u-robin")
            failing.calls, failing.at, failing.error, failing.after = 0, at, PowerGone(), afterwards
            with pytest.raises(PowerGone):
                DO[what](house)
            house.close()
            house.crash()
            found = state(house)
            if what == "create":
                assert before.items() <= found.items() and found.items() <= after.items()
            elif what in ("append", "rename inbox"):
                # An append that nobody was told of may be there; the new folder of a RENAME INBOX may be empty.
                wanted = [before, after, before | {"Old": []}]
                assert found in wanted, (at, afterwards)
            else:
                # The new parent of a RENAME may be there before the renamed folders are.
                assert found in (before, after, before | {"Wood": []}), (at, afterwards, found)
            house.store.settle()
            assert state(house) == found
            house.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize(
    "what",
    [
        "copy", "move", "append", "append several", "replace", "replace elsewhere", "expunge", "settle", "rename inbox",
    ],
)  # fmt: skip
def test_disk_errors_at_any_step(template, tmp_path, what, number):
    """A full or failing disk at each call in turn: a clear TryAgain, the same process goes on, nothing is lost."""
    calls, before, after = steps_of(template, tmp_path, what)
    for at in range(1, calls + 1):
        house = prepared(template, tmp_path / str(at))
        failing = Failing()
        house.crash(failing)
        house.store.account("u-robin")
        failing.calls, failing.at, failing.error = 0, at, OSError(number, "injected")
        try:
            DO[what](house)
        except TryAgain as trouble:
            assert trouble.reply.temporary
            assert (trouble.reply.enhanced == "4.3.1") == (number == errno.ENOSPC)
        found = state(house)
        assert found in (before, after, before | {"Old": []}), at
        failing.at = 0
        house.store.settle()
        assert state(house) == found
        house.crash()
        assert state(house) == found
        house.close()


def test_a_source_removed_while_others_are_copied(house):
    """Another program removes messages in the middle of a COPY: rows, totals and files agree, no copy is lost."""

    class Meddling(Disk):
        def link(self, source, target):
            super().link(source, target)
            self.link = super().link
            os.unlink(source)
            os.unlink(second)

    for number in range(3):
        house.append(house.inbox, octets=message(number))
    second = house.path("cur", house.files()["cur"][1])
    inbox, archive = house.inbox, house.account.folder("Archive")
    house.account.disk = Meddling()
    assert inbox.copy([1, 2, 3], archive).sources == (3,)
    house.now.ahead = 5
    assert subjects(house, archive) == ["NUMBER 0", "NUMBER 2"]
    assert list(inbox.refresh().uids) == [3]
    assert house.account.usage()[1] == 3
