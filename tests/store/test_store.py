"""Deliveries, and the store as a whole."""

import errno
import os

import pytest

from tests.fakes import FakeUsage
from tests.store.house import message
from unitymail.disk import Disk
from unitymail.interfaces.errors import TryAgain


def test_one_inode_for_all(house):
    """A message to several mailboxes is one file, whose accounts are made when they are missing."""
    octets = message(1)
    path = house.write(octets)
    for account in ("u-a", "u-b", "u-c"):
        house.store.deliver(account, path, f"1.x,S={len(octets)}")
    assert os.stat(path).st_nlink == 4
    assert house.store.accounts() == ["u-a", "u-b", "u-c"]
    assert list(house.store.account("u-b").folder("INBOX").refresh().uids) == [1]


def test_twice_is_harmless(house):
    """Delivering the same name again does nothing while it is in new/."""
    path = house.write(message(1))
    for _ in range(2):
        house.store.deliver("u-robin", path, "1.x")
    assert list(house.inbox.refresh().uids) == [1]


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EMLINK])
def test_copied_where_a_link_is_impossible(make_house, number):
    """On another file system, or with too many links, the message is copied, flushed and dated as its source."""

    class NoLinks(Disk):
        flushed = 0

        def link(self, source, target):
            if not os.path.dirname(source).endswith("u-robin/tmp"):
                raise OSError(number, "no link")
            super().link(source, target)

        def flush(self, fd):
            NoLinks.flushed += 1
            super().flush(fd)

    house = make_house(disk=NoLinks())
    path = house.write(message(1))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    before = NoLinks.flushed
    for _ in range(2):
        house.store.deliver("u-robin", path, "1.x")
    assert NoLinks.flushed > before
    assert os.stat(house.path("new", "1.x")).st_mtime == 1_000_000_000 and os.listdir(house.path("tmp")) == []
    assert house.octets(house.inbox, *house.inbox.refresh().uids) == message(1)


def test_a_missing_source_is_trouble(house):
    """A source that is gone is reported, not swallowed."""
    with pytest.raises(TryAgain):
        house.store.deliver("u-robin", "/nonexistent", "1.x")


def test_make_durable(make_house):
    """A few accounts are flushed one by one, many by one flush of the file system."""
    calls = []

    class Recording(Disk):
        def flush_directory(self, path):
            super().flush_directory(path)
            calls.append(os.path.relpath(path, house.root))

        def flush_filesystem(self, path):
            calls.append("all")
            super().flush_filesystem(path)

    house = make_house(disk=Disk())
    house.store._disk = Recording()
    for account in ("u-a", "u-b"):
        house.deliver(1, account=account)
    calls.clear()
    house.store.make_durable(["u-a", "u-b"])
    assert calls == ["u-a/new", "u-b/new"]
    calls.clear()
    house.store.make_durable(["u-b", "u-deleted-meanwhile"])
    assert calls == ["u-b/new"]
    calls.clear()
    house.store.make_durable([f"u-{number}" for number in range(65)])
    assert calls == ["all"]


def test_a_new_account_is_durable_before_it_is_used(make_house):
    """The directories of an account that a delivery makes are flushed in their parents."""
    calls = []

    class Recording(Disk):
        def flush_directory(self, path):
            calls.append(os.path.basename(path))
            super().flush_directory(path)

        def link(self, source, target):
            calls.append("link")
            super().link(source, target)

    house = make_house(disk=Recording())
    calls.clear()
    with pytest.raises(TryAgain):
        house.store.deliver("u-x", "/nonexistent", "1.x")
    house.deliver(1, account="u-x")
    assert calls.index("u-x") < len(calls) - 1 and calls[-1] == "link" and "mail" in calls


def test_sweep(house):
    """Temporary files of processes that have ended go at start; those of living ones stay."""
    descriptor, path = house.account.new_file()
    os.close(descriptor)
    dead = house.path("tmp", "1.M000001P4194303R01234567Q1.host")
    old = house.path("tmp", "foreign")
    for name in (dead, old):
        with open(name, "wb"):
            pass
    os.utime(old, (1, 1))
    assert house.store.sweep() == 2
    assert os.listdir(house.path("tmp")) == [os.path.basename(path)]


def test_usage_follows(make_house):
    """The node's memory of octets follows appends, copies and expunges."""
    usage = FakeUsage()
    house = make_house(usage=usage)
    size = len(message(0))
    house.deliver(1)
    house.inbox.refresh()
    assert usage == {"u-robin": size}
    house.append(house.inbox, ["\\Deleted"], message(0))
    house.inbox.copy([1], house.account.folder("Archive"))
    assert usage == {"u-robin": 3 * size}
    house.inbox.expunge()
    assert usage == {"u-robin": 2 * size}


def test_what_another_program_brought_is_counted(make_house):
    """An account that nobody has open is looked at, and closed again; one that is not there is not made."""
    usage = FakeUsage()
    house = make_house(usage=usage)
    house.deliver(3)
    house.inbox.refresh()
    house.account.close()
    usage.clear()
    house.store.count("u-robin")
    assert usage == {"u-robin": house.account.usage()[0]} and usage["u-robin"] > 0
    house.store.count("u-robin")
    assert usage.used("u-robin") == house.account.usage()[0]
    house.store.count("u-nobody")
    assert house.store.accounts() == ["u-robin"]
