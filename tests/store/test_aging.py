"""Old mail of mailboxes, open or not: each rule, from when on it counts, who hears of it, and what comes of a crash."""

import os
import sqlite3
from contextlib import closing, suppress
from math import inf

import pytest

from tests.store.house import flags_of, message
from tests.store.test_undelete import Failing
from unitymail.mail.expired import is_expired
from unitymail.policy.aging import NOTHING_AGES, Aging, Happened, Rule, Term, Warned
from unitymail.store import aging as aging_module
from unitymail.store import rounds

DAY = 86_400
TRACE = "0123456789abcdefghij"
ROBIN = "u-robin"


class Rules:
    """What a test says, for everybody but those who are left out."""

    def __init__(self):
        self.of_site = NOTHING_AGES
        self.left_out = set()

    def of(self, account):
        return NOTHING_AGES if account in self.left_out else self.of_site


@pytest.fixture
def rules():
    return Rules()


@pytest.fixture
def house(make_house, rules):
    house = make_house(aging=rules)
    house.store.account(ROBIN)
    house.store.settle()
    return house


def age(house, days=0.0):
    """So many days go by, and the store has all the time that it wants for what is due then.

    In the first hour an account that is open notes what was changed, and what became of folders.
    """
    for seconds in (3601, days * DAY - 3601) if days else ():
        house.now.ahead += seconds
        house.store.settle()
    news = []
    while found := house.store.age(60):
        news += found
    house.store.settle()
    return news


def secure(number=0):
    return message(number).replace(b"\r\n\r\n", b"\r\nX-Unity-Secure: true\r\n\r\n", 1)


def voice(number=0, receipt=False):
    """As our own delivery keeps it."""
    asking = b"Disposition-Notification-To: robin@vm1.example.com\r\n" if receipt else b""
    return (
        b"Return-Path: <robin@vm1.example.com>\r\nX-Unitymail-Trace: id=" + TRACE.encode() + b"; category=voice;"
        b" sensitivity=normal;\r\n\tsecure=no; sender=u-robin; pad=\r\n" + asking + message(number, b"RIFF" * 100)
    )


def trace_of(number):
    return f"{TRACE[:-2]}{number:02}"


def delivered(house, octets, *, receipt=False, number=0):
    """Brought by our own delivery, with its trace."""
    trace = trace_of(number)
    marks = ",N=1" if receipt else ""
    house.store.deliver(ROBIN, house.write(octets), f"{1_700_000_000 + number}.{trace}.host{marks},S={len(octets)}")
    house.inbox.refresh()
    house.store.settle()


def in_bin(house, *numbers, days=0):
    for number in numbers:
        house.append(house.account.folder("Deleted Items"), octets=message(number))


def uids(house, name):
    return list(house.account.folder(name).refresh().uids)


def test_deleted_items_are_emptied(house, rules):
    """After the days, not before; they can come back for the days of undelete; the rest of the mailbox stays."""
    rules.of_site = Aging(deleted=Term(15))
    in_bin(house, 1, 2)
    house.append(house.inbox, octets=message(3))
    assert age(house, 14.9) == [] and uids(house, "Deleted Items") == [1, 2]
    assert age(house, 0.2) == [Happened(ROBIN, "Deleted Items", Rule.DELETED, 2)]
    assert uids(house, "Deleted Items") == [] and uids(house, "INBOX") == [1]
    assert [one.folder for one in house.account.deleted()] == ["Deleted Items"] * 2
    assert house.account.used() == 0 or house.account.usage()[1] == 1


def test_days_count_from_when_a_message_came_there(house, rules):
    """Not from when it was sent or delivered: who deletes old mail has time to think again."""
    rules.of_site = Aging(deleted=Term(15))
    house.append(house.inbox, octets=message(1), date=1_000_000_000)
    assert age(house, 100) == []
    house.inbox.move([1], house.account.folder("Deleted Items"))
    assert age(house, 14) == []
    house.account.folder("Deleted Items").store([1], "add", ["\\Flagged"])
    assert [one.messages for one in age(house, 1.1)] == [1]


def test_a_folder_moved_below_deleted_items(house, rules):
    """What was in it for long gets the same days from then on; another use of the folder ends them."""
    rules.of_site = Aging(deleted=Term(15))
    house.account.create("Projects")
    house.append(house.account.folder("Projects"), octets=message(1))
    age(house, 100)
    house.account.rename("Projects", "Deleted Items/Projects")
    assert age(house, 14.9) == []
    house.account.rename("Deleted Items/Projects", "Projects")
    assert age(house, 2) == []
    house.account.rename("Projects", "Deleted Items/Projects")
    assert age(house, 14.9) == []
    assert age(house, 0.2) == [Happened(ROBIN, "Deleted Items/Projects", Rule.DELETED, 1)]


def test_a_folder_that_becomes_deleted_items(house, rules):
    """When a client gives the use to a folder full of old mail, nothing of it goes at once."""
    rules.of_site = Aging(deleted=Term(15))
    house.append(house.account.folder("Archive"), octets=message(1))
    in_bin(house, 2)
    age(house, 10)
    house.account.set_metadata("Archive", {"/private/specialuse": b"\\Trash \\Archive"})
    assert age(house, 6) == [] and uids(house, "Deleted Items") == [1]
    assert age(house, 10) == [Happened(ROBIN, "Archive", Rule.DELETED, 1)]


def test_new_messages_become_saved_ones(house, rules):
    """\\Seen comes by itself, only in INBOX, and only when nobody touched the message for so long."""
    rules.of_site = Aging(new=Term(30))
    for folder in (house.inbox, house.inbox, house.account.folder("Archive")):
        house.append(folder)
    age(house, 20)
    house.inbox.store([2], "add", ["\\Flagged"])
    house.store.settle()
    assert age(house, 10.1) == [Happened(ROBIN, "INBOX", Rule.NEW, 1)]
    assert flags_of(house.inbox) == {1: {"\\Seen"}, 2: {"\\Flagged"}}
    assert flags_of(house.account.folder("Archive")) == {1: set()}
    assert [one.messages for one in age(house, 21)] == [1]
    assert age(house, 100) == []


def test_saved_messages_become_deleted_ones(house, rules):
    """They are moved, with flags and date, and stay there for as long as what is deleted by hand."""
    rules.of_site = Aging(saved=Term(30), deleted=Term(15))
    house.append(house.inbox, ["\\Seen", "\\Answered"], date=1_000_000_000)
    house.append(house.inbox)
    assert age(house, 29) == []
    assert age(house, 2) == [Happened(ROBIN, "INBOX", Rule.SAVED, 1, (), "Deleted Items")]
    bin_ = house.account.folder("Deleted Items")
    assert uids(house, "INBOX") == [2] and flags_of(bin_) == {1: {"\\Seen", "\\Answered"}}
    assert bin_.rows([1], ["date"]) == [(1, 1_000_000_000)]
    assert age(house, 14) == []
    assert age(house, 1.1) == [Happened(ROBIN, "Deleted Items", Rule.DELETED, 1)]


def test_marking_gives_another_term(house, rules):
    """Who marks a message as new, or flags it, has changed it."""
    rules.of_site = Aging(saved=Term(30))
    house.append(house.inbox, ["\\Seen"])
    age(house, 25)
    house.inbox.store([1], "remove", ["\\Seen"])
    house.store.settle()
    age(house, 1)
    house.inbox.store([1], "add", ["\\Seen"])
    assert age(house, 25) == []
    assert [one.messages for one in age(house, 10)] == [1]


def test_where_there_is_no_folder_for_deleted_messages(house, rules):
    """One is made."""
    rules.of_site = Aging(saved=Term(1))
    house.account.delete("Deleted Items")
    house.append(house.inbox, ["\\Seen"])
    assert [one.into for one in age(house, 2)] == ["Deleted Items"]
    [info] = [info for info in house.account.folders() if info.special_use == "\\Trash"]
    assert info.name == "Deleted Items" and uids(house, "Deleted Items") == [1]


def test_secure_messages(house, rules):
    """All that are secure go from all folders, from their arrival on whatever was done since, past undelete."""
    rules.of_site = Aging(secure=Term(30))
    house.append(house.inbox, octets=secure(1))
    house.append(house.inbox, octets=message(2))
    house.append(house.account.folder("Archive"), octets=secure(3))
    age(house, 20)
    house.inbox.store([1], "add", ["\\Flagged"])
    house.inbox.move([1], house.account.folder("Drafts"))
    assert age(house, 9) == []
    assert {(one.folder, one.messages) for one in age(house, 1.1)} == {("Archive", 1), ("Drafts", 1)}
    assert uids(house, "INBOX") == [2] and house.account.deleted() == []
    assert not any(name for part in house.files(".Archive").values() for name in part)


def test_touched_secure_messages(house, rules):
    """Only those that somebody has read or flagged, or put somewhere; being marked by age is no touch."""
    rules.of_site = Aging(touched_secure=Term(30), new=Term(5))
    for _ in range(3):
        delivered(house, secure(house.count), number=house.count)
    house.inbox.store([1], "add", ["\\Answered"])
    house.inbox.move([2], house.account.folder("Archive"))
    assert [one.rule for one in age(house, 6)] == [Rule.NEW]
    assert {(one.folder, one.messages) for one in age(house, 31)} == {("INBOX", 1), ("Archive", 1)}
    assert uids(house, "INBOX") == [3] and age(house, 100) == []
    house.inbox.store([3], "remove", ["\\Seen"])
    house.inbox.store([3], "add", ["\\Seen", "\\Flagged"])
    assert [one.messages for one in age(house, 31)] == [1]


def test_recordings_expire(house, rules):
    """What a voice message says is replaced by a notice, in a message of its own that keeps header, flags and date."""
    rules.of_site = Aging(recording=Term(30))
    delivered(house, voice(1))
    delivered(house, message(2), number=1)
    house.append(house.inbox, octets=voice(3))
    house.inbox.store([1], "add", ["\\Flagged", "Work"])
    date = house.inbox.rows([1], ["date"])[0][1]
    before = house.account.usage()[0]
    assert age(house, 29) == []
    assert age(house, 1.1) == [Happened(ROBIN, "INBOX", Rule.RECORDING, 1, (trace_of(0),))]
    assert uids(house, "INBOX") == [2, 3, 4]
    octets = house.octets(house.inbox, 4)
    assert is_expired(octets) and b"RIFF" not in octets and b"Subject: number 1\r\n" in octets
    assert flags_of(house.inbox)[4] == {"\\Flagged", "Work"} and house.inbox.rows([4], ["date"]) == [(4, date)]
    assert house.account.usage()[0] < before and house.account.used() in (0, house.account.usage()[0])
    assert house.account.deleted() == [] and age(house, 100) == []
    assert house.octets(house.inbox, 3) == voice(3)


def test_expired_recordings_stay_so(house, rules):
    """Also when the index was lost: a notice is not replaced by a notice about it."""
    rules.of_site = Aging(recording=Term(30))
    delivered(house, voice(1))
    assert len(age(house, 31)) == 1
    house.store.close()
    os.unlink(house.path("unitymail.index"))
    assert age(house, 31) == [] and len(uids(house, "INBOX")) == 1


@pytest.mark.parametrize("rule", ["deleted", "secure", "recording"])
def test_who_wants_to_know(house, rules, rule):
    """The sender who asked is told that the message was too old before it was heard; of one that was heard, nothing."""
    rules.of_site = Aging(**{rule: Term(10)})
    octets = {"secure": secure(1), "recording": voice(1, receipt=True)}.get(rule, voice(1, receipt=True))
    if rule == "secure":
        octets = voice(1, receipt=True).replace(b"secure=no", b"secure=yes")
    for number in range(2):
        delivered(house, octets, receipt=True, number=number)
    house.inbox.store([2], "add", ["\\Seen"])
    [debt] = house.account.owed()
    house.account.paid(debt.number)
    if rule == "deleted":
        house.inbox.move([1, 2], house.account.folder("Deleted Items"))
    told = []
    house.store.listen(told.append)
    assert [one.messages for one in age(house, 11)] == [2]
    [debt] = house.account.owed()
    assert (debt.kind, debt.trace) == ("expired", trace_of(0)) and any(news.owed for news in told)
    assert debt.header.startswith(b"Return-Path: <robin@vm1.example.com>")


def test_marked_by_age_is_not_heard(house, rules):
    """No receipt says that it was read; when it goes, its sender learns that it was not."""
    rules.of_site = Aging(new=Term(10))
    for number in range(2):
        delivered(house, voice(1, receipt=True), receipt=True, number=number)
    seen = []
    house.store.listen(seen.append)
    age(house, 11)
    assert flags_of(house.inbox) == {1: {"\\Seen"}, 2: {"\\Seen"}}
    assert house.account.owed() == [] and not any(news.seen for news in seen)
    house.inbox.store([1], "add", ["\\Deleted"])
    house.inbox.expunge()
    assert [debt.kind for debt in house.account.owed()] == ["deleted"]
    rules.of_site = Aging(saved=Term(10), deleted=Term(10))
    age(house, 11)
    age(house, 11)
    assert [debt.kind for debt in house.account.owed()] == ["deleted", "expired"]


def test_nobody_opens_it(house, rules):
    """An account whose user never comes is visited, and left closed; one that is left out is not."""
    rules.of_site = Aging(deleted=Term(15))
    in_bin(house, 1)
    for name in ("u-chris", "u-out"):
        account = house.store.account(name)
        _, path = account.new_file()
        account.folder("Deleted Items").append(path, [], None)
    rules.left_out.add("u-out")
    house.reopen()
    assert {one.account for one in age(house, 16)} == {ROBIN, "u-chris"}
    assert len(house.store._open) == 0
    assert list(house.store.account("u-out").folder("Deleted Items").refresh().uids) == [1]


def test_no_needless_visits(house, rules, monkeypatch):
    """An account in which nothing can be due is not opened again until something may be."""
    visits = []
    monkeypatch.setattr(rounds, "visiting", lambda account, aging: visits.append(account.id) or
                        aging_module.visiting(account, aging))  # fmt: skip
    rules.of_site = Aging(deleted=Term(15))
    age(house)
    in_bin(house, 1)
    for _ in range(14):
        age(house, 1)
    assert visits == [ROBIN]
    assert [one.messages for one in age(house, 1.1)] == [1]
    assert visits == [ROBIN, ROBIN]
    rules.of_site = Aging(deleted=Term(14))
    age(house)
    assert visits == [ROBIN] * 3


def test_rules_that_change_begin_at_once(house, rules):
    """Without waiting for the next round."""
    in_bin(house, 1)
    assert age(house, 20) == []
    rules.of_site = Aging(deleted=Term(30))
    assert age(house) == []
    rules.of_site = Aging(deleted=Term(15))
    assert [one.messages for one in age(house)] == [1]


def test_a_little_at_a_time(house, rules, monkeypatch):
    """Many messages are dealt with in steps; each can be the last of a turn."""
    monkeypatch.setattr(aging_module, "PAGE", 3)
    rules.of_site = Aging(deleted=Term(15))
    in_bin(house, *range(8))
    house.now.ahead += 16 * DAY
    counts = []
    for one in aging_module.visiting(house.account, rules.of_site):
        assert house.account.access._depth == 0
        counts += [one.messages] if one is not None else []
    assert counts == [3, 3, 2]


def test_two_processes(house, rules):
    """Another process that has the mailbox open sees what went; both at it do it once."""
    rules.of_site = Aging(deleted=Term(15), saved=Term(15))
    in_bin(house, 1, 2)
    house.append(house.inbox, ["\\Seen"])
    other = house.open()
    try:
        there = other.account(ROBIN).folder("Deleted Items")
        assert list(there.refresh().uids) == [1, 2]
        house.now.ahead += 3601
        house.store.settle()
        house.now.ahead += 16 * DAY
        news = [*house.store.age(60), *other.age(60)]
        assert sorted((one.folder, one.messages) for one in news) == [("Deleted Items", 2), ("INBOX", 1)]
        assert list(there.refresh().uids) == [3] == uids(house, "Deleted Items")
        assert there.vanished_since(0) == [1, 2]
    finally:
        other.close()


def test_changed_meanwhile(house, rules, monkeypatch):
    """What a client does between the look and the deed counts: the message is not as it was judged."""
    rules.of_site = Aging(deleted=Term(15))
    in_bin(house, 1, 2)
    other = house.open()
    there = other.account(ROBIN).folder("Deleted Items")
    there.refresh()
    carry_out = aging_module.aged_out.carry_out

    def late(folder, index, rule, messages):
        there.store([1], "add", ["\\Flagged"])
        return carry_out(folder, index, rule, messages)

    monkeypatch.setattr(aging_module.aged_out, "carry_out", late)
    try:
        assert [one.messages for one in age(house, 16)] == [1]
        assert uids(house, "Deleted Items") == [1]
        monkeypatch.undo()
        assert [one.messages for one in age(house, 0.1)] == [1]
    finally:
        other.close()


def test_files_that_another_program_takes_away(house, rules, monkeypatch):
    """While they are looked into: the rest of the folder is gone through all the same."""
    monkeypatch.setattr(aging_module, "READ_AT_ONCE", 2)
    rules.of_site = Aging(secure=Term(10))
    for number in range(5):
        house.append(house.inbox, octets=secure(number))
    age(house, 1)
    learn = aging_module.ages.learn

    def taken(folder, index, messages):
        if messages and messages[0].id & 0xFFFF == 1:
            os.unlink(house.path("cur", house.files()["cur"][0]))
            folder.look(index, thoroughly=True)
        learn(folder, index, messages)

    monkeypatch.setattr(aging_module.ages, "learn", taken)
    assert sum(one.messages for one in age(house, 10)) == 4
    assert uids(house, "INBOX") == []


def test_alerts(house, rules):
    """The user is told once of what is about to go, and of what came since a day later at most."""
    rules.of_site = Aging(deleted=Term(15, 3))
    in_bin(house, 1, 2)
    moment = house.now()
    assert age(house, 11.9) == []
    [warned] = age(house, 0.2)
    assert isinstance(warned, Warned) and warned.account == ROBIN
    [alert] = warned.alerts
    assert (alert.rule, alert.messages) == (Rule.DELETED, 2)
    assert moment - 5 + 15 * DAY <= alert.first <= house.now() + 3 * DAY
    house.store.alerted(ROBIN, warned.at)
    assert age(house, 0.5) == []
    in_bin(house, 3)
    assert [one.messages for one in age(house, 2.5)] == [2]
    assert age(house, 9) == []
    [warned] = age(house, 0.7)
    assert [alert.messages for alert in warned.alerts] == [1]


def test_an_alert_that_was_not_sent(house, rules):
    """Is given again, the same one, also by another process; a sent one is not, whoever is started anew."""
    rules.of_site = Aging(deleted=Term(15, 3), new=Term(15, 3))
    in_bin(house, 1)
    house.append(house.inbox)
    [warned] = age(house, 13)
    assert {alert.rule for alert in warned.alerts} == {Rule.DELETED, Rule.NEW}
    house.crash()
    assert age(house) == [warned]
    house.store.alerted(ROBIN, warned.at)
    house.reopen()
    assert age(house) == []


def test_trouble_with_one_account(house, rules):
    """Others are visited nevertheless; the trouble is raised once there is nothing else to tell."""
    rules.of_site = Aging(deleted=Term(15))
    in_bin(house, 1)
    house.store.account("u-chris")
    house.reopen()
    broken = os.path.join(house.root, "u-chris", "unitymail.lock")
    os.unlink(broken)
    os.mkdir(broken)
    house.now.ahead += 16 * DAY
    assert [one.account for one in house.store.age(60)] == [ROBIN]
    with pytest.raises(Exception, match=r"unitymail\.lock"):
        house.store.age(60)
    assert house.store.age(60) == []


def test_an_index_of_the_version_before(house, rules):
    """Gets what aging needs; nothing that it held goes until the days are over from then on."""
    in_bin(house, 1)
    house.store.close()
    with closing(sqlite3.connect(house.path("unitymail.index"))) as index:
        for table in ("moments", "bins", "marked_by_age", "recordings", "alerts"):
            index.execute(f"DROP TABLE {table}")
        index.execute("UPDATE facts SET saved = saved - ?", (100 * DAY,))
        index.execute("PRAGMA user_version = 2")
        index.commit()
    rules.of_site = Aging(deleted=Term(15), new=Term(1))
    assert age(house) == [] and age(house, 14) == []
    assert [one.messages for one in age(house, 1.1)] == [1]


def test_moments_are_few(house):
    """One an hour while there are changes, and one a day of what is long past."""
    for _ in range(50):
        house.append(house.inbox)
        house.now.ahead += 3700
        house.store.settle()
    with house.account.access.using() as index:
        assert 50 <= index.one("SELECT count(*) FROM moments")[0] <= 53
    house.now.ahead += 40 * DAY
    house.store.settle()
    with house.account.access.using() as index:
        assert index.one("SELECT count(*) FROM moments")[0] <= 5


def test_nothing_to_come(house, rules):
    """A visit says when to come again: never sooner than something can be due."""
    rules.of_site = Aging(deleted=Term(15), secure=Term(40))
    in_bin(house, 1)
    [outlook] = [one.value for one in [Ended(aging_module.visiting(house.account, rules.of_site))]]
    assert house.now() + 14.9 * DAY < outlook.next <= house.now() + 15 * DAY and outlook.warned is None
    assert outlook.next < inf


class Ended:
    """What a generator gives at its end."""

    def __init__(self, steps):
        while True:
            try:
                next(steps)
            except StopIteration as end:
                self.value = end.value
                return


@pytest.mark.parametrize("rule", ["saved", "deleted", "recording"])
def test_interrupted_at_every_step(make_house, rules, rule):
    """Whenever the process ends, the message is there once or has gone as it should; the next visit does the rest."""
    steps = 0
    while True:
        disk = Failing(steps)
        rules.of_site = NOTHING_AGES
        house = make_house(aging=rules)
        name = {"deleted": "Deleted Items"}.get(rule, "INBOX")
        before = len(uids(house, "INBOX")) + len(uids(house, "Deleted Items"))
        if rule == "recording":
            delivered(house, voice(steps), number=steps)
        else:
            house.append(house.account.folder(name), ["\\Seen"], message(steps))
        age(house, 20)
        rules.of_site = Aging(**{rule: Term(10)})
        house.crash(disk)
        with suppress(Exception):
            house.store.age(60)
        house.crash()
        there = len(uids(house, "INBOX")) + len(uids(house, "Deleted Items"))
        assert there == before + 1 or (rule == "deleted" and there == before and house.account.deleted())
        while house.store.age(60):
            continue
        house.store.settle()
        assert all(is_expired(house.octets(house.inbox, uid)) for uid in uids(house, "INBOX"))
        assert len(uids(house, "Deleted Items")) == {"saved": steps + 1}.get(rule, 0)
        assert len(uids(house, "INBOX")) == {"recording": steps + 1}.get(rule, 0)
        house.close()
        if disk.left:
            return
        steps += 1
