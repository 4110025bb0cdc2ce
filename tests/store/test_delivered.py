"""A delivery that is tried again."""

import os

import pytest

from tests.store.house import message


@pytest.mark.parametrize("where", ["new", "indexed", "cur", "cur by others", "moved", "expunged", "left", "removed"])
def test_again(house, where):
    """A retry finds the message wherever it went meanwhile, and delivers nothing twice.

    Only what a foreign hand removed is delivered again: a power cut may look just like it.
    """
    path = house.write(message(1))
    house.store.deliver("u-robin", path, "1.x")
    if where == "cur by others":
        os.rename(house.path("new", "1.x"), house.path("cur", "1.x:2,S"))
    elif where != "new":
        house.inbox.refresh()
    if where == "cur":
        house.store.settle()
    if where == "moved":
        house.inbox.move([1], house.account.folder("Archive"))
    if where in ("expunged", "left"):
        house.inbox.store([1], "add", ["\\Deleted"])
        house.inbox.expunge()
    if where in ("left", "moved"):
        house.store.settle()
    if where == "removed":
        os.unlink(house.path("new", "1.x"))
        house.inbox.refresh()
    house.store.deliver("u-robin", path, "1.x", again=True)
    house.store.settle()
    total = sum(len(house.account.folder(info.name).refresh().uids) for info in house.account.folders())
    assert total == (0 if where in ("expunged", "left") else 1)


def test_again_after_a_power_cut(house):
    """The row of a message may outlive its name in new/: recovery links it again, and it keeps its UID."""
    path = house.write(message(1))
    house.store.deliver("u-robin", path, "1.x")
    house.inbox.refresh()
    house.crash()
    os.unlink(house.path("new", "1.x"))
    house.store.deliver("u-robin", path, "1.x", again=True)
    assert list(house.inbox.refresh().uids) == [1]
    assert house.octets(house.inbox, 1) == message(1)


def test_again_after_nothing(house):
    """A retry of what never arrived delivers it, to an account that does not exist as well."""
    path = house.write(message(1))
    house.store.deliver("u-robin", path, "1.x", again=True)
    assert list(house.inbox.refresh().uids) == [1]
    house.store.deliver("u-robin", path, "2.x", again=True)
    assert list(house.inbox.refresh().uids) == [1, 2]
