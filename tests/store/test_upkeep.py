"""The upkeep of accounts: what follows when, and who waits for whom."""

import os
import pathlib
import shutil
import threading

import pytest

from tests.store.house import message
from unitymail.disk import Disk
from unitymail.interfaces.store import NoSuchFolder
from unitymail.store import Store
from unitymail.store.quota import Usage


def test_sessions_work_between_batches(house, monkeypatch):
    """Many names follow in batches, and the account is free between two of them."""
    monkeypatch.setattr("unitymail.store.settling.BATCH", 3)
    house.deliver(8)
    house.inbox.refresh()
    house.inbox.store([1, 2, 3, 4], "add", ["\\Deleted"])
    house.inbox.expunge()
    held = []
    alone = house.account.access.alone

    def counting():
        held.append(1)
        return alone()

    house.account.access.alone = counting
    assert house.store.settle() == 8
    assert len(held) >= 4
    assert len(house.files()["cur"]) == 4 and len(os.listdir(house.path("undelete"))) == 4


def pending(house, *accounts):
    """Each account has a message whose file is to follow; their INBOXes."""
    inboxes = [house.store.account(account).folder("INBOX") for account in accounts]
    for account, inbox in zip(accounts, inboxes, strict=True):
        house.deliver(1, account=account)
        inbox.refresh()
    return inboxes


def test_one_in_trouble_keeps_nobody_waiting(house):
    """Whatever goes wrong with one account, the files of the others follow, and the trouble is told."""
    bad, *_ = pending(house, "u-a", "u-b", "u-c")

    def fails():
        raise NoSuchFolder(why="for the test")

    bad.account.settle_if_free = fails
    with pytest.raises(NoSuchFolder):
        house.store.settle()
    del bad.account.settle_if_free
    for account, waits in (("u-a", 1), ("u-b", 0), ("u-c", 0)):
        assert len(os.listdir(os.path.join(house.root, account, "new"))) == waits
    house.store.settle()
    assert os.listdir(os.path.join(house.root, "u-a", "new")) == []


def test_one_that_is_busy_is_left_for_the_next_time(house):
    """While a thread holds an account for long, the files of the others follow."""
    busy, _ = pending(house, "u-a", "u-b")
    held, done = threading.Event(), threading.Event()

    def hold():
        with busy.access.lock:
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    try:
        assert house.store.settle() == 1
        assert os.listdir(os.path.join(house.root, "u-b", "new")) == []
    finally:
        done.set()
        thread.join()
    assert house.store.settle() == 1


def test_settling_opens_nothing(make_house, monkeypatch):
    """An account that is closed while others are settled stays closed: it was settled when it was closed."""
    house = make_house()
    a, b = pending(house, "u-a", "u-b")
    settle = type(a.account).settle_if_free

    def and_close_the_other(account):
        b.account.close()
        return settle(account)

    monkeypatch.setattr(type(a.account), "settle_if_free", and_close_the_other)
    house.store.settle()
    assert a.access._index is not None and b.access._index is None
    assert os.listdir(os.path.join(house.root, "u-b", "new")) == []


def test_a_removed_account_is_closed(house):
    """When an administrator removes an account's directory, nothing of it stays open and nothing complains."""
    gone, _ = pending(house, "u-a", "u-b")
    shutil.rmtree(os.path.join(house.root, "u-a"))
    assert house.store.settle() == 1
    assert gone.access._index is None and len(house.store._open) == 1


def test_reindex(house):
    """Reindexing renders everything anew and keeps UIDs, flags and UIDVALIDITY."""
    house.deliver(2)
    house.inbox.refresh()
    before, _ = house.inbox.store([1], "add", ["Work"])
    assert house.account.reindex() == 2
    assert house.inbox.snapshot.uids == before.uids and house.inbox.snapshot.uidvalidity == before.uidvalidity
    assert len(house.inbox.rows([1, 2], ["envelope"])) == 2


def test_another_program_brings_mail(make_house, tmp_path):
    """What an import or an undelete of the command line adds counts against the quota within seconds."""
    house = make_house(usage=Usage(str(tmp_path / "usage"), Disk()))
    house.append(house.inbox, octets=message(1))
    before = house.account.used()
    assert before == len(message(1))
    house.store.settle()
    other = Store(house.root, disk=Disk(), now=house.now, host="cli.example")
    try:
        account = other.account("u-robin")
        _, path = account.new_file()
        with open(path, "wb") as file:
            file.write(message(2))
        account.folder("Archive").append(path, [], None)
    finally:
        other.close()
    house.store.settle()
    assert house.account.used() == before
    house.store.settle()
    assert house.account.used() == before + len(message(2))


def test_delivered_during_a_look(make_house, tmp_path):
    """What is delivered and counted while a folder is looked at stays counted, although that look did not see it."""
    usage = Usage(str(tmp_path / "usage"), Disk())
    house = make_house(usage=usage)
    house.append(house.inbox, octets=message(1))
    house.deliver(1)
    (letter,) = pathlib.Path(house.root).rglob("new/*")
    usage.add("u-robin", letter.stat().st_size)
    counted, begin, late = usage.used("u-robin"), house.disk.begin, []

    def meanwhile(connection, *, durable):
        if not late:
            late.append(usage.add("u-robin", 1_000))
        begin(connection, durable=durable)

    house.disk.begin = meanwhile
    house.inbox.refresh()
    assert late and usage.used("u-robin") == counted + 1_000
