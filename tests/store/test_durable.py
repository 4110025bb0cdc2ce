"""What a client was told survives the power: after each answer everything that was not flushed is dropped."""

import os

import pytest

from tests.power.recording import DROPPED, HastyDisk, Model, RecordingDisk
from tests.store.house import message
from unitymail.store import Store


class Powered:
    """A store on a recording disk with three messages in INBOX, and the store that is there after a cut."""

    def __init__(self, root):
        self.root = root
        self.now = 1_700_000_000.0
        os.makedirs(root / "before")
        self.disk = RecordingDisk(root / "before")
        self.store = self.opened("before", self.disk)
        self.account = self.store.account("u-robin")
        self.inbox, self.archive = self.account.folder("INBOX"), self.account.folder("Archive")

    def opened(self, place, disk):
        return Store(str(self.root / place / "mail"), disk=disk, now=lambda: self.now, host="h")

    def deliver(self, *numbers, store=None):
        for number in numbers:
            path = str(self.root / f"source{number}")
            with open(path, "wb") as file:
                file.write(message(number))
            (store or self.store).deliver("u-robin", self._taken(path, store), f"{self.now:.0f}.{number:03}.h")
        if store is None:
            self.store.make_durable(["u-robin"])

    def _taken(self, path, store):
        """The source on the recorded disk, so that the cut knows its octets."""
        if store is not None:
            return path
        taken = str(self.root / "before" / os.path.basename(path))
        fd = self.disk.create(taken)
        with open(path, "rb") as file:
            self.disk.write(fd, file.read())
        self.disk.flush(fd)
        self.disk.close(fd)
        return taken

    def append(self, folder, number):
        fd, path = self.account.new_file()
        self.disk.write(fd, message(number))
        self.disk.flush(fd)
        self.disk.close(fd)
        return folder.append(path, ["\\Seen"], None)

    def after_a_cut(self):
        """The store on what is left; a message that sorts before all others has arrived since."""
        Model(self.disk.events).build(self.root / "after", DROPPED)
        store = self.opened("after", HastyDisk())
        self.deliver(0, store=store)
        return store


@pytest.fixture
def powered(tmp_path):
    powered = Powered(tmp_path)
    powered.deliver(1, 2, 3)
    powered.inbox.refresh()
    yield powered
    powered.store.close()


def seen(folder):
    """(UIDVALIDITY, {UID: octets}) as a client of the folder knows it."""
    found = {}
    snapshot = folder.refresh()
    for uid in snapshot.uids:
        content = folder.content(uid)
        found[uid] = bytes(content.buffer[:])
        content.close()
    return snapshot.uidvalidity, found


DO = {
    "look": lambda it: None,
    "look again": lambda it: (it.deliver(4), it.inbox.refresh()),
    "append": lambda it: it.append(it.inbox, 5),
    "append elsewhere": lambda it: it.append(it.archive, 5),
    "copy": lambda it: it.inbox.copy([1, 3], it.archive),
    "move": lambda it: it.inbox.move([1, 3], it.archive),
    "move, then settle": lambda it: (it.inbox.move([1, 3], it.archive), it.store.settle()),
    "settle": lambda it: it.store.settle(),
    "expunge": lambda it: (it.inbox.store([2], "add", ["\\Deleted"]), it.inbox.expunge()),
    "expunge, then settle": lambda it: (it.inbox.store([2], "add", ["\\Deleted"]), it.inbox.expunge(),
                                        it.store.settle()),
    "create": lambda it: it.append(it.account.create("New"), 6),
    "rename": lambda it: (it.append(it.account.create("Old"), 6), it.account.rename("Old", "New/er")),
    "delete": lambda it: (it.append(it.account.create("Old"), 6), it.account.delete("Old")),
}  # fmt: skip


@pytest.mark.parametrize("what", DO)
def test_a_uid_names_one_message_for_ever(powered, what):
    """No UID that a client saw, in no folder, means another message or none after the cut; none that left is back."""
    DO[what](powered)
    before = {info.name: seen(powered.account.folder(info.name)) for info in powered.account.folders()}
    store = powered.after_a_cut()
    account = store.account("u-robin")
    assert {info.name for info in account.folders()} == set(before)
    for name, (validity, messages) in before.items():
        now_validity, now = seen(account.folder(name))
        assert now_validity == validity
        arrived = {max(now): message(0)} if name == "INBOX" else {}
        assert now == {**messages, **arrived}
    store.close()


def test_modseq_does_not_fall(powered):
    """Flag changes of the last moments may be lost with the power; a MODSEQ is never given a second meaning."""
    powered.inbox.store([1], "add", ["\\Flagged"])
    told = powered.inbox.snapshot.highest_modseq
    store = powered.after_a_cut()
    inbox = store.account("u-robin").folder("INBOX")
    inbox.store([2], "add", ["\\Answered"])
    assert inbox.snapshot.modseqs[1] > told
    store.close()


def test_modseq_does_not_fall_after_a_whole_block(powered):
    """The same when the reserved values were used up on the way: the next block is durable before its first value."""
    with powered.inbox.access.using() as index, index.changing():
        index.execute("UPDATE counters SET modseq = reserved - 2")
    for flag in ("\\Flagged", "\\Answered", "\\Draft", "\\Seen"):
        powered.inbox.store([1], "add", [flag])
    told = powered.inbox.snapshot.highest_modseq
    store = powered.after_a_cut()
    inbox = store.account("u-robin").folder("INBOX")
    inbox.store([2], "add", ["\\Answered"])
    assert inbox.snapshot.modseqs[1] > told
    store.close()
