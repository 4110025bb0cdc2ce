"""An account: its subscriptions, its totals, and ids that name none."""

import os

import pytest

from tests.store.house import message
from unitymail.interfaces.errors import Never


def test_subscriptions(house):
    """Any name can be subscribed, existing or not; a lost index does not lose them."""
    house.account.subscribe("not/there.yet", True)
    house.account.subscribe("Junk", False)
    house.account.subscribe("inbox", True)
    house.reopen()
    os.unlink(house.path("unitymail.index"))
    assert "not/there.yet" in house.account.subscriptions() and "Junk" not in house.account.subscriptions()
    assert not next(info for info in house.account.folders() if info.name == "Junk").subscribed


@pytest.mark.parametrize("id", ["", ".", "..", "a/b", ".hidden", "a\0b"])
def test_ids_that_cannot_be(house, id):
    """An id never leads outside the store."""
    with pytest.raises(Never):
        house.store.account(id)
    with pytest.raises(Never):
        house.store.deliver(id, "source", "name")


def test_usage(house):
    """Octets and messages of all folders, new mail included; what is expunged no longer counts."""
    house.deliver(2)
    house.append(house.account.folder("Sent"), ["\\Deleted"], message(0))
    size = len(message(0))
    assert house.account.usage() == (3 * size, 3)
    house.account.folder("Sent").expunge()
    assert house.account.usage() == (2 * size, 2)
