"""An account: its subscriptions, its totals, and ids that name none."""

import os

import pytest

from tests.store.house import message
from unitymail.interfaces.errors import Never
from unitymail.interfaces.store import BadFolderName, TooManySubscriptions


def test_subscriptions(house):
    """Any name can be subscribed, existing or not; a lost index does not lose them."""
    house.account.subscribe("not/there.yet", True)
    house.account.subscribe("Junk", False)
    house.account.subscribe("inbox", True)
    house.reopen()
    os.unlink(house.path("unitymail.index"))
    assert "not/there.yet" in house.account.subscriptions() and "Junk" not in house.account.subscriptions()
    assert not next(info for info in house.account.folders() if info.name == "Junk").subscribed


@pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "a//b", "x" * 256])
def test_names_that_cannot_be_subscribed(house, name):
    """A name that no folder can have is refused; it can be unsubscribed, should it be there from before."""
    with pytest.raises(BadFolderName):
        house.account.subscribe(name, True)
    house.account.subscribe(name, False)


def test_many_subscriptions(house, monkeypatch):
    """They are bounded, with a refusal that says what to do; then one may take the place of another."""
    monkeypatch.setattr("unitymail.store.account.MAX_SUBSCRIPTIONS", len(house.account.subscriptions()) + 1)
    house.account.subscribe("one", True)
    with pytest.raises(TooManySubscriptions, match="please unsubscribe some"):
        house.account.subscribe("two", True)
    house.account.subscribe("one", True)
    house.account.subscribe("one", False)
    house.account.subscribe("two", True)
    assert "two" in house.account.subscriptions()


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
