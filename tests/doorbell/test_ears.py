"""Who listens to what in a process, as the others see it."""

import os
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.doorbell.ears import GROUPS, Ears, OwnEars, _group


@pytest.fixture
def path():
    with tempfile.TemporaryDirectory() as folder:
        yield os.path.join(folder, "bell-1.ears")


def test_who_listens_is_seen_at_once_until_the_last_one_stops(path):
    """Two clients read one mailbox: it is rung for until both are gone. Nobody else's is."""
    own = OwnEars()
    own.open(path)
    seen = Ears(path)
    assert not seen.hear("robin")
    own.listen("robin")
    own.listen("robin")
    assert seen.hear("robin") and not seen.hear("chris")
    own.forget("robin")
    assert seen.hear("robin")
    own.forget("robin")
    assert not seen.hear("robin")


def test_listeners_that_came_before_the_bell_are_shown(path):
    """Nobody is missed who listened while the process began."""
    own = OwnEars()
    own.listen("robin")
    own.open(path)
    assert Ears(path).hear("robin") and not Ears(path).hear("chris")


@given(accounts=st.lists(st.text(), max_size=20, unique=True), gone=st.integers(0, 20))
def test_nobody_who_listens_is_ever_passed_by(accounts, gone):
    """Whatever the accounts are called, and whoever of the same group has gone."""
    with tempfile.TemporaryDirectory() as folder:
        own = OwnEars()
        own.open(f"{folder}/ears")
        for account in accounts:
            own.listen(account)
        for account in accounts[:gone]:
            own.forget(account)
        seen = Ears(f"{folder}/ears")
        assert all(seen.hear(account) for account in accounts[gone:])
        if not accounts[gone:]:
            assert not any(seen.hear(account) for account in accounts)


def test_two_of_one_group(path):
    """When one of them goes, the other is still rung for."""
    group = _group("a0")
    other = next(name for name in (f"b{n}" for n in range(GROUPS * 20)) if _group(name) == group)
    own = OwnEars()
    own.open(path)
    own.listen("a0")
    own.listen(other)
    own.forget("a0")
    assert Ears(path).hear(other)


def test_where_nothing_is_shown_everything_is_told(path):
    """A neighbour of an earlier version, and whatever else may lie in the place of the file."""
    assert Ears(path).hear("robin")
    with open(path, "wb") as file:
        file.write(b"short")
    assert Ears(path).hear("robin")
    os.unlink(path)
    os.mkfifo(path)
    assert Ears(path).hear("robin")
    os.unlink(path)
    os.symlink("/dev/zero", path)
    assert Ears(path).hear("robin")


def test_a_disk_that_has_no_room(path, monkeypatch):
    """Listening goes on, and nothing is left that would say that nobody does."""
    monkeypatch.setattr(os, "write", lambda fd, octets: 100)
    own = OwnEars()
    own.open(path)
    own.listen("robin")
    assert not os.path.exists(path) and Ears(path).hear("robin")


def test_what_a_process_of_the_same_number_left_is_not_believed(path):
    """The new process begins deaf, with a file of its own; the old one ends with the process that it was of."""
    before = OwnEars()
    before.open(path)
    before.listen("robin")
    old, own = Ears(path), OwnEars()
    own.open(path)
    assert old.hear("robin") and not Ears(path).hear("robin")
    own.close()
    assert not os.path.exists(path)
