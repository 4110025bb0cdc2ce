"""How many indexes are open, and what closing one lets go."""

import gc
import weakref

import pytest

from unitymail.store import open_indexes


def test_at_most_so_many_are_open(make_house):
    """Beyond the limit the least recently used index is closed, and opened again when asked; nobody notices."""
    house = make_house(max_open=3)
    folders = [house.store.account(f"u-{number}").folder("INBOX") for number in range(8)]
    for number in range(8):
        house.deliver(1, account=f"u-{number}")
    for _ in range(2):
        for folder in folders:
            assert list(folder.refresh().uids) == [1]
            assert len(house.store._open) <= 3
    open_ones = [folder for folder in folders if folder.access._index is not None]
    assert len(open_ones) <= 3


@pytest.mark.parametrize(("soft", "limit"), [(1_024, 128), (65_536, 256), (-1, 256), (4, 1)])
def test_descriptors_are_left_for_others(monkeypatch, soft, limit):
    """Where a process may open few files, fewer indexes are open: clients and messages need descriptors, too."""
    monkeypatch.setattr("resource.getrlimit", lambda which: (soft, soft))
    assert open_indexes.OpenIndexes()._limit == limit


def test_an_account_leaves_the_memory_with_its_index(make_house):
    """Closed to make room, an account that nobody uses is gone at once, collector or not; one in use stays itself."""
    house = make_house(max_open=2)
    gc.disable()
    try:
        used = house.inbox
        unused = weakref.ref(house.store.account("u-unused").folder("INBOX"))
        for number in range(4):
            house.store.account(f"u-{number}").folder("INBOX").refresh()
        assert unused() is None and "u-unused" not in house.store._accounts
        assert used.access._index is None
        assert house.inbox is used and house.deliver(1) and list(used.refresh().uids) == [1]
    finally:
        gc.enable()
