"""Who wants to know that a message was heard: what the store notes, owes, and tells."""

import os
import sqlite3

import pytest

from tests.store.house import flags_of, message
from unitymail.disk import Disk
from unitymail.interfaces.store import Noticed
from unitymail.store import schema
from unitymail.store.index import Index
from unitymail.store.maildir import asks_receipt, trace_of

TRACE = "0abcdefghi01234567"
PAT = "pat@partner.example"
INBOX = "INBOX"


def asking(trace, category="voice", wish=PAT):
    return (
        f"Return-Path: <{PAT}>\r\nX-Unitymail-Trace: id={trace}; category={category}; sensitivity=normal; secure=no;"
        f" sender=; pad=\r\nDisposition-Notification-To: <{wish}>\r\n"
    ).encode()


class Desk:
    """`deliver` as our own delivery does it; `news` is what the store told."""

    def __init__(self, house):
        self.house = house
        self.news = []
        self.count = 0
        self.listen()

    def listen(self):
        self.house.store.listen(self.news.append)

    def deliver(self, *, asks=True, **facts):
        """A message of ours; its trace."""
        self.count += 1
        trace = f"{TRACE}{self.count:02}"
        octets = (asking(trace, **facts) if asks else b"") + message(self.count)
        name = f"{1_700_000_000 + self.count}.{trace}.host.example,S={len(octets)}" + (",N=1" if asks else "")
        self.house.store.deliver("u-robin", self.house.write(octets), name)
        return trace

    @property
    def owed(self):
        return [(one.kind, one.trace) for one in self.house.account.owed()]

    def read(self):
        """Traces of messages that were noticed as read, and forget the news."""
        traces = [trace for one in self.news for trace in self.house.account.traces_of(one.seen)]
        self.news.clear()
        return traces


@pytest.fixture
def desk(house):
    return Desk(house)


def rows(house, table):
    with house.account.access.using() as index:
        return index.all(f"SELECT * FROM {table}")


@pytest.mark.parametrize(("base", "trace", "asks"), [
    (b"12.0abcdefghi0123456789.host,S=3,N=1", "0abcdefghi0123456789", True),
    (b"12.0abcdefghi0123456789-v0.host,S=3", "0abcdefghi0123456789-v0", False),
    (b"12.0abcdefghi0123456789-v0-m1a2b.host,S=3", "0abcdefghi0123456789-v0-m1a2b", False),
    (b"12.M3P4R0123456789Q1.host,S=3,W=3", "", False),
    (b"12.0abcdefghi0123456789", "", False),
    (b"name,N=1", "", True),
    (b"name,N=12", "", False),
])
def test_names_tell(base, trace, asks):
    """The trace and the wish stand in the name of what we delivered; other names have neither."""
    assert (trace_of(base), asks_receipt(base)) == (trace, asks)


def test_the_first_reading_is_noticed(desk):
    """A client's \\Seen is told once, with the trace; marked as new and read again, it is no first time."""
    traces = [desk.deliver(asks=False) for _ in range(3)]
    inbox = desk.house.inbox
    inbox.refresh()
    inbox.store([1, 3], "add", ["\\Seen"])
    assert desk.news[0].account == "u-robin"
    assert desk.read() == [traces[0], traces[2]]
    inbox.store([1, 2, 3], "remove", ["\\Seen"])
    assert desk.news == []
    inbox.store([1, 2, 3], "replace", ["\\seen", "\\Flagged"])
    assert desk.read() == [traces[1]]
    inbox.store([1, 2, 3], "add", ["\\Seen"])
    inbox.store([1, 2, 3], "add", ["\\Answered"])
    assert desk.news == []
    inbox.store([1, 2, 3], "remove", ["\\Seen"])
    inbox.store([1, 2, 3], "add", ["\\Seen"])
    assert desk.read() == []


def test_what_is_no_reading_is_not_noticed(desk):
    """APPEND, COPY, MOVE and other hands set \\Seen, too, but nobody read anything."""
    house = desk.house
    desk.deliver()
    inbox = house.inbox
    house.append(inbox, ["\\Seen"])
    inbox.refresh()
    base = next(name for name in os.listdir(house.path("new")))
    os.rename(house.path("new", base), house.path("cur", base + ":2,S"))
    house.now.ahead += 3
    assert flags_of(inbox)[1] == {"\\Seen"}
    inbox.copy([1], house.account.folder("Archive"))
    inbox.move([1], house.account.folder("Archive"))
    assert desk.news == []
    assert desk.owed == []


def test_foreign_names_have_no_trace(desk):
    """A message that another program put here is noticed, and has no trace to tell."""
    desk.house.deliver(1)
    desk.house.inbox.refresh()
    desk.house.inbox.store([1], "add", ["\\Seen"])
    assert (len(desk.news), desk.read()) == (1, [])


def test_reading_owes_a_receipt_and_marks_it(desk):
    """\\Seen, $MDNSent and the debt come together; a client need not ask its user any more."""
    trace = desk.deliver()
    desk.deliver(asks=False)
    inbox = desk.house.inbox
    inbox.refresh()
    inbox.store([1, 2], "add", ["\\Seen"])
    assert desk.news == [Noticed("u-robin", (inbox.id_of(1), inbox.id_of(2)), True)]
    assert flags_of(inbox) == {1: {"\\Seen", "$MDNSent"}, 2: {"\\Seen"}}
    (debt,) = desk.house.account.owed()
    assert (debt.kind, debt.trace) == ("displayed", trace)
    assert abs(debt.at - desk.house.now()) < 60
    assert debt.header.startswith(b"Return-Path:") and b"Subject: number 1\r\n" in debt.header
    assert desk.house.account.paid(debt.number) is True
    assert desk.owed == []
    assert desk.house.account.paid(debt.number) is False


def test_at_most_one(desk):
    """Read again, marked as new, its flags replaced: one receipt it is."""
    desk.deliver()
    inbox = desk.house.inbox
    inbox.refresh()
    for change, flags in (("add", ["\\Seen"]), ("replace", []), ("add", ["\\Seen"]), ("replace", ["\\Seen"])):
        inbox.store([1], change, flags)
    assert len(desk.owed) == 1
    inbox.store([1], "add", ["\\Deleted"])
    inbox.expunge()
    assert len(desk.owed) == 1


def test_copies_share_one_wish(desk):
    """Copied before it was read: whichever copy is read first, one receipt goes out."""
    desk.deliver()
    inbox, archive = desk.house.inbox, desk.house.account.folder("Archive")
    inbox.refresh()
    inbox.copy([1], archive)
    archive.store([1], "add", ["\\Seen"])
    inbox.store([1], "add", ["\\Seen"])
    assert len(desk.owed) == 1
    assert flags_of(inbox)[1] == {"\\Seen"}


def test_moved_and_then_read(desk):
    """A filter moves it away: the wish goes along."""
    trace = desk.deliver()
    inbox, archive = desk.house.inbox, desk.house.account.folder("Archive")
    inbox.refresh()
    inbox.move([1], archive)
    assert desk.owed == []
    desk.house.account.settle()
    archive.store([1], "add", ["\\Seen"])
    assert desk.owed == [("displayed", trace)]


@pytest.mark.parametrize("facts", [{"category": "email"}, {"wish": "other@partner.example"}])
def test_a_wish_that_is_not_granted_is_left_to_the_client(desk, facts):
    """No receipt of ours, no $MDNSent: the client may ask its user."""
    desk.deliver(**facts)
    inbox = desk.house.inbox
    inbox.refresh()
    inbox.store([1], "add", ["\\Seen"])
    assert (desk.owed, flags_of(inbox)) == ([], {1: {"\\Seen"}})
    assert rows(desk.house, "receipts") == []


@pytest.mark.parametrize("how", [["$MDNSent"], ["\\Seen", "$mdnsent"]])
def test_a_client_that_sends_it_itself(desk, how):
    """$MDNSent by the client settles it."""
    desk.deliver()
    inbox = desk.house.inbox
    inbox.refresh()
    inbox.store([1], "add", how)
    inbox.store([1], "add", ["\\Seen"])
    assert (desk.owed, flags_of(inbox)) == ([], {1: {"\\Seen", "$MDNSent"}})


def test_deleted_unheard(desk):
    """Expunged without \\Seen: the sender hears that; who had heard it is not told of again."""
    unheard, heard = desk.deliver(), desk.deliver()
    desk.deliver()
    inbox = desk.house.inbox
    inbox.refresh()
    inbox.store([2], "add", ["\\Seen"])
    inbox.store([1, 2], "add", ["\\Deleted"])
    inbox.expunge()
    assert sorted(desk.owed) == [("deleted", unheard), ("displayed", heard)]
    assert desk.news[-1] == Noticed("u-robin", (), True)
    desk.house.account.settle()
    assert b"Subject: number 1\r\n" in next(one.header for one in desk.house.account.owed() if one.kind == "deleted")


def test_a_copy_that_stays_may_still_be_heard(desk):
    """Old clients move by COPY and EXPUNGE: that is no deletion; deleting the copy is."""
    trace = desk.deliver()
    inbox, trash = desk.house.inbox, desk.house.account.folder("Deleted Items")
    inbox.refresh()
    inbox.copy([1], trash)
    inbox.store([1], "add", ["\\Deleted"])
    inbox.expunge()
    desk.house.account.settle()
    assert desk.owed == []
    trash.store([1], "add", ["\\Deleted"])
    trash.expunge()
    assert desk.owed == [("deleted", trace)]


def test_a_folder_that_is_deleted(desk):
    """What is in it unheard is deleted unheard."""
    trace = desk.deliver()
    folder = desk.house.account.create("Calls")
    desk.house.inbox.refresh()
    desk.house.inbox.move([1], folder)
    desk.house.account.settle()
    desk.house.account.delete("Calls")
    assert desk.owed == [("deleted", trace)]
    assert desk.news[-1].owed
    assert rows(desk.house, "receipts") == []


def test_another_hand_removes_it(desk):
    """A file that goes behind our back is nobody's decision: no receipt."""
    desk.deliver()
    desk.house.inbox.refresh()
    os.unlink(desk.house.path("new", os.listdir(desk.house.path("new"))[0]))
    desk.house.now.ahead += 3
    assert flags_of(desk.house.inbox) == {}
    assert (desk.owed, desk.news, rows(desk.house, "receipts")) == ([], [], [])


def test_what_is_owed_outlives_a_crash(desk):
    """Between the flag and the receipt the process dies: the next one is told as soon as the account is opened."""
    trace = desk.deliver()
    desk.house.inbox.refresh()
    desk.house.inbox.store([1], "add", ["\\Seen"])
    desk.house.crash()
    desk.news.clear()
    desk.listen()
    desk.house.inbox.refresh()
    assert desk.news == [Noticed("u-robin", (), True)]
    assert desk.owed == [("displayed", trace)]


def test_who_listens_late_hears_of_debts(desk):
    """Recovery opens accounts before anybody can send receipts: what is owed is told then, readings are not."""
    desk.deliver()
    desk.deliver(asks=False)
    desk.house.inbox.refresh()
    desk.house.inbox.store([1], "add", ["\\Seen"])
    desk.house.crash()
    desk.news.clear()
    desk.house.inbox.store([2], "add", ["\\Seen"])
    desk.listen()
    assert desk.news == [Noticed("u-robin", (), True)]
    desk.listen()
    assert len(desk.news) == 1


def test_debts_of_a_process_that_died_are_told_where_the_account_is_open(desk):
    """Another process owed a receipt and was killed: who has the account open hears of it within two minutes, and once
    a minute only."""
    desk.deliver()
    desk.house.inbox.refresh()
    desk.house.store.settle()
    other = desk.house.open()
    other.account("u-robin").folder("INBOX").store([1], "add", ["\\Seen"])
    other.close()
    desk.house.store.settle()
    assert desk.news == []
    desk.house.now.ahead = 61
    for _ in range(3):
        desk.house.store.settle()
    assert desk.news == [Noticed("u-robin", (), True)]
    desk.house.account.paid(desk.house.account.owed()[0].number)
    desk.house.now.ahead = 300
    desk.house.store.settle()
    assert len(desk.news) == 1


def test_the_debt_is_durable(make_house):
    """The transaction that owes, and the one that pays, wait for the disk; other flags do not."""
    kinds = []

    class Watching(Disk):
        def begin(self, connection, *, durable):
            kinds.append(durable)
            super().begin(connection, durable=durable)

    house = make_house(disk=Watching())
    desk = Desk(house)
    desk.deliver()
    house.inbox.refresh()
    for flags, durable in ((["\\Flagged"], False), (["\\Seen"], True)):
        house.inbox.store([1], "add", ["\\Answered"])
        kinds.clear()
        house.inbox.store([1], "add", flags)
        assert kinds == [durable]
    kinds.clear()
    house.account.paid(house.account.owed()[0].number)
    assert kinds == [True]


def test_an_index_of_version_1_is_brought_up(house):
    """Tables are added, nothing else changes, and messages that come from now on ask."""
    house.deliver(2)
    before = flags_of(house.inbox)
    house.store.close()
    connection = sqlite3.connect(house.path("unitymail.index"))
    for table in ("receipts", "owed", "read_before"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    house.store = house.open()
    desk = Desk(house)
    assert flags_of(house.inbox) == before
    trace = desk.deliver()
    house.inbox.refresh()
    house.inbox.store([3], "add", ["\\Seen"])
    assert desk.owed == [("displayed", trace)]
    assert rows(house, "counters") and house.inbox.snapshot.uidvalidity


def test_upgraded_and_new_are_the_same(tmp_path):
    """Every way to the newest schema ends at the same tables."""
    old, new = tmp_path / "old", tmp_path / "new"
    for place in (old, new):
        place.mkdir()
    index = Index(Disk(), str(old))
    for table in ("receipts", "owed", "read_before"):
        index.execute(f"DROP TABLE {table}")
    index.execute("PRAGMA user_version = 1")
    index.connection.close()
    schemas = []
    for place in (old, new):
        index = Index(Disk(), str(place))
        schemas.append(sorted(index.all("SELECT name, sql FROM sqlite_schema")))
        assert index.one("PRAGMA user_version")[0] == schema.VERSION
        index.connection.close()
    assert schemas[0] == schemas[1]
