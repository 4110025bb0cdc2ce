"""Mail of other programs in and out."""

import mailbox
import os

import pytest

from tests.store.house import flags_of, message
from unitymail.store.exchange import Progress, export_maildir, export_mbox, import_maildir, import_mbox

DATE = 1_000_000_000


def last(progress):
    """The final Progress of each folder."""
    return {one.folder: one for one in progress}


@pytest.fixture
def courier(tmp_path):
    """A Maildir++ as Courier or Dovecot leaves it: LF ends, flags in names, a subfolder."""
    box = mailbox.Maildir(str(tmp_path / "theirs"))
    for number in range(60):
        one = mailbox.MaildirMessage(message(number).replace(b"\r\n", b"\n"))
        one.set_subdir("cur" if number % 2 else "new")
        one.set_flags("FS" if number % 2 else "")
        one.set_date(DATE + number)
        box.add(one)
    sub = box.add_folder("Work.Caf&AOk-")
    sub.add(b"Subject: no id\n\nx\n")
    return str(tmp_path / "theirs")


def test_import_maildir(house, courier):
    """Messages come with flags, dates, folders and CRLF ends, in order; again, nothing is doubled."""
    assert last(import_maildir(house.account, courier)) == {
        "INBOX": Progress("INBOX", 60, 0, 60),
        "Work/Café": Progress("Work/Café", 1, 0, 1),
    }
    inbox = house.inbox
    assert house.octets(inbox, 2) == message(1)
    assert flags_of(inbox)[2] == frozenset({"\\Flagged", "\\Seen"}) and flags_of(inbox)[1] == frozenset()
    assert inbox.rows([1], ["internaldate"])[0][1] == b'" 9-Sep-2001 01:46:40 +0000"'
    assert house.octets(house.account.folder("Work/Café"), 1) == b"Subject: no id\r\n\r\nx\r\n"
    assert last(import_maildir(house.account, courier))["INBOX"] == Progress("INBOX", 0, 60, 60)
    assert last(import_maildir(house.account, courier))["Work/Café"] == Progress("Work/Café", 0, 1, 1)
    assert os.listdir(house.path("tmp")) == []


def test_import_below_a_folder(house, courier):
    """Everything can be put below a folder of its own."""
    assert set(last(import_maildir(house.account, courier, "Old"))) == {"Old", "Old/Work/Café"}


def test_export_maildir(house, tmp_path):
    """Python's mailbox module reads what was exported; run again, nothing is written twice."""
    house.append(house.inbox, ["\\Seen", "\\Answered"], message(1), DATE)
    house.append(house.account.create("a/b.c"), octets=message(2))
    target = str(tmp_path / "out")
    assert last(export_maildir(house.account, target))["a/b.c"] == Progress("a/b.c", 1, 0, 1)
    box = mailbox.Maildir(target, create=False)
    [(key, one)] = box.items()
    assert one.get_flags() == "RS" and one["Subject"] == "number 1"
    assert os.stat(os.path.join(target, "cur", key + ":2,RS")).st_mtime == DATE
    with open(os.path.join(target, "cur", key + ":2,RS"), "rb") as file:
        assert file.read() == message(1)
    assert "a.b&AC4-c" in box.list_folders()
    assert last(export_maildir(house.account, target, ["INBOX"])) == {"INBOX": Progress("INBOX", 0, 1, 1)}


def test_mbox_out_and_in(house, tmp_path):
    """A folder written as mbox and read into another keeps octets, flags and dates; `From ` in bodies is safe."""
    for number in range(3):
        body = b"x\r\nFrom here\r\n>From there\r\n"
        house.append(house.inbox, ["\\Seen", "\\Flagged"][:number], message(number, body), DATE + number)
    path = str(tmp_path / "box")
    assert last(export_mbox(house.account, path)) == {"INBOX": Progress("INBOX", 3, 0, 3)}
    box = mailbox.mbox(path)
    assert len(box) == 3
    box.close()
    assert last(import_mbox(house.account, path, "Copy")) == {"Copy": Progress("Copy", 3, 0, 3)}
    copy = house.account.folder("Copy")
    assert flags_of(copy) == flags_of(house.inbox)
    assert copy.rows([1, 2, 3], ["internaldate"]) == house.inbox.rows([1, 2, 3], ["internaldate"])
    assert [house.octets(copy, uid) for uid in (1, 2, 3)] == [house.octets(house.inbox, uid) for uid in (1, 2, 3)]
    assert last(import_mbox(house.account, path, "Copy")) == {"Copy": Progress("Copy", 0, 3, 3)}


def test_nothing_to_do(house, tmp_path):
    """Empty boxes are reported as such."""
    (tmp_path / "empty").write_bytes(b"")
    assert last(import_mbox(house.account, str(tmp_path / "empty"))) == {"INBOX": Progress("INBOX", 0, 0, 0)}
    assert last(export_mbox(house.account, str(tmp_path / "out"))) == {"INBOX": Progress("INBOX", 0, 0, 0)}
