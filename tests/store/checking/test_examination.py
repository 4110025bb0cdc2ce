"""Each kind of inconsistency is made, found, told without being touched, mended, and gone."""

import os
import shutil
import sqlite3
import time

import pytest

from tests.store.house import House, flags_of, message
from unitymail.disk import Disk
from unitymail.store import snapshots
from unitymail.store.checking import examine
from unitymail.store.forgetting import OF_CONTENTS
from unitymail.store.fulltext.catalogue import Text
from unitymail.store.fulltext.filling import fill
from unitymail.store.names import directory_of


@pytest.fixture
def five(house):
    """An INBOX of five messages at rest, all of them rendered, and a folder with two."""
    house.deliver(5)
    house.inbox.refresh()
    house.inbox.store([2], "add", ["\\Seen", "Work"])
    work = house.account.create("Work")
    for _ in range(2):
        house.append(work)
    for folder in (house.inbox, work):
        folder.rows(folder.refresh().uids, ["envelope", "preview", "threadid", "subject"])
    house.store.settle()
    house.now.ahead = 10
    house.inbox.refresh(), work.refresh()
    assert examine(house.account).findings == ()
    return house


def sql(house, *statements):
    """What somebody does to the index behind everybody's back."""
    with house.account.access.using() as index:
        house.account.live.pack(index)
    with sqlite3.connect(house.path("unitymail.index")) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    house.account.folder("INBOX")._snapshot = house.account.folder("Work")._snapshot = None


def state(house):
    """All that a check without repair must not change."""
    with house.account.access.using() as index:
        tables = [name for (name,) in index.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: index.all(f"SELECT * FROM {table}") for table in tables if not table.startswith("sqlite_")}
    files = {}
    for place, directories, names in os.walk(house.path()):
        if not any(part.startswith("unitymail.index") for part in names):
            files[place] = (oct(os.stat(place).st_mode), sorted(directories), sorted(names))
    return rows, files


def mended(house, kind, words, folder=None, *, found=None):
    """A check finds it and touches nothing; a repair mends it; then nothing is wrong."""
    for name in [info.name for info in house.account.folders() if info.selectable]:
        house.account.folder(name).refresh()
    before = state(house)
    only_told = examine(house.account)
    assert state(house) == before
    kinds = {finding.kind for finding in only_told.findings}
    assert kinds == {kind} | set(found or ()), only_told
    told = [finding for finding in only_told.findings if finding.kind == kind]
    assert any(words in finding.what for finding in told), told
    assert folder is None or {finding.folder for finding in told} == {folder}, told
    assert not only_told.is_sound and not any(finding.mended for finding in only_told.findings)
    done = examine(house.account, repair=True)
    assert done.is_sound, done
    again = examine(house.account)
    assert again.findings == (), again
    return done


def served(house):
    """Folder → the octets of each message, by the snapshot that a new session gets."""
    house.reopen()
    found = {}
    for name in [info.name for info in house.account.folders() if info.selectable]:
        folder = house.account.folder(name)
        if uids := list(folder.refresh().uids):
            found[name] = [house.octets(folder, uid) for uid in uids]
    return found


# totals and counters


def test_totals(five):
    """What the folder is said to hold is counted anew."""
    sql(five, "UPDATE folders SET messages = 9, octets = 1 WHERE directory = x''")
    mended(five, "totals", "said to hold 9 messages of 1 octets, and holds 5", "INBOX")
    assert five.account.usage()[1] == 7


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE folders SET uidnext = 3 WHERE directory = x''", "the next UID would be 3, and 5 was given"),
        ("UPDATE folders SET recent_from = 77 WHERE directory = x''", "new from UID 77"),
        ("UPDATE folders SET highest_modseq = 1 WHERE directory = x''", "HIGHESTMODSEQ is 1"),
        ("UPDATE counters SET modseq = 2", "the next MODSEQ would be 3"),
        ("UPDATE counters SET content = 2", "the next EMAILID would be 3"),
    ],
)
def test_counters(five, statement, words):
    """No UID, MODSEQ or EMAILID is given twice."""
    sql(five, statement)
    mended(five, "counters", words)
    uid = five.append(five.inbox)
    assert uid == 6 and five.inbox.snapshot.modseqs[-1] == five.inbox.snapshot.highest_modseq > 2


def test_uidvalidity(five):
    """A value that IMAP does not know, and the counter that is gone."""
    sql(five, "UPDATE folders SET uidvalidity = 0 WHERE directory = x''")
    mended(five, "uidvalidity", "UIDVALIDITY is 0", "INBOX")
    os.unlink(five.path("unitymail.uidvalidity"))
    mended(five, "uidvalidity", "unitymail.uidvalidity is missing")
    fresh = five.account.create("Fresh").refresh().uidvalidity
    assert fresh > five.inbox.refresh().uidvalidity > 1_700_000_000


# rows


@pytest.mark.parametrize(
    ("table", "key"),
    [("messages", "id"), ("files", "id"), ("facts", "id"), ("pending", "id"), ("expunged", "id"),
     ("keywords", "folder"), ("metadata", "folder"), ("packed", "folder"), ("lettered", "folder"),
     ("bins", "folder")],
)  # fmt: skip
def test_rows_of_a_folder_that_is_no_more(five, table, key):
    """They go, whatever table they are in."""
    values = {
        "messages": "(99 << 32 | 1, 0, 1)", "files": "(99 << 32 | 1, x'61', x'63')",
        "facts": "(99 << 32 | 1, 1, 1, x'', 1, 1, 1, 0)", "pending": "(99 << 32 | 1)",
        "expunged": "(99 << 32 | 1, 1, 1, 0, 0, x'61')", "keywords": "(99, 'old')",
        "metadata": "(99, '/comment', x'61', 1)", "packed": "(99, 1, 1, x'', x'', x'')", "lettered": "(99, 'Work')",
        "bins": "(99, 1)",
    }  # fmt: skip
    sql(five, f"INSERT INTO {table} VALUES {values[table]}")
    mended(five, "orphan rows", f"1 row in {table} of a folder that is no more")


def test_names_that_wait_for_nobody(five):
    """A message that is not there cannot be followed by its file."""
    with five.account.access.using() as index:
        number = index.one("SELECT id FROM folders WHERE directory = x''")[0]
    sql(five, f"INSERT INTO pending VALUES ({number} << 32 | 77)")
    mended(five, "orphan rows", "1 row in pending of a message that is not there")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM files WHERE id & 0xFFFFFFFF = 3", "a row of a message without that of its file"),
        ("DELETE FROM facts WHERE id & 0xFFFFFFFF = 3", "a row of a message without its facts"),
        ("DELETE FROM messages WHERE id & 0xFFFFFFFF = 3", "a row that hides a file"),
        ("INSERT INTO expunged SELECT id, modseq, 1, 0, 0, NULL FROM messages WHERE id & 0xFFFFFFFF = 3",
         "there and expunged"),
        ("INSERT INTO expunged SELECT id, modseq, 1, 0, 0, base FROM messages JOIN files USING (id)"
         " WHERE id & 0xFFFFFFFF = 3", "there and expunged"),
    ],
)  # fmt: skip
def test_rows_that_contradict_each_other(five, statement, words):
    """The message is not lost: its file is found again and it gets a new UID, which clients are told of."""
    since = five.inbox.snapshot.highest_modseq
    sql(five, statement)
    found = {"files", "totals", "gone contents"} & {finding.kind for finding in examine(five.account).findings}
    mended(five, "orphan rows", words, "INBOX", found=found)
    assert list(five.inbox.refresh().uids) == [1, 2, 4, 5, 6]
    assert sorted(served(five)["INBOX"]) == sorted(message(number) for number in range(5))
    assert 3 in five.inbox.vanished_since(since)


def test_two_rows_for_one_file(five):
    """The message is there once; the other UID is gone for clients."""
    sql(
        five,
        "INSERT INTO messages SELECT id + 10, flags, modseq FROM messages WHERE id & 0xFFFFFFFF = 3",
        "INSERT INTO files SELECT id + 10, base, seen FROM files WHERE id & 0xFFFFFFFF = 3",
        "INSERT INTO facts SELECT id + 10, content, date, internaldate, size, octets, saved, withheld FROM facts"
        " WHERE id & 0xFFFFFFFF = 3",
        "UPDATE folders SET uidnext = 14, messages = 6, octets = octets + 100 WHERE directory = x''",
    )
    mended(five, "orphan rows", "a second row for one file", "INBOX", found={"totals"})
    assert list(five.inbox.refresh().uids) == [1, 2, 3, 4, 5]
    assert len(served(five)["INBOX"]) == 5


def test_expunged_messages_that_wait_for_ever(five):
    """One whose file nobody knows does not keep the account busy."""
    with five.account.access.using() as index:
        number = index.one("SELECT id FROM folders WHERE directory = x''")[0]
    sql(five, f"INSERT INTO expunged VALUES ({number} << 32 | 3 + 1000, 1, 1, 0, 0, NULL)",
        "UPDATE folders SET uidnext = 2000")  # fmt: skip
    mended(five, "orphan rows", "1 expunged message whose file is not known")
    with five.account.access.using() as index:
        assert not index.one("SELECT EXISTS (SELECT 1 FROM expunged WHERE base IS NULL)")[0]


def test_flags_that_stand_for_nothing(five):
    """The name of the file tells them."""
    sql(five, "UPDATE messages SET flags = 99999 WHERE id & 0xFFFFFFFF = 2 AND id >> 32 = 1")
    five.store.close()
    five.store = five.open()
    done = examine(five.account)
    assert {finding.kind for finding in done.findings} == {"flags"}
    assert examine(five.account, repair=True).is_sound
    assert flags_of(five.inbox)[2] == {"\\Seen"} and examine(five.account).findings == ()


# files


def test_files_that_nobody_noticed(five):
    """Where time stamps hide it: a file is taken in, a rename followed, and a message whose file is gone is gone."""
    names = five.files()["cur"]
    stamp = os.stat(five.path("cur")).st_mtime_ns
    with open(five.path("cur", "9.hidden:2,F"), "wb") as file:
        file.write(message(9))
    os.unlink(five.path("cur", names[0]))
    os.rename(five.path("cur", names[2]), five.path("cur", names[2] + "S"))
    os.utime(five.path("cur"), ns=(stamp, stamp))
    done = mended(five, "files", "1 file that nobody noticed", "INBOX")
    assert {finding.what for finding in done.findings} == {
        "1 file that nobody noticed", "1 message whose file is gone", "1 file that was renamed unnoticed",
    }  # fmt: skip
    assert list(five.inbox.refresh().uids) == [2, 3, 4, 5, 6] and flags_of(five.inbox)[3] == {"\\Seen"}


def test_what_comes_and_goes_is_no_problem(five):
    """Deliveries, flags set by others and names that wait to follow: the next look sees to them."""
    five.deliver(3)
    five.inbox.store([1], "add", ["\\Flagged"])
    os.rename(five.path("cur", five.files()["cur"][3]), five.path("cur", five.files()["cur"][3] + "F"))
    assert examine(five.account).findings == ()


def test_two_names_of_one_file(five):
    """The second one goes, and the message stays what it is."""
    name = five.files()["cur"][0]
    os.link(five.path("cur", name), five.path("cur", name + "S"))
    mended(five, "duplicate names", "1 file with a name that another file has", "INBOX")
    assert five.files()["cur"][0] == name and len(five.files()["cur"]) == 5


def test_two_files_of_one_name(five):
    """Where time stamps hid it, the other file becomes a message of its own."""
    name, stamp = five.files()["cur"][0], os.stat(five.path("cur")).st_mtime_ns
    with open(five.path("cur", name + "F"), "wb") as file:
        file.write(message(77))
    os.utime(five.path("cur"), ns=(stamp, stamp))
    mended(five, "duplicate names", "1 file with a name that another file has", "INBOX")
    assert message(77) in served(five)["INBOX"] and len(served(five)["INBOX"]) == 6


def test_the_name_that_stays_is_durable_before_the_other_goes(tmp_path):
    """The process that made the second name may have ended before it could see to that."""
    class Watched(Disk):
        events = []

        def flush_directory(self, path):
            self.events.append(("flush", os.path.basename(path)))
            super().flush_directory(path)

        def unlink(self, path):
            self.events.append(("unlink", os.path.basename(os.path.dirname(path))))
            super().unlink(path)

    house = House(tmp_path, disk=Watched())
    (name,) = house.deliver()
    house.inbox.refresh()
    os.link(house.path("new", name), house.path("cur", f"{name}:2,S"))
    Watched.events.clear()
    examine(house.account, repair=True)
    gone = next(at for at, event in enumerate(Watched.events) if event[0] == "unlink")
    assert ("flush", "cur") in Watched.events[:gone] and len(house.files()["cur"] + house.files()["new"]) == 1
    house.close()


def test_entries_that_are_no_messages(five):
    """A person must look: they are told, and left."""
    os.mkdir(five.path("cur", "directory"))
    os.symlink("/etc/passwd", five.path("new", "link"))
    for repair in (False, True):
        done = examine(five.account, repair=repair)
        assert [finding.kind for finding in done.findings] == ["strange entries"] and not done.is_sound
        assert "2 entries are no file of a message" in done.findings[0].what
    assert os.path.isdir(five.path("cur", "directory")) and os.path.islink(five.path("new", "link"))


def test_names_that_nobody_renames(five):
    """A name that tells other flags than the index, and does not wait, follows after the repair."""
    five.inbox.store([1], "add", ["\\Flagged"])
    sql(five, "DELETE FROM pending")
    mended(five, "pending names", "the names of 1 file tell other flags", "INBOX")
    five.store.settle()
    assert five.files()["cur"][0].endswith(":2,F")


def test_keywords_that_the_folder_does_not_list(five):
    """Clients are told of all that messages carry."""
    sql(five, "DELETE FROM keywords")
    mended(five, "keywords", "Work", "INBOX")
    five.reopen()
    assert "Work" in five.inbox.refresh().keywords


# contents


def test_octets_that_a_client_appended(five):
    """Bare line feeds that a client brought are shown as they came: that is no size to be mended."""
    octets = message(8).replace(b"\r\n", b"\n")
    uid = five.append(five.inbox, octets=octets)
    five.inbox.rows([uid], ["envelope", "size"])
    assert examine(five.account, repair=True).findings == ()
    assert five.octets(five.inbox, uid) == octets


def test_large_files_are_read_where_they_lie(five):
    """A check writes no copy of what has CRLF already."""
    five.append(five.inbox, octets=message(8, b"x" * 78 + b"\r\n" * 20_000 + b"y" * 1_500_000))
    five.inbox.rows(five.inbox.refresh().uids, ["envelope", "size"])
    before = os.stat(five.path("tmp")).st_mtime_ns
    assert examine(five.account).findings == ()
    assert os.stat(five.path("tmp")).st_mtime_ns == before


def test_a_file_that_was_changed(five):
    """Another content gets another UID: no client finds other octets under one that it knows. Flags stay."""
    name = five.files()["cur"][1]
    with open(five.path("cur", name), "ab") as file:
        file.write(b"and more\r\n")
    mended(five, "sizes", "1 file was changed after the message was seen", "INBOX")
    assert flags_of(five.inbox) == {
        1: frozenset(), 3: frozenset(), 4: frozenset(), 5: frozenset(), 6: {"\\Seen", "Work"},
    }  # fmt: skip
    assert five.octets(five.inbox, 6) == message(1) + b"and more\r\n"
    assert five.inbox.rows([6], ["size"]) == [(6, len(message(1)) + 10)]
    assert five.account.usage()[0] == sum(map(len, served(five)["INBOX"] + served(five)["Work"]))


def test_sizes(five):
    """RFC822.SIZE is that of the form that clients get."""
    sql(five, "UPDATE facts SET size = size + 7 WHERE id & 0xFFFFFFFF = 2")
    assert examine(five.account, quick=True).findings == ()
    mended(five, "sizes", "1 message is said to have a size that it has not")
    five.reopen()
    assert five.inbox.rows([2], ["size"]) == [(2, len(message(1)))]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE summaries SET envelope = x'28'", "UPDATE summaries SET bodystructure = x'28'",
     "UPDATE fields SET fields = x''", "UPDATE terms SET terms = 'x'"],
)  # fmt: skip
def test_what_was_rendered(five, statement):
    """What is kept of a message is what is in its file."""
    before = five.inbox.rows([1], ["envelope", "bodystructure", "fields", "terms"])
    sql(five, statement)
    mended(five, "rendered", "is not what is in the file")
    assert five.inbox.rows([1], ["envelope", "bodystructure", "fields", "terms"]) == before


def test_copies_that_are_shown_differently(five):
    """One content has one size and one form, wherever its copies are."""
    work = five.account.folder("Work")
    five.inbox.copy([1], work)
    five.store.settle()
    number = work.row.id
    sql(five, f"UPDATE facts SET size = NULL WHERE id = ({number} << 32) + 3")
    mended(five, "rendered", "copies of 1 message are shown in different forms or sizes")
    assert work.rows([3], ["size"]) == [(3, len(message(0)))]


@pytest.mark.parametrize("table", OF_CONTENTS)
def test_rows_of_gone_contents(five, table):
    """Nothing is kept of messages that are gone."""
    with five.account.access.using() as index:
        columns = [name for _, name, *_ in index.all(f"PRAGMA table_info({table})")]
    others = "".join(", 'x'" if name != "content" else ", 7" for name in columns)[2:]
    sql(five, f"INSERT INTO {table} ({', '.join(columns and [chr(34) + name + chr(34) for name in columns])})"
              f" VALUES ({others})")  # fmt: skip
    mended(five, "gone contents", f"1 row in {table} of messages that are gone")


def test_words_of_gone_messages(five):
    """The full-text index finds nobody who is gone, and one that is damaged makes room for another."""
    five.append(five.inbox, ["\\Deleted"], octets=message(6))
    five.account.full_text.asked = True
    while fill(five.account):
        pass
    five.inbox.expunge()
    five.store.settle()
    assert examine(five.account).findings == ()
    five.account.full_text.add([Text(7, "gone", "gone body")])
    mended(five, "full text", "holds 2 messages that are gone")
    five.account.full_text.close()
    with open(five.path("unitymail.fulltext"), "r+b") as file:
        file.write(b"x" * 8000)
    told = examine(five.account).findings
    assert [finding.kind for finding in told] == ["full text"] and "cannot be read" in told[0].what
    assert examine(five.account).findings == ()


def test_a_packed_snapshot_that_lies(five, monkeypatch):
    """Whoever opens the folder next sees what is there."""
    monkeypatch.setattr(snapshots, "PACK_FROM", 1)
    five.reopen()
    five.inbox.refresh()
    five.store.close()
    five.store = five.open()
    with five.account.access.using() as index:
        assert index.one("SELECT count(*) FROM packed")[0] == 2
    sql(five, "UPDATE packed SET flags = zeroblob(length(flags)) WHERE folder = 1")
    five.store.close()
    five.store = five.open()
    mended(five, "packed", "packed form is not what its rows say", "INBOX")
    assert flags_of(five.inbox)[2] == {"\\Seen", "Work"}


def test_what_cannot_come_back(five):
    """Expunged messages whose files are gone are taken from the list."""
    five.inbox.store([1], "add", ["\\Deleted"])
    five.inbox.expunge()
    five.store.settle()
    for name in os.listdir(five.path("undelete")):
        os.unlink(five.path("undelete", name))
    mended(five, "undelete", "1 expunged message in the list")
    assert five.account.deleted() == []


# directories


def test_a_folder_without_a_part(five):
    """tmp/, new/ or cur/ that somebody removed are made again; a folder without cur/ is seen again."""
    shutil.rmtree(five.path(".Work", "tmp"))
    mended(five, "directory", "lacks tmp", "Work")
    os.makedirs(five.path(".Half", "new"))
    with open(five.path(".Half", "new", "1.x"), "wb") as file:
        file.write(message(1))
    mended(five, "directory", "lacks tmp, cur", "Half")
    assert served(five)["Half"] == [message(1)]


@pytest.mark.parametrize("directory", [".~home", ".A..B", ".INBOX"])
def test_a_folder_that_nobody_sees(five, directory):
    """A directory whose name stands for no folder gets one that does."""
    os.rename(five.path(".Work"), five.path(directory))
    shutil.copytree(five.path(".Archive"), five.path(".Work"))
    five.account.folder("Work").refresh()
    mended(five, "directory", f"the directory {directory} stands for no folder")
    assert any(len(messages) == 2 for name, messages in served(five).items() if name != "INBOX")


def test_a_long_name_that_is_gone(five):
    """The file in a directory that says its folder's name is written again."""
    name = "/".join(["län" * 10] * 6)
    five.append(five.account.create(name))
    five.account.folder(name).refresh()
    directory = directory_of(name)
    assert directory.startswith(".~")
    os.unlink(five.path(directory, "unitymail.name"))
    mended(five, "directory", "says no name", name)
    assert len(five.account.folder(name).refresh().uids) == 1


def test_a_row_with_another_name(five):
    """The directory says what a folder is called."""
    sql(five, "UPDATE folders SET name = 'Nonsense' WHERE directory = CAST('.Work' AS BLOB)")
    mended(five, "directory", "the index calls it 'Nonsense'", "Work")


def test_a_lost_directory(five):
    """A folder that was moved is found, which is no problem; one that was removed is forgotten."""
    os.rename(five.path(".Work"), five.path(".Moved"))
    assert examine(five.account).findings == ()
    assert list(five.account.folder("Moved").refresh().uids) == [1, 2]
    shutil.rmtree(five.path(".Moved"))
    mended(five, "lost directory", "is gone, with 2 messages", "Moved")
    assert five.account.usage()[1] == 5


# around


def test_subscriptions(five):
    """Lines that name no folder go, the others stay; a name that no folder has may stay."""
    with open(five.path("unitymail.subscriptions"), "ab") as file:
        file.write(b"\xff\xfe\na//b\nArchive\nGone\n" + b"x" * 300 + b"\n")
    mended(five, "subscriptions", "4 lines of unitymail.subscriptions")
    assert "Gone" in five.account.subscriptions() and "Work" not in five.account.subscriptions()


def test_temporary_files(five):
    """What a program that ended left in tmp/ goes, in folders too; what is being written stays."""
    for place in ((), (".Work",)):
        for name in ("1.old", "2.young"):
            with open(five.path(*place, "tmp", name), "wb"):
                pass
        long_ago = time.time() - 40 * 3600
        os.utime(five.path(*place, "tmp", "1.old"), (long_ago, long_ago))
    mended(five, "temporary files", "1 temporary file that nobody writes")
    assert os.listdir(five.path("tmp")) == os.listdir(five.path(".Work", "tmp")) == ["2.young"]


@pytest.mark.parametrize(("place", "mode", "words"), [
    ((), 0o755, "other users of this machine"),
    ((".Work",), 0o500, "may not work in the directory .Work"),
    (("cur",), 0o600, "may not work in the directory cur"),
])  # fmt: skip
def test_modes_of_directories(five, place, mode, words):
    """The node can work in all of them, and nobody else in any."""
    os.chmod(five.path(*place), mode)
    mended(five, "modes", words)
    assert os.stat(five.path(*place)).st_mode & 0o777 == 0o700


def test_files_that_cannot_be_read(five):
    """A file that another program left unreadable can be read afterwards."""
    path = five.path("cur", five.files()["cur"][0])
    os.chmod(path, 0o044)
    mended(five, "modes", "1 file that the node may not read", "INBOX")
    assert os.stat(path).st_mode & 0o777 == 0o600


# the index itself


def test_an_index_of_sqlite_that_is_lost(five):
    """An index that is put aside is told once; a repair clears it away."""
    five.store.close()
    with open(five.path("unitymail.index"), "r+b") as file:
        file.write(b"nonsense" * 1000)
    five.store = five.open()
    mended(five, "index", "put aside as unitymail.index.broken")
    assert len(five.inbox.refresh().uids) == 5


def test_a_damaged_index(five):
    """Pages that SQLite cannot trust: the index is built anew from the files."""
    for _ in range(300):
        five.append(five.inbox)
    five.store.close()
    path = five.path("unitymail.index")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'facts_by_content'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    with open(path, "r+b") as file:
        file.seek((root - 1) * size + 8)
        file.write(b"\x7f" * (size - 8))
    five.store = five.open()
    told = examine(five.account)
    assert told.findings[0].kind == "index" and "damaged" in told.findings[0].what
    assert examine(five.account, repair=True).findings[0].mended
    assert len(served(five)["INBOX"]) == 305


def test_an_index_of_the_schema_that_was_dropped(five):
    """It is made again, so that nothing becomes slow."""
    sql(five, "DROP INDEX messages_changed", "DROP INDEX files_by_base")
    mended(five, "index", "lacks files_by_base, messages_changed")


# while others work


def test_a_mailbox_at_work(five):
    """Whoever delivers and changes flags meanwhile is no problem, and loses nothing."""
    for round in range(20):
        five.deliver(2)
        if round % 2:
            five.inbox.refresh()
        five.inbox.store([1, 3], "add" if round % 3 else "remove", ["\\Flagged", "Work"])
        name = five.files()["cur"][round % 5]
        os.rename(five.path("cur", name), five.path("cur", name + "R" if "R" not in name else name.replace("R", "")))
        five.store.settle()
        assert examine(five.account, repair=round % 5 == 0).findings == ()
    assert len(five.inbox.refresh().uids) == 45


def test_everything_at_once(five):
    """Many kinds together are mended in one run, and no message is lost."""
    name = five.files()["cur"][0]
    os.link(five.path("cur", name), five.path("new", name.partition(":")[0]))
    os.chmod(five.path("cur", five.files()["cur"][3]), 0o000)
    with open(five.path("unitymail.subscriptions"), "ab") as file:
        file.write(b"\xff\n")
    sql(
        five,
        "UPDATE folders SET messages = 1, uidnext = 2 WHERE directory = x''",
        "DELETE FROM facts WHERE id & 0xFFFFFFFF = 3",
        "DELETE FROM files WHERE id & 0xFFFFFFFF = 4",
        "UPDATE summaries SET envelope = x''",
        "INSERT INTO pending VALUES (77 << 32)",
        "DROP INDEX expunged_names",
    )
    os.rename(five.path(".Work"), five.path(".~Work"))
    assert examine(five.account, repair=True).is_sound
    assert examine(five.account).findings == ()
    messages = served(five)
    assert sorted(messages["INBOX"]) == sorted(message(number) for number in range(5))
    assert len(messages["~Work"]) == 2
