"""Maildirs of Dovecot and Courier become mailboxes: flags, keywords, folders, subscriptions, UIDs, and their files."""

import bz2
import errno
import gzip
import lzma
import os
import shutil

import pytest

from tests.store.house import flags_of
from tests.store.takeover.other import DOVECOTS_LIST, Maildir, courier, dovecot, letter
from unitymail.disk import Disk
from unitymail.store.checking import examine
from unitymail.store.content import converted
from unitymail.store.takeover import bringing, take_over
from unitymail.store.takeover.bringing import Moved


def seen(folder):
    snapshot = folder.refresh()
    return snapshot.uidvalidity, snapshot.uidnext, flags_of(folder)


def subjects(house, folder):
    """UID → the token in the message."""
    return {uid: house.octets(folder, uid).split(b"body of ")[1].strip().decode() for uid in folder.refresh().uids}


DOVECOTS_INBOX = {
    3: {"\\Seen", "Work", "$Label1"}, 4: {"\\Flagged", "\\Answered", "\\Deleted"}, 8: frozenset(), 10: frozenset(),
}  # fmt: skip


def test_dovecot(house, tmp_path):
    """Its UIDs, flags, keywords by folder, names and subscriptions are ours afterwards; its files stay as they are."""
    box = dovecot(tmp_path / "Maildir")
    before = box.everything()
    report = take_over(house.store, "u-robin", box.path)
    account = house.account
    assert seen(account.folder("INBOX")) == (1500000000, 11, DOVECOTS_INBOX)
    assert seen(account.folder("Work")) == (1500000001, 2, {1: {"\\Seen"}})
    assert seen(account.folder("Work/Süb")) == (1500000002, 8, {7: {"\\Seen", "Other"}})
    assert subjects(house, house.inbox) == {3: "100.M1.h", 4: "101.M1.h,S=70", 8: "102.M1.h", 10: "104.new.h"}
    assert set(account.subscriptions()) >= {"INBOX", "Work", "Work/Süb", "Gone", "Sent"}
    assert report.subscribed == ["Gone", "Work", "Work/Süb"]
    assert [(one.folder, one.taken, one.uids) for one in report.folders] == [
        ("INBOX", 4, "kept"), ("Work", 1, "kept"), ("Work/Süb", 1, "kept"),
    ]  # fmt: skip
    assert report.folders[0].keywords == ("$Label1", "Work") and report.copied == 0
    assert box.everything() == before


def test_files_are_linked_and_served_with_crlf(house, tmp_path):
    """LF files are not copied and not changed; clients get CRLF, and sizes fit; the date is the file's."""
    box = dovecot(tmp_path / "Maildir")
    take_over(house.store, "u-robin", box.path)
    expected = converted(letter("100.M1.h"))
    assert house.octets(house.inbox, 3) == expected
    assert house.inbox.rows([3], ["size", "date"]) == [(3, len(expected), 1_600_000_000)]
    assert os.path.samefile(os.path.join(box.path, "cur", "100.M1.h:2,Sab"), house.path("cur", "100.M1.h:2,Sab"))


def test_courier(house, tmp_path):
    """Its list of UIDs, its keywords with the newest of their updates, its subscriptions without INBOX before them."""
    box = courier(tmp_path / "Maildir")
    take_over(house.store, "u-robin", box.path)
    flags = {5: {"\\Seen", "Work", "$Label1"}, 11: {"\\Flagged", "\\Answered", "\\Deleted", "Later", "$Label1"}}
    assert seen(house.inbox) == (400000000, 12, flags)
    assert seen(house.account.folder("Sent")) == (400000001, 4, {3: {"\\Seen"}})
    assert {"Café", "Sent"} <= set(house.account.subscriptions())
    assert "Café" in [info.name for info in house.account.folders() if info.selectable]


def test_run_again(house, tmp_path):
    """Nothing is doubled, expunged mail does not come back, flags changed here stay, and what came since is taken."""
    box = dovecot(tmp_path / "Maildir")
    take_over(house.store, "u-robin", box.path)
    house.inbox.store([3], "replace", ["\\Deleted"])
    house.inbox.store([8], "add", ["\\Flagged"])
    house.inbox.expunge()
    house.store.settle()
    box.add("105.M1.h:2,S")
    box.note("dovecot-uidlist", DOVECOTS_LIST + b"10 :104.new.h\n12 :105.M1.h\n")
    report = take_over(house.store, "u-robin", box.path)
    assert (report.taken, report.known, report.folders[0].uids) == (1, 6, "kept")
    assert seen(house.inbox) == (1500000000, 13, {8: {"\\Flagged"}, 10: frozenset(), 12: {"\\Seen"}})
    assert take_over(house.store, "u-robin", box.path).taken == 0


def test_mail_came_here_and_there(house, tmp_path):
    """After both went on, one UID would mean two messages: the folder gets a new UIDVALIDITY, and nothing is lost."""
    box = dovecot(tmp_path / "Maildir")
    take_over(house.store, "u-robin", box.path)
    house.append(house.inbox)
    box.add("105.M1.h:2,S")
    box.note("dovecot-uidlist", DOVECOTS_LIST + b"10 :104.new.h\n11 :105.M1.h\n")
    report = take_over(house.store, "u-robin", box.path)
    assert (report.taken, report.folders[0].uids) == (1, "renewed")
    validity, uidnext, flags = seen(house.inbox)
    assert validity > 1_700_000_000 and uidnext == 13 and list(flags) == [3, 4, 8, 10, 11, 12]
    assert take_over(house.store, "u-robin", box.path).taken == 0


def test_a_folder_with_uids_of_its_own(house, tmp_path):
    """Where clients know UIDs already the newcomers come after them, and the report says why."""
    house.append(house.account.folder("INBOX"))
    before = house.inbox.refresh().uidvalidity
    report = take_over(house.store, "u-robin", dovecot(tmp_path / "Maildir").path)
    validity, _, flags = seen(house.inbox)
    assert validity == before and list(flags) == [1, 2, 3, 4, 5]
    assert report.folders[0].uids == "new" and "UIDs of its own" in report.folders[0].why
    assert report.folders[1].uids == "kept"


def test_mail_that_waits_here(house, tmp_path):
    """A delivery that nobody has looked at yet comes after what is taken over, with its UIDs kept."""
    house.account.prepare()
    house.deliver(1)
    take_over(house.store, "u-robin", dovecot(tmp_path / "Maildir").path)
    assert list(seen(house.inbox)[2]) == [3, 4, 8, 10, 11]


def test_only_what_was_new_is_recent(house, tmp_path):
    """Messages that nobody had seen at the old server are \\Recent, the others are not."""
    take_over(house.store, "u-robin", dovecot(tmp_path / "Maildir").path)
    assert house.inbox.claim_recent() == (10, 10)


@pytest.mark.parametrize("make", [dovecot, courier])
def test_in_its_place(house, make):
    """A Maildir that lies in the account's directory is taken over where it is: no file gets another inode."""
    box = make(house.path())
    inode = os.stat(house.path("cur", "101.M1.h,S=70:2,FRT")).st_ino
    dry = take_over(house.store, "u-robin", house.path(), dry_run=True)
    assert not os.path.exists(house.path("unitymail.index")) and not os.path.exists(house.path(".Archive"))
    report = take_over(house.store, "u-robin", house.path())
    assert (report.taken, report.folders[0]) == (dry.taken, dry.folders[0])
    validity, _, flags = seen(house.inbox)
    assert validity in (1500000000, 400000000) and {"\\Seen", "Work", "$Label1"} in flags.values()
    house.store.settle()
    assert inode in [os.stat(house.path("cur", name)).st_ino for name in house.files()["cur"]]
    assert take_over(house.store, "u-robin", box.path).taken == 0


def test_names_that_only_others_make(house):
    """Directories whose names would hide them here are renamed; two of one name stay two."""
    box = Maildir(house.path())
    for number, directory in enumerate([".~home", ".v1\\2e2", ".INBOX", ".A..B", ".caf\u00e9", ".caf&AOk-", ".T\tb"]):
        box.add(f"{number}.m:2,S", directory=directory)
    report = take_over(house.store, "u-robin", house.path())
    names = {one.folder for one in report.folders}
    assert names == {"INBOX", "~home", "v1.2", "INBOX (2)", "A/_/B", "café", "café (2)", "T_b"}
    listed = {info.name for info in house.account.folders() if info.selectable}
    assert names <= listed
    assert all(len(house.account.folder(name).refresh().uids) == 1 for name in names - {"INBOX"})
    assert take_over(house.store, "u-robin", house.path()).taken == 0


def test_a_renamed_directory_keeps_what_clients_know(house):
    """A folder that was visible under a raw name keeps its UIDs when it gets its proper one, and so do its children."""
    box = Maildir(house.path())
    box.add("1.m:2,S", directory=".v1\\2e2")
    box.add("2.m:2,S", directory=".v1\\2e2.Sub")
    before = seen(house.account.folder("v1\\2e2"))
    house.account.folder("v1\\2e2/Sub").refresh()
    take_over(house.store, "u-robin", house.path())
    assert seen(house.account.folder("v1.2")) == before
    assert list(seen(house.account.folder("v1.2/Sub"))[2]) == [1]


def test_links_and_oddities(house, tmp_path):
    """What is no file of a message is counted and left, and nothing is read through a link."""
    box = dovecot(tmp_path / "Maildir")
    (tmp_path / "secret").write_bytes(b"Subject: secret\n\n")
    os.symlink(tmp_path / "secret", os.path.join(box.path, "cur", "200.link:2,S"))
    os.mkdir(os.path.join(box.path, "cur", "201.directory"))
    os.symlink(os.path.join(box.path, ".Work"), os.path.join(box.path, ".Linked"))
    report = take_over(house.store, "u-robin", box.path)
    assert report.folders[0].skipped == 2 and report.folders[0].taken == 4
    assert "Linked" not in [one.folder for one in report.folders]


def test_a_server_that_is_never_still(house, tmp_path, monkeypatch):
    """When files go on being renamed while they are taken, it is said what to do; nothing is half taken."""
    box = dovecot(tmp_path / "Maildir")

    def elsewhere(*args):
        raise Moved

    monkeypatch.setattr(bringing, "_link", elsewhere)
    with pytest.raises(OSError, match="stop it first"):
        take_over(house.store, "u-robin", box.path)
    assert not house.inbox.refresh().uids and os.listdir(house.path("cur")) == []


def test_what_is_said_of_what_stays(house, tmp_path):
    """Keywords that have no letter, and Maildirs in plain folders, are told."""
    box = dovecot(tmp_path / "Maildir")
    box.note("dovecot-keywords", b"".join(b"%d k%d\n" % (n, n) for n in range(28)))
    box.folder("Plain")
    report = take_over(house.store, "u-robin", box.path)
    assert any("k26 k27" in note for note in report.notes) and any("Plain" in note for note in report.notes)


def test_another_message_of_that_name(house, tmp_path):
    """A name that stands for another message here loses neither of the two, also when it is run again."""
    house.inbox.refresh()
    box = dovecot(tmp_path / "Maildir")
    take_over(house.store, "u-robin", box.path)
    other = Maildir(tmp_path / "Other")
    other.add("100.M1.h:2,F", b"Subject: other\n\nbody of another\n")
    assert take_over(house.store, "u-robin", other.path).taken == 1
    assert "another" in subjects(house, house.inbox).values() and len(seen(house.inbox)[2]) == 5


class Stopped(Exception):
    pass


class Stopping(Disk):
    """Stops after so many changes, as a process that is killed."""

    left = 10**9

    def _count(self):
        if self.left <= 0:
            raise Stopped
        self.left -= 1

    def link(self, source, target):
        self._count()
        super().link(source, target)

    def rename(self, source, target):
        self._count()
        super().rename(source, target)

    def unlink(self, path):
        self._count()
        super().unlink(path)

    def flush_directory(self, path):
        self._count()
        super().flush_directory(path)

    def commit(self, connection):
        self._count()
        super().commit(connection)


@pytest.mark.parametrize("place", ["elsewhere", "here"])
def test_interrupted_anywhere(make_house, tmp_path, place):
    """However far it came, run again it ends as if it had never been stopped."""
    changes = 0
    while True:
        house = make_house(disk=Stopping())
        house.root = str(tmp_path / f"mail{place}{changes}")
        house.store = house.open()
        path = house.path() if place == "here" else str(tmp_path / f"Maildir{changes}")
        dovecot(path)
        house.disk.left = changes
        try:
            take_over(house.store, "u-robin", path)
            finished = True
        except Stopped:
            finished = False
        house.disk.left = 10**9
        house.crash()
        take_over(house.store, "u-robin", path)
        assert seen(house.inbox) == (1500000000, 11, DOVECOTS_INBOX), changes
        assert seen(house.account.folder("Work/Süb")) == (1500000002, 8, {7: {"\\Seen", "Other"}}), changes
        assert len(os.listdir(house.path("cur"))) + len(os.listdir(house.path("new"))) == 4
        house.close()
        shutil.rmtree(house.root)
        if finished:
            break
        changes += 1
    assert changes > 30


def test_another_file_system(make_house, tmp_path):
    """Where nothing can be linked the files are copied, with their dates, and the report counts them."""

    class Far(Disk):
        def link(self, source, target):
            if "Maildir" in source:
                raise OSError(errno.EXDEV, "far away")
            super().link(source, target)

    house = make_house(disk=Far())
    report = take_over(house.store, "u-robin", dovecot(tmp_path / "Maildir").path)
    assert (report.taken, report.copied) == (6, 6)
    assert house.inbox.rows([3], ["date"]) == [(3, 1_600_000_000)]
    assert seen(house.inbox)[2] == DOVECOTS_INBOX


def test_the_old_server_still_works(make_house, tmp_path):
    """A file that is renamed while it is taken is found under its new name; one that is removed is left out."""
    box = dovecot(tmp_path / "Maildir")

    class Busy(Disk):
        done = False

        def link(self, source, target):
            if "Maildir" in source and not self.done:
                self.done = True
                os.rename(os.path.join(box.path, "cur", "102.M1.h:2,"), os.path.join(box.path, "cur", "102.M1.h:2,S"))
                os.unlink(os.path.join(box.path, "cur", "101.M1.h,S=70:2,FRT"))
            super().link(source, target)

    house = make_house(disk=Busy())
    report = take_over(house.store, "u-robin", box.path)
    assert report.folders[0].taken == 3
    assert seen(house.inbox)[2] == {3: DOVECOTS_INBOX[3], 8: {"\\Seen"}, 10: frozenset()}


@pytest.mark.parametrize("place", ["elsewhere", "here"])
def test_compressed_mail(house, tmp_path, place):
    """Files that Dovecot compressed are mail afterwards, once, with their dates; what nobody can read is told."""
    box = Maildir(house.path() if place == "here" else tmp_path / "Maildir")
    for number, pack in enumerate((gzip.compress, bz2.compress, lzma.compress)):
        box.add(f"10{number}.m,S={len(letter(number))}:2,S", pack(letter(number)))
    box.add("103.zstd:2,S", b"\x28\xb5\x2f\xfd" + b"x" * 50)
    box.add("104.damaged:2,S", gzip.compress(letter(9) * 99)[:-40])
    box.add("105.plain:2,S")
    report = take_over(house.store, "u-robin", box.path)
    assert report.folders[0].taken == 4
    assert "3 messages were compressed" in report.notes[0] and "2 files are compressed or encrypted" in report.notes[0]
    inbox = house.inbox
    mail = [house.octets(inbox, uid) for uid in inbox.refresh().uids]
    assert all(converted(letter(number)) in mail for number in range(3))
    assert inbox.rows([1], ["size", "date"]) == [(1, len(converted(letter(0))), 1_600_000_000)]
    assert take_over(house.store, "u-robin", box.path).taken == 0
    assert os.listdir(house.path("tmp")) == []
    assert examine(house.account).findings == ()
    if place == "elsewhere":
        assert sorted(os.listdir(os.path.join(box.path, "cur")))[0].startswith("100.m") and len(mail) == 4
