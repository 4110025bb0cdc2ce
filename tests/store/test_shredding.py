"""What was in messages that are gone for good is overwritten, and nothing else is."""

import os

import pytest

from tests.store.house import message
from unitymail.disk import Disk
from unitymail.store import shredding

DAY = 86_400
SECRET = b"the words that nobody may find again\r\n"


class Watched(Disk):
    """A disk that remembers how files were overwritten, and what was in them when they left."""

    def __init__(self):
        self.events = []
        self.left = []

    def overwrite(self, path):
        self.events.append("overwrite")
        return super().overwrite(path)

    def write_at(self, fd, data, offset):
        self.events.append(("write", offset, len(data)))
        super().write_at(fd, data, offset)

    def flush(self, fd):
        self.events.append("flush")
        super().flush(fd)

    def flush_filesystem(self, path):
        self.events.append("flush all")
        super().flush_filesystem(path)

    def unlink(self, path):
        if shredding.DIRECTORY in path:
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    self.left.append(file.read())
            self.events.append("unlink")
        super().unlink(path)


@pytest.fixture
def disk():
    return Watched()


@pytest.fixture
def house(make_house, disk):
    return make_house(disk=disk, shredding=3, undelete_days=0)


def letter(number=0, body=SECRET):
    return message(number, body)


def gone(house, folder=None, octets=None):
    """A message that was expunged, and has left its folder; nothing was noted of how it came there."""
    folder = folder or house.inbox
    uid = house.append(folder, ["\\Deleted"], octets or letter())
    folder.expunge([uid])
    house.store.settle()
    house.disk.events.clear()


def shred(house):
    house.now.ahead += shredding.REST_S + 1
    house.store.shredder.work(60)


def waiting(house):
    place = os.path.join(house.root, shredding.DIRECTORY)
    return [os.path.join(place, name) for name in os.listdir(place)] if os.path.isdir(place) else []


def test_overwritten_as_often_as_the_site_says(house, disk):
    """Each time flushed; then it goes. The name it had is durably gone before."""
    gone(house)
    size = len(letter())
    assert len(waiting(house)) == 1 and not house.files()["cur"]
    shred(house)
    once = [("write", 0, size), "flush"]
    assert disk.events == ["flush all", "overwrite", *once, *once, *once, "unlink"]
    assert disk.left == [bytes(size)] and waiting(house) == []


def test_level_0(make_house, disk):
    """Files just go, at once."""
    house = make_house(disk=disk, undelete_days=0)
    gone(house)
    shred(house)
    assert disk.events == [] and waiting(house) == [] and house.files() == {"new": [], "cur": []}


def test_only_what_is_past_undelete(make_house, disk):
    """An expunged message that can still come back is whole; once its days are over it is overwritten."""
    house = make_house(disk=disk, shredding=1, undelete_days=7)
    gone(house)
    house.account.create("a")
    house.append(house.account.folder("a"), octets=letter())
    house.account.delete("a")
    shred(house)
    assert waiting(house) == [] and len(house.account.deleted()) == 2
    house.now.ahead = 8 * DAY
    house.store.settle()
    assert len(waiting(house)) > 1 and os.listdir(house.path("undelete")) == []
    shred(house)
    assert disk.left.count(bytes(len(letter()))) == 2 and not any(SECRET in left for left in disk.left)


def test_a_deleted_folder(house, disk):
    """With no days of undelete its messages are overwritten like others."""
    house.account.create("a")
    house.append(house.account.folder("a"), octets=letter())
    house.account.delete("a")
    shred(house)
    assert bytes(len(letter())) in disk.left and not any(SECRET in left for left in disk.left)


def test_another_mailbox_has_it(house, disk):
    """What somebody else still has is left alone; when the last one lets go, it is overwritten."""
    path = house.write(letter())
    for account in ("u-robin", "u-chris"):
        house.store.deliver(account, path, "1700000000.x")
    os.unlink(path)
    robin, chris = (house.store.account(name).folder("INBOX") for name in ("u-robin", "u-chris"))
    for folder in (robin, chris):
        folder.refresh()
        folder.store([1], "add", ["\\Deleted"])
    robin.expunge()
    house.store.settle()
    disk.events.clear()
    shred(house)
    assert "overwrite" not in disk.events and disk.left == [letter()] and house.octets(chris, 1) == letter()
    chris.expunge()
    house.store.settle()
    shred(house)
    assert disk.left[1:] == [bytes(len(letter()))]


def test_both_let_go_together(house, disk):
    """Two mailboxes that expunge the same message at once: its last name goes with the overwriting."""
    path = house.write(letter())
    for account in ("u-robin", "u-chris"):
        house.store.deliver(account, path, "1700000000.x")
        folder = house.store.account(account).folder("INBOX")
        folder.refresh()
        folder.store([1], "add", ["\\Deleted"])
        folder.expunge()
    os.unlink(path)
    house.store.settle()
    assert len(waiting(house)) == 2
    shred(house)
    assert disk.left == [letter(), bytes(len(letter()))]


def test_moved_messages_stay_whole(house, disk):
    """MOVE lets go of a name; the message lives on under another."""
    house.append(house.inbox, octets=letter())
    house.inbox.move([1], house.account.folder("Archive"))
    house.store.settle()
    shred(house)
    assert house.octets(house.account.folder("Archive"), 1) == letter()


def test_who_still_reads_it_finishes(house, disk):
    """A client that is being sent a large message gets its octets, whoever expunges it; then it is overwritten."""
    body = SECRET * 4000
    uid = house.append(house.inbox, ["\\Deleted"], letter(1, body))
    content = house.inbox.content(uid)
    house.inbox.expunge([uid])
    house.store.settle()
    shred(house)
    assert bytes(content.buffer[:]) == letter(1, body) and len(waiting(house)) == 1
    content.close()
    shred(house)
    assert waiting(house) == [] and set(disk.left[0]) == {0}


def test_it_rests_a_while(house, disk):
    """The spool may have a name of it for a moment longer: nothing happens at once."""
    gone(house)
    house.store.shredder.work(60)
    assert disk.events == [] and len(waiting(house)) == 1


def test_a_crash_in_the_midst(house, disk):
    """Whoever works next begins anew, in pieces."""
    size = 3 * shredding.PIECE + 5
    gone(house, octets=letter(1, b"x" * (size - len(letter(1, b"")))))
    house.now.ahead += 60
    under_way = house.store.shredder._all_there_is()
    for _ in range(5):
        next(under_way)
    under_way.close()
    assert len(waiting(house)) == 1
    house.crash()
    house.store.shredder.work(60)
    assert waiting(house) == []
    writes = [event for event in disk.events if event[0] == "write"]
    assert max(length for _, _, length in writes) == shredding.PIECE and len(writes) == 5 + 3 * 4


def test_turned_off_meanwhile(make_house, disk):
    """What waits goes without being overwritten."""
    level = [2]
    house = make_house(disk=disk, shredding=lambda: level[0], undelete_days=0)
    gone(house)
    level[0] = 0
    shred(house)
    assert disk.events == ["unlink"] and waiting(house) == []


def test_links_and_empty_files(house, disk):
    """What only leads elsewhere is no file of a message: where it leads to stays as it is."""
    elsewhere, _ = house.write(letter()), house.account
    os.symlink(elsewhere, house.path("link"))
    house.store.shredder.discard(house.path("link"))
    open(house.path("empty"), "w").close()
    house.store.shredder.discard(house.path("empty"))
    shred(house)
    assert "overwrite" not in disk.events and waiting(house) == []
    with open(elsewhere, "rb") as file:
        assert file.read() == letter()
    with pytest.raises(FileNotFoundError):
        house.store.shredder.discard(house.path("nothing"))


def test_a_file_that_cannot_be_overwritten(house, disk, monkeypatch):
    """It stays and is told of once an hour, and what else is gone for good does not wait for it."""
    for number in range(3):
        gone(house, octets=letter(number))
    theirs = sorted(waiting(house))[1]

    def overwrite(path):
        if path == theirs:
            raise PermissionError(13, "it is somebody else's", path)
        return Watched.overwrite(disk, path)

    monkeypatch.setattr(disk, "overwrite", overwrite)
    house.now.ahead += 60
    with pytest.raises(PermissionError):
        house.store.shredder.work(60)
    assert waiting(house) == [theirs] and len(disk.left) == 2
    assert not house.store.shredder.work(60)
    house.now.ahead += shredding.TRY_AGAIN_S
    with pytest.raises(PermissionError):
        house.store.shredder.work(60)
    monkeypatch.undo()
    house.now.ahead += shredding.TRY_AGAIN_S
    house.store.shredder.work(60)
    assert waiting(house) == []


def test_words_of_a_mailbox_that_nobody_opens(make_house, disk):
    """When its expunged mail goes for good, so do the words of it."""
    house = make_house(disk=disk, shredding=1, undelete_days=7)
    uid = house.append(house.inbox, ["\\Deleted"], letter())
    house.inbox.word_verdicts([uid], "NOBODY", body_only=True)
    house.store.fill_full_text()
    assert house.account.full_text.left_over([]) != set()
    house.inbox.expunge([uid])
    house.reopen()
    house.now.ahead = 8 * DAY
    house.store.settle()
    assert len(house.store._open) == 0
    assert house.account.full_text.exists and house.account.full_text.left_over([]) == set()


def test_nothing_is_left_in_the_index(house):
    """Neither what was rendered of the message nor its words can be found in the files beside it."""
    for number in range(10):
        house.append(house.inbox, octets=message(number + 2))
    words, needle = b"unmistakable", "ZQXJK"
    uid = house.append(house.inbox, ["\\Deleted"], letter(1, b"zqxjk\r\n").replace(b"number", words))
    house.inbox.rows([uid], ["envelope", "preview", "subject"])
    house.inbox.word_verdicts([uid], needle, body_only=True)
    house.store.fill_full_text()
    assert house.inbox.word_verdicts([uid], needle, body_only=True) == b"\1"
    house.inbox.expunge([uid])
    house.store.settle()
    house.now.ahead += 3600
    house.store.fill_full_text()
    house.store.close()
    octets = b""
    for name in ("unitymail.index", "unitymail.fulltext"):
        with open(house.path(name), "rb") as file:
            octets += file.read()
    assert words not in octets and b"ZQX" not in octets
