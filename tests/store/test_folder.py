"""A folder: what clients do to it, and what they are told."""

import datetime
import os

import pytest

from tests.store.house import flags_of, message
from unitymail.interfaces.errors import Never
from unitymail.interfaces.store import OverQuota, TooManyKeywords


def test_deliveries_get_uids_in_order(house):
    """Messages become UIDs 1, 2, 3 in the order of arrival, whatever order the directory lists them in."""
    for second in (30, 10, 20):
        octets = message(second)
        house.store.deliver("u-robin", house.write(octets), f"{second}.x,S={len(octets)}")
    snapshot = house.inbox.refresh()
    assert list(snapshot.uids) == [1, 2, 3] and snapshot.uidnext == 4
    assert [house.octets(house.inbox, uid) for uid in snapshot.uids] == [message(10), message(20), message(30)]


def test_uids_survive_a_restart(house):
    """UIDs, flags, modseqs and UIDVALIDITY are the same after the store was closed, and after a crash."""
    house.deliver(3)
    house.inbox.refresh()
    before, _ = house.inbox.store([2], "add", ["\\Seen", "Work"])
    house.reopen()
    again = house.inbox.refresh()
    assert (again.uids, again.modseqs, again.uidvalidity) == (before.uids, before.modseqs, before.uidvalidity)
    house.crash()
    assert flags_of(house.inbox) == {1: frozenset(), 2: frozenset({"\\Seen", "Work"}), 3: frozenset()}


def test_each_recent_message_is_told_once(house):
    """\\Recent goes to one session only; looking without claiming takes nothing."""
    house.deliver(2)
    inbox = house.inbox
    inbox.refresh()
    assert inbox.peek_recent() == 1
    assert inbox.claim_recent() == (1, 2)
    assert inbox.claim_recent() == (1, 0) and inbox.peek_recent() == 3
    house.deliver(1)
    inbox.refresh()
    house.reopen()
    assert house.inbox.status().recent == 1
    assert house.inbox.claim_recent() == (3, 3)


@pytest.mark.parametrize(
    ("change", "flags", "result"),
    [
        ("add", ["\\flagged", "work"], {"\\Seen", "\\Flagged", "Work"}),
        ("remove", ["\\SEEN"], {"Work"}),
        ("replace", ["\\Draft", "\\Recent"], {"\\Draft"}),
        ("add", ["\\Seen"], {"\\Seen", "Work"}),
        ("replace", [], set()),
    ],
)
def test_store(house, change, flags, result):
    """+FLAGS, -FLAGS and FLAGS do as RFC 3501 says, case-blind, and never touch \\Recent."""
    inbox = house.inbox
    uid = house.append(inbox, ["\\Seen", "Work"])
    before = inbox.snapshot
    snapshot, left_alone = inbox.store([uid, 99], change, flags)
    assert flags_of(inbox) == {uid: frozenset(result)} and left_alone == ()
    changed = frozenset(result) != {"\\Seen", "Work"}
    assert (snapshot.highest_modseq > before.highest_modseq) == changed
    assert list(snapshot.modseqs) == [snapshot.highest_modseq]


def test_store_unless_changed_since(house):
    """With UNCHANGEDSINCE, messages changed meanwhile are left alone and named."""
    inbox = house.inbox
    uids = [house.append(inbox) for _ in range(3)]
    modseq = inbox.snapshot.highest_modseq
    inbox.store([uids[1]], "add", ["\\Seen"])
    _, left_alone = inbox.store(uids, "add", ["\\Flagged"], unchanged_since=modseq)
    assert left_alone == (uids[1],)
    assert [sorted(flags) for flags in flags_of(inbox).values()] == [["\\Flagged"], ["\\Seen"], ["\\Flagged"]]


def test_keywords_are_limited_and_known(house):
    """A folder takes 200 keywords; the known ones are there from the start; no system flag is invented."""
    inbox = house.inbox
    uid = house.append(inbox)
    assert "$MDNSent" in inbox.snapshot.keywords
    inbox.store([uid], "add", [f"k{number}" for number in range(195)])
    assert len(inbox.snapshot.keywords) == 200
    with pytest.raises(TooManyKeywords):
        inbox.store([uid], "add", ["one-more"])
    with pytest.raises(Never):
        inbox.store([uid], "add", ["\\Invented"])
    assert len(next(iter(flags_of(inbox).values()))) == 195


def test_expunge(house):
    """EXPUNGE removes what carries \\Deleted, of the UIDs given when they are given; at once and for good."""
    inbox = house.inbox
    uids = [house.append(inbox, ["\\Deleted"] if number % 2 else []) for number in range(6)]
    assert list(inbox.expunge([uids[0], uids[1]]).uids) == [uids[0], *uids[2:]]
    snapshot = inbox.expunge()
    assert list(snapshot.uids) == [uids[0], uids[2], uids[4]]
    house.crash()
    assert list(house.inbox.refresh().uids) == [uids[0], uids[2], uids[4]]
    assert house.inbox.vanished_since(0) == [uids[1], uids[3], uids[5]]
    assert house.inbox.content(uids[1]) is not None
    house.store.settle()
    assert len(house.files()["cur"]) == 3 and house.inbox.content(uids[1]) is None


def test_expunge_of_many(house):
    """Half of a large folder leaves in one go; UIDs are never given again."""
    house.deliver(400)
    inbox = house.inbox
    inbox.store(list(inbox.refresh().uids)[::2], "add", ["\\Deleted"])
    snapshot = inbox.expunge()
    assert list(snapshot.uids) == list(range(2, 401, 2)) and snapshot.uidnext == 401
    house.store.settle()
    house.reopen()
    assert list(house.inbox.refresh().uids) == list(range(2, 401, 2))


@pytest.mark.parametrize("move", [False, True])
def test_copy_and_move(house, move):
    """Copies keep flags, date, octets, EMAILID and inode; the sources of a MOVE leave; COPYUID names both."""
    inbox, target = house.inbox, house.account.folder("Archive")
    uids = [house.append(inbox, ["\\Seen", "Work"], date=1_000_000_000 + number) for number in range(3)]
    columns = ["internaldate", "size", "emailid", "envelope"]
    rows = [row[1:] for row in inbox.rows(uids[:2], columns)]
    inode = os.stat(house.path("cur", house.files()["cur"][0])).st_ino
    copied = (inbox.move if move else inbox.copy)([*uids[:2], 77], target)
    assert (copied.sources, copied.targets) == ((1, 2), (1, 2))
    assert copied.uidvalidity == target.snapshot.uidvalidity
    assert list(inbox.snapshot.uids) == ([3] if move else [1, 2, 3])
    assert [row[1:] for row in target.rows([1, 2], columns)] == rows
    assert set(flags_of(target).values()) == {frozenset({"\\Seen", "Work"})}
    assert "Work" in target.snapshot.keywords
    assert os.stat(house.path(".Archive", "cur", house.files(".Archive")["cur"][0])).st_ino == inode
    house.store.settle()
    assert len(house.files()["cur"]) == (1 if move else 3)


def test_copy_within_a_folder(house):
    """A message can be copied into its own folder."""
    inbox = house.inbox
    uid = house.append(inbox, ["\\Flagged"])
    assert inbox.copy([uid], inbox).targets == (2,)
    assert flags_of(inbox) == {1: frozenset({"\\Flagged"}), 2: frozenset({"\\Flagged"})}


def test_copy_of_nothing(house):
    """Copying UIDs that are gone copies nothing and harms nothing."""
    assert house.inbox.copy([5], house.account.folder("Archive")).targets == ()


def test_moved_back_and_forth(house):
    """A message moved away and back is there once, with a new UID each time."""
    inbox, archive = house.inbox, house.account.folder("Archive")
    house.deliver(1)
    inbox.refresh()
    for _ in range(3):
        inbox.move(list(inbox.snapshot.uids), archive)
        house.store.settle()
        archive.move(list(archive.snapshot.uids), inbox)
    assert list(inbox.refresh().uids) == [4] and list(archive.refresh().uids) == []
    house.store.settle()
    house.reopen()
    assert list(house.inbox.refresh().uids) == [4]


def test_append(house):
    """APPEND gives the UID at once, keeps flags and date, and moves the file rather than copying it."""
    inbox = house.inbox
    assert house.append(inbox, ["\\seen", "$mdnsent"], message(7), 1_000_000_000.5) == 1
    assert flags_of(inbox) == {1: frozenset({"\\Seen", "$MDNSent"})}
    size = len(message(7))
    assert inbox.rows([1], ["internaldate", "size"]) == [(1, b'" 9-Sep-2001 01:46:40 +0000"', size)]
    assert inbox.internal_days([1]) == [(1, datetime.date(2001, 9, 9).toordinal())]
    assert house.files()["cur"][0].endswith(f",S={size},W={size}:2,S") and os.listdir(house.path("tmp")) == []


def test_append_all_or_nothing(house):
    """Several messages are appended together, or none when one file is not there."""
    inbox = house.inbox
    paths = [house.write(message(number)) for number in range(3)]
    assert inbox.append_all([(path, [], None) for path in paths]) == [1, 2, 3]
    spare = house.write(message(9))
    with pytest.raises(Exception, match="No such file"):
        inbox.append_all([(spare, [], None), ("/nonexistent", [], None)])
    assert os.path.exists(spare) and list(inbox.refresh().uids) == [1, 2, 3]


def test_over_quota(make_house):
    """APPEND and COPY that would not fit are refused, and change nothing; MOVE always fits."""
    house = make_house(quota=lambda account: 2 * len(message(1)) + 10)
    inbox, archive = house.inbox, house.account.folder("Archive")
    for _ in range(2):
        house.append(inbox)
    with pytest.raises(OverQuota):
        house.append(inbox)
    with pytest.raises(OverQuota):
        inbox.copy([1], archive)
    assert inbox.move([1], archive).targets == (1,)
    assert house.account.usage() == (2 * len(message(1)), 2)


def test_status(house):
    """STATUS counts what is there: messages, unseen, deleted, recent, octets."""
    inbox = house.inbox
    for flags in (["\\Seen"], ["\\Deleted"], []):
        house.append(inbox, flags)
    status = inbox.status()
    assert (status.messages, status.unseen, status.deleted, status.recent, status.uidnext) == (3, 2, 1, 3, 4)
    assert status.size == sum(size for _, size in inbox.rows([1, 2, 3], ["size"]))
    assert (status.uidvalidity, status.mailboxid) == (inbox.snapshot.uidvalidity, inbox.id)


def test_rows(house):
    """Rows come ascending, for those that exist, with every column rendered once and kept."""
    house.deliver(30)
    inbox = house.inbox
    inbox.refresh()
    rows = inbox.rows([3, 1, 99, 2], ["envelope", "bodystructure", "fields", "terms", "sent", "saved", "emailid"])
    assert [row[0] for row in rows] == [1, 2, 3]
    _, envelope, structure, fields, terms, sent, saved, emailid = rows[0]
    assert envelope.startswith(b'("Mon, 23 Nov 2026 10:00:00 +0100" "number 0"') and structure.startswith(b'("text"')
    assert fields.startswith(b"From: Robin Smith <robin@vm1.example.com>\r\n") and terms.split("\n")[4] == "NUMBER 0"
    assert sent == 1_795_424_400 and abs(saved - house.now()) < 10
    assert len({row[7] for row in rows}) == 3 and emailid.startswith("E")
    sparse = inbox.rows(range(1, 31, 3), ["size"])
    assert [row[0] for row in sparse] == list(range(1, 31, 3))
    gaps = inbox.rows([*range(1, 10), *range(20, 30)], ["internaldate"])
    assert [row[0] for row in gaps] == [*range(1, 10), *range(20, 30)]


def test_rows_of_a_vanished_file(house):
    """A message whose file somebody removed is left out rather than raised about."""
    house.deliver(2)
    house.inbox.refresh()
    os.unlink(house.path("new", house.files()["new"][0]))
    assert [row[0] for row in house.inbox.rows([1, 2], ["envelope"])] == [2]


def test_snapshots_are_never_changed(house):
    """A snapshot that a session holds stays as it was; combinations only grow; each new one has a new serial."""
    house.deliver(3)
    inbox = house.inbox
    held = inbox.refresh()
    copy = (held.uids[:], held.flags[:], held.modseqs[:], held.uidnext)
    inbox.store([1, 2], "add", ["\\Deleted"])
    meaning = inbox.snapshot.combinations[inbox.snapshot.flags[0]]
    inbox.expunge()
    house.deliver(1)
    new = inbox.refresh()
    assert (held.uids, held.flags, held.modseqs, held.uidnext) == copy
    assert new.serial > held.serial and meaning == frozenset({"\\Deleted"})
    assert inbox.refresh() is new


def test_a_change_costs_no_reading_of_other_rows(house):
    """A delivery into a large folder reads the new row only, and looking again when nothing changed reads none."""
    house.deliver(300)
    inbox = house.inbox
    inbox.refresh()
    house.store.settle()
    inbox.refresh()
    read = []
    with inbox.access.using() as index:
        index.connection.set_trace_callback(read.append)
        house.now.ahead = 3
        inbox.refresh()
        read.clear()
        for _ in range(5):
            inbox.refresh()
        assert read == ["PRAGMA data_version"] * 5
        house.deliver(1)
        inbox.refresh()
        index.connection.set_trace_callback(None)
    assert not any("FROM files WHERE id BETWEEN" in statement for statement in read)
    assert len(inbox.snapshot.uids) == 301


def test_contents_of_many(house):
    """Several messages are opened at once, in order, until there is enough: None for what is gone, a large one last."""
    inbox = house.inbox
    uids = [house.append(inbox, octets=message(number)) for number in range(4)]
    inbox.store([uids[1]], "add", ["\\Deleted"])
    inbox.expunge([uids[1]])
    house.store.settle()
    large = house.append(inbox, octets=message(9, b"x" * 100_000))
    after = house.append(inbox)
    opened = inbox.contents([*uids, large, after], 1_000_000)
    assert [None if one is None else bytes(one.buffer[:]) for one in opened] == [
        message(0), None, message(2), message(3), message(9, b"x" * 100_000),
    ]  # fmt: skip
    for one in opened:
        if one is not None:
            one.close()
    assert len(inbox.contents([*uids, large], 1)) == 1


def test_contents_with_other_line_ends(house):
    """A file with LF ends, one that another program has renamed, and one not measured yet are opened as well."""
    names = house.deliver(3)
    with open(house.path("cur", "1700000009.M1P1.test:2,S"), "wb") as file:
        file.write(message(7).replace(b"\r\n", b"\n"))
    inbox = house.inbox
    uids = list(inbox.refresh().uids)
    os.rename(house.path("new", names[0]), house.path("cur", names[0] + ":2,F"))
    for _ in range(2):
        opened = inbox.contents(uids, 1_000_000)
        assert [bytes(one.buffer[:]) for one in opened] == [message(0), message(1), message(2), message(7)]
    read = []
    with inbox.access.using() as index:
        index.connection.set_trace_callback(read.append)
        assert len(inbox.contents(uids[1:], 1_000_000)) == 3
        index.connection.set_trace_callback(None)
    assert len(read) == 1, "where sizes are known, line ends cost no further look at the index"
    with open(house.path("cur", names[0] + ":2,F"), "wb") as file:
        file.write(b"Subject: put in its place\n\nby hand\n")
    assert [bytes(one.buffer[:30]) for one in inbox.contents(uids[:1], 1)] == [b"Subject: put in its place\r\n\r\nb"]


def test_contents_one_by_one_of_mail_that_others_brought(house):
    """Who reads one message after the other for the first time waits for a commit once in a while, not each time."""
    inbox = house.inbox
    for number in range(30):
        with open(house.path("cur", f"17000000{number:02}.M1P1.test:2,S"), "wb") as file:
            file.write(message(number).replace(b"\r\n", b"\n"))
    with open(house.path("cur", "1700000030.M1P1.test:2,S"), "wb") as file:
        file.write(message(30, b"x" * 100_000))
    uids = list(inbox.refresh().uids)
    os.unlink(house.path("cur", "1700000007.M1P1.test:2,S"))
    said = []
    with inbox.access.using() as index:
        index.connection.set_trace_callback(said.append)
        found = [inbox.content(uid) for uid in uids]
        index.connection.set_trace_callback(None)
    octets = [None if one is None else bytes(one.buffer[:]) for one in found]
    assert octets == [None if n == 7 else message(n, *([b"x" * 100_000] if n == 30 else [])) for n in range(31)]
    assert said.count("BEGIN IMMEDIATE") <= 4
    for one in found:
        if one is not None:
            one.close()
