"""Snapshots brought up to date equal snapshots loaded anew."""

import random

import pytest

from unitymail.store import snapshots


def parts(snapshot):
    return (
        snapshot.uidvalidity, snapshot.uidnext, snapshot.highest_modseq, list(snapshot.uids), list(snapshot.modseqs),
        [snapshot.combinations[number] for number in snapshot.flags], snapshot.keywords,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_updating_equals_loading(house, seed):
    """After any changes, the snapshot updated step by step is the one that a new process loads."""
    chance = random.Random(seed)
    inbox = house.inbox
    for _ in range(40):
        uids = list(inbox.refresh().uids)
        some = chance.sample(uids, chance.randint(0, len(uids)))
        what = chance.choice(["deliver", "store", "expunge", "copy"])
        if what == "deliver":
            house.deliver(chance.randint(1, 30))
        elif what == "store":
            inbox.store(some, chance.choice(["add", "remove"]), chance.sample(["\\Seen", "\\Flagged", "x", "y"], 2))
        elif what == "copy":
            inbox.copy(some[:5], inbox)
        else:
            inbox.store(some, "add", ["\\Deleted"])
            inbox.expunge()
        with inbox.access.using() as index:
            row = snapshots.read_row(index, "WHERE id = ?", inbox.row.id)
            assert parts(inbox.refresh()) == parts(snapshots.from_rows(index, inbox.row, 1)) and row is not None
            assert inbox.account.usage()[1] == len(inbox.snapshot.uids)
    house.store.settle()
    before = parts(inbox.refresh())
    house.reopen()
    assert parts(house.inbox.refresh()) == before


def test_packed(house):
    """A large folder opens from its packed form, with what changed since it was packed."""
    house.deliver(600)
    house.inbox.refresh()
    house.inbox.store([5], "add", ["\\Seen"])
    house.reopen()
    inbox = house.inbox
    inbox.store([6, 7], "add", ["\\Deleted"])
    inbox.expunge([7])
    house.deliver(1)
    before = parts(inbox.refresh())
    house.crash()
    with house.inbox.access.using() as index:
        assert snapshots.packed_modseq(index, house.inbox.row.id) < before[2]
    again = house.inbox.refresh()
    assert parts(again)[3:] == before[3:] and 7 not in again.uids and len(again.uids) == 600
