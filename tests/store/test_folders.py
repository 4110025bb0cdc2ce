"""The folders of an account: their names, their special uses, what is made and moved."""

import os
import shutil
from dataclasses import replace

import pytest

from tests.store.house import flags_of, message
from unitymail.interfaces.errors import Never
from unitymail.interfaces.store import BadFolderName, FolderExists, FolderInfo, NoSuchFolder

ANY = ["v1.2", "a/b.c", "été", "..", "x" * 255, "é" * 127, "." * 255, "~x", "a&b", "😀/日本"]


def names(house):
    return [info.name for info in house.account.folders()]


def test_special_folders_from_the_start(house):
    """INBOX and five folders with their special use exist and are subscribed before anybody asks."""
    assert [replace(info, mailboxid="") for info in house.account.folders()] == [
        FolderInfo("INBOX"),
        FolderInfo("Archive", "\\Archive"),
        FolderInfo("Deleted Items", "\\Trash"),
        FolderInfo("Drafts", "\\Drafts"),
        FolderInfo("Junk", "\\Junk"),
        FolderInfo("Sent", "\\Sent"),
    ]
    assert house.account.subscriptions() == ["Archive", "Deleted Items", "Drafts", "INBOX", "Junk", "Sent"]


def test_a_deleted_special_folder_stays_deleted(house):
    """What the user deleted is not made again at the next start."""
    house.account.delete("Junk")
    house.reopen()
    assert "Junk" not in names(house)


@pytest.mark.parametrize("name", ANY)
def test_any_name(house, name):
    """Dots, accents, tildes and 255 octets: the folder is there, also after a restart, and holds messages."""
    house.account.create(name)
    house.append(house.account.folder(name), octets=message(3))
    assert name in names(house)
    house.reopen()
    assert name in names(house)
    assert house.octets(house.account.folder(name), 1) == message(3)
    house.account.rename(name, "plain")
    house.account.rename("plain", name)
    assert house.octets(house.account.folder(name), 1) == message(3)


def test_create(house):
    """Missing parents are made; a folder that exists or cannot be is refused; a trailing slash is forgiven."""
    assert house.account.create("a/b/c").name == "a/b/c"
    assert [info.has_children for info in house.account.folders() if info.name.startswith("a")] == [True, True, False]
    with pytest.raises(FolderExists):
        house.account.create("a/b/")
    with pytest.raises(FolderExists):
        house.account.create("inbox")
    with pytest.raises(BadFolderName):
        house.account.create("a//b")
    with pytest.raises(NoSuchFolder):
        house.account.folder("a/x")
    assert house.account.create("Lost", "\\Junk").name == "Lost"
    assert [info.special_use for info in house.account.folders() if info.name == "Lost"] == ["\\Junk"]


def test_delete(house):
    """A deleted folder is gone for every session; with children its name stays, and can be a folder again."""
    folder = house.account.create("a")
    house.account.create("a/b")
    house.append(folder)
    house.account.delete("a")
    assert FolderInfo("a", subscribed=False, selectable=False, has_children=True) in house.account.folders()
    with pytest.raises(NoSuchFolder):
        folder.refresh()
    with pytest.raises(NoSuchFolder):
        house.account.folder("a")
    with pytest.raises(NoSuchFolder):
        house.account.delete("a")
    again = house.account.create("a")
    assert list(again.refresh().uids) == [] and again.snapshot.uidvalidity > folder.snapshot.uidvalidity
    assert again.id != folder.id
    with pytest.raises(Never):
        house.account.delete("Inbox")


def test_rename(house):
    """Children follow; UIDs, UIDVALIDITY and MAILBOXID stay; sessions that hold the folder keep it."""
    folder = house.account.create("a/b")
    house.account.create("a/b/c")
    house.append(folder, ["\\Seen", "Work"])
    before = (folder.id, folder.refresh().uids, folder.snapshot.uidvalidity)
    house.account.rename("a/b", "x.y/é")
    assert [name for name in names(house) if name[0] in "ax"] == ["a", "x.y", "x.y/é", "x.y/é/c"]
    assert (folder.name, folder.id, folder.refresh().uids, folder.snapshot.uidvalidity) == ("x.y/é", *before)
    assert house.account.folder("x.y/é") is folder
    house.reopen()
    assert house.account.folder("x.y/é").id == before[0]
    assert flags_of(house.account.folder("x.y/é")) == {1: frozenset({"\\Seen", "Work"})}


def test_rename_is_refused(house):
    """Onto an existing folder, below itself, of nothing, to no name."""
    house.account.create("a/b")
    for old, new, trouble in (
        ("a", "Drafts", FolderExists), ("a", "a/b/c", Never), ("none", "x", NoSuchFolder), ("a", "", BadFolderName),
    ):  # fmt: skip
        with pytest.raises(trouble):
            house.account.rename(old, new)
    assert "a/b" in names(house)


def test_rename_of_a_name_with_children_only(house):
    """A parent that is only a name can be renamed: its children are."""
    house.account.create("a/b")
    house.account.delete("a")
    house.account.rename("a", "z")
    assert "z/b" in names(house) and "a/b" not in names(house)


def test_rename_among_children(house):
    """Where a child would meet a folder that is there nothing happens; a folder may take the place of its parent."""
    for name in ("a", "a/c", "b/c"):
        house.account.create(name)
    house.append(house.account.folder("a/c"))
    shutil.rmtree(house.path(".b"))
    with pytest.raises(FolderExists, match="b/c"):
        house.account.rename("a", "b")
    assert [name for name in names(house) if name[0] in "ab"] == ["a", "a/c", "b", "b/c"]
    assert list(house.account.folder("a/c").refresh().uids) == [1]
    ids = [house.account.create("a/c/c").id, house.account.folder("a/c").id]
    house.account.delete("a")
    house.account.rename("a/c", "a")
    assert [house.account.folder(name).id for name in ("a/c", "a")] == ids
    assert [name for name in names(house) if name[0] in "ab"] == ["a", "a/c", "b", "b/c"]
    assert [list(house.account.folder(name).refresh().uids) for name in ("a", "a/c")] == [[1], []]


def test_rename_to_where_a_folder_was_removed(house):
    """By another hand, or by a process that was killed: nothing of it is left, and the account goes on."""
    gone, folder = house.account.create("gone"), house.account.create("a")
    house.append(gone)
    house.append(gone)
    house.append(folder)
    validity = folder.snapshot.uidvalidity
    shutil.rmtree(house.path(".gone"))
    house.account.rename("a", "gone")
    again = house.account.folder("gone").refresh()
    assert (list(again.uids), again.uidvalidity) == ([1], validity)
    with pytest.raises(NoSuchFolder):
        gone.refresh()


def test_rename_inbox(house):
    """RENAME INBOX moves its messages to the new folder and leaves INBOX empty, with its MAILBOXID."""
    house.deliver(3)
    inbox = house.inbox
    id = inbox.id
    house.account.rename("inbox", "Old/Mail")
    assert list(inbox.refresh().uids) == [] and inbox.id == id and house.inbox is inbox
    assert len(house.account.folder("Old/Mail").refresh().uids) == 3


def test_folders_of_other_programs(house):
    """A folder that another program makes is there; one it removes is gone, and made anew it has a new UIDVALIDITY."""
    for part in ("cur", "new", "tmp"):
        os.makedirs(house.path(".Courier.Sub&AOk-", part))
    assert "Courier/Subé" in names(house)
    folder = house.account.folder("Courier/Subé")
    house.append(folder)
    shutil.rmtree(house.path(".Courier.Sub&AOk-"))
    with pytest.raises(NoSuchFolder):
        folder.refresh()
    with pytest.raises(NoSuchFolder):
        house.account.folder("Courier/Subé")
    again = house.account.create("Courier/Subé")
    assert again.refresh().uidvalidity > folder.snapshot.uidvalidity and again.snapshot.uidnext == 1
