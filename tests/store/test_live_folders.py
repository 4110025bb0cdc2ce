"""The folder objects of a process."""

import gc
import os
import weakref

import pytest

from tests.store.house import House
from unitymail.interfaces.store import NoSuchFolder
from unitymail.store import folders


def test_the_same_object_for_everyone(house):
    """All sessions of a process share one account, one folder, one snapshot."""
    assert house.store.account("u-robin") is house.store.account("u-robin")
    assert house.inbox is house.account.folder("inbox")


def test_another_process_renames_and_deletes(house, tmp_path):
    """A folder renamed or deleted elsewhere is followed by the object that a session holds."""
    folder = house.account.create("a")
    house.append(folder)
    other = House(tmp_path)
    other.account.rename("a", "b")
    assert list(folder.refresh().uids) == [1] and folder.name == "b"
    assert house.account.folder("b") is folder
    other.account.delete("b")
    with pytest.raises(NoSuchFolder):
        folder.refresh()
    other.close()


def test_another_process_renames_what_is_being_opened(house, tmp_path, monkeypatch):
    """Between the look at the directory and the lock it is gone: the name leads nowhere, and is free again."""
    other = House(tmp_path)
    other.account.create("away")
    for part in ("cur", "new", "tmp"):
        os.makedirs(house.path(".a", part))
    read_row = folders.read_row

    def renamed_meanwhile(index, which, value):
        monkeypatch.undo()
        other.account.rename("a", "b")
        return read_row(index, which, value)

    monkeypatch.setattr(folders, "read_row", renamed_meanwhile)
    with pytest.raises(NoSuchFolder):
        house.account.folder("a")
    house.account.rename("b", "a")
    house.append(house.account.folder("a"))
    assert list(other.account.folder("a").refresh().uids) == [1]
    other.close()


def test_a_name_that_changes_hands(house):
    """After a rename the old name is free for another folder; each object stays with its folder."""
    first = house.account.create("a")
    house.account.rename("a", "b")
    second = house.account.create("a")
    assert house.account.folder("b") is first and house.account.folder("a") is second
    first.refresh()
    assert house.account.folder("a") is second and [first.name, second.name] == ["b", "a"]


def test_kept_while_the_account_is_open(house):
    """A folder that nobody has just now keeps its snapshot until the account is closed, and no longer."""
    account = house.account
    seen = weakref.ref(account.create("a"))
    gc.collect()
    assert seen() is not None and account.folder("a") is seen()
    account.close()
    gc.collect()
    assert seen() is None
