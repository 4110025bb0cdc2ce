"""Another program renames and removes whole folders; who has them open goes on."""

import os
import shutil

import pytest

from tests.store.house import flags_of, message
from unitymail.interfaces.store import NoSuchFolder


@pytest.fixture
def work(house):
    """A folder with three messages, one of them with flags, that a client has open."""
    work = house.account.create("Work")
    for flags in ([], ["\\Seen", "Important"], []):
        house.append(work, flags)
    work.refresh()
    return work


def what(folder):
    snapshot = folder.refresh()
    return folder.id, snapshot.uidvalidity, flags_of(folder)


def test_an_open_folder_goes_on(house, work):
    """The session that has it open sees the same messages, and what comes after the rename."""
    before = what(work)
    os.rename(house.path(".Work"), house.path(".Play"))
    assert what(work) == before and work.name == "Play"
    with open(house.path(".Play", "new", "9.x"), "wb") as file:
        file.write(message(9))
    assert list(work.refresh().uids) == [1, 2, 3, 4]
    assert house.account.folder("Play") is work
    assert "Play" in [info.name for info in house.account.folders()]
    with pytest.raises(NoSuchFolder):
        house.account.folder("Work")


def test_a_folder_that_nobody_has_open(house, work):
    """Whoever selects it under its new name, or lists folders, finds its UIDs, keywords and MAILBOXID."""
    before = what(work)
    house.reopen()
    os.rename(house.path(".Work"), house.path(".Work.Deep"))
    assert [info.mailboxid for info in house.account.folders() if info.name == "Work/Deep"] == [before[0]]
    assert what(house.account.folder("Work/Deep")) == before


def test_two_are_renamed_at_once(house, work):
    """Each goes where its messages are, also when one takes the other's name."""
    other = house.account.create("Other")
    house.append(other)
    before, others = what(work), what(other)
    os.rename(house.path(".Work"), house.path(".Third"))
    os.rename(house.path(".Other"), house.path(".Fourth"))
    house.reopen()
    assert what(house.account.folder("Third")) == before and what(house.account.folder("Fourth")) == others


def test_a_name_that_is_taken_again(house, work):
    """A folder that a client creates under the old name is a new one; the renamed one keeps its own UIDs."""
    before = what(work)
    os.rename(house.path(".Work"), house.path(".Play"))
    fresh = house.account.create("Work")
    assert what(house.account.folder("Play")) == before
    assert fresh.refresh().uids.tolist() == [] and fresh.id != before[0]


def test_there_and_back(house):
    """A folder that is renamed while it is empty, fills, and gets its old name back is the one that filled."""
    house.account.create("Work").refresh()
    os.rename(house.path(".Work"), house.path(".Play"))
    play = house.account.folder("Play")
    house.append(play)
    before = what(play)
    os.rename(house.path(".Play"), house.path(".Work"))
    assert what(house.account.folder("Work")) == before == what(play)


def test_a_name_that_another_program_takes_again(house, work):
    """Renamed, and another put in its place, before anybody looked: every message is there once."""
    os.rename(house.path(".Work"), house.path(".Play"))
    shutil.copytree(house.path(".Archive"), house.path(".Work"))
    with open(house.path(".Work", "cur", "9.x:2,F"), "wb") as file:
        file.write(message(9))
    house.now.ahead += 5
    assert [house.octets(work, uid) for uid in work.refresh().uids] == [message(9)]
    assert len(house.account.folder("Play").refresh().uids) == 3


def test_a_folder_is_removed(house, work):
    """Who has it open is told that it is gone; it may come back later as it was."""
    before = what(work)
    os.rename(house.path(".Work"), os.path.join(house.directory, "aside"))
    with pytest.raises(NoSuchFolder):
        work.refresh()
    assert "Work" not in [info.name for info in house.account.folders()]
    os.rename(os.path.join(house.directory, "aside"), house.path(".Work"))
    assert what(work) == before


def test_a_copy_is_another_folder(house, work):
    """A directory that is copied is a folder of its own; the one that was copied stays what it is."""
    before = what(work)
    shutil.copytree(house.path(".Work"), house.path(".Copy"))
    copy = house.account.folder("Copy")
    assert len(copy.refresh().uids) == 3 and copy.id != before[0] and what(work) == before


def test_an_empty_folder_is_a_new_one(house):
    """Nothing tells that it is the same; nobody loses anything by it."""
    empty = house.account.create("Empty")
    os.rename(house.path(".Empty"), house.path(".Void"))
    assert house.account.folder("Void").refresh().uids.tolist() == []
    with pytest.raises(NoSuchFolder):
        empty.refresh()
