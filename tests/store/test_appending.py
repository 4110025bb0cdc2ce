"""Several messages appended as one, and one in place of another: what is there afterwards, and what is not."""

import errno
import os

import pytest

from tests.store.house import flags_of, message
from tests.store.test_intents import Failing, PowerGone, subjects
from unitymail.interfaces.errors import Never, TryAgain
from unitymail.interfaces.store import NoSuchFolder, NoSuchMessage, OverQuota, TooManyKeywords


def files_for(house, *numbers, body=b"Hello\r\n"):
    """Finished files, as APPEND leaves them."""
    paths = []
    for number in numbers:
        descriptor, path = house.account.new_file()
        os.write(descriptor, message(number, body))
        os.close(descriptor)
        paths.append(path)
    return paths


def gone(paths):
    return not any(map(os.path.exists, paths))


def test_several(house):
    """They get their UIDs in the order given, each with its own flags and date; none of the files stays behind."""
    paths = files_for(house, 1, 2, 3)
    given = [(paths[0], ["\\Seen"], None), (paths[1], ["work"], 1_000_000_000.0), (paths[2], [], None)]
    assert house.inbox.append_all(given) == [1, 2, 3]
    assert subjects(house, house.inbox) == ["NUMBER 1", "NUMBER 2", "NUMBER 3"]
    assert flags_of(house.inbox) == {1: {"\\Seen"}, 2: {"work"}, 3: frozenset()}
    assert house.inbox.rows([2], ["internaldate"])[0][1] == b'" 9-Sep-2001 01:46:40 +0000"'
    assert gone(paths)
    assert house.account.usage()[1] == 3


@pytest.mark.parametrize(
    ("flags", "refusal"), [([f"keyword{n}" for n in range(201)], TooManyKeywords), (["two words"], Never)]
)
def test_one_cannot_be_had(house, flags, refusal):
    """When one of several is refused, none is there, and the caller keeps its files."""
    paths = files_for(house, 1, 2)
    with pytest.raises(refusal):
        house.inbox.append_all([(paths[0], [], None), (paths[1], flags, None)])
    assert list(house.inbox.refresh().uids) == []
    assert all(map(os.path.exists, paths))


def test_they_are_too_many_together(house, monkeypatch):
    """What each alone has room for may be too much together."""
    monkeypatch.setattr(house.account, "_quota", lambda account: 3 * len(message(1)) - 1)
    paths = files_for(house, 1, 2, 3)
    with pytest.raises(OverQuota):
        house.inbox.append_all([(path, [], None) for path in paths])
    assert list(house.inbox.refresh().uids) == []
    assert house.inbox.append_all([(path, [], None) for path in paths[:2]]) == [1, 2]


def test_replaced(house):
    """The new message is there, the old one is not; what it does to the other folder is told to who looks there."""
    house.append(house.inbox, ["\\Draft"], octets=message(1))
    before = house.inbox.refresh().highest_modseq
    (path,) = files_for(house, 2)
    assert house.inbox.replace(1, path, ["\\Draft", "\\Seen"], None, house.inbox) == 2
    assert subjects(house, house.inbox) == ["NUMBER 2"]
    assert flags_of(house.inbox) == {2: {"\\Draft", "\\Seen"}}
    assert house.inbox.vanished_since(before) == [1]
    assert house.account.usage() == (len(message(2)), 1)
    house.store.settle()
    assert [sorted(house.files()[part]) for part in ("new",)] == [[]]
    assert len(house.files()["cur"]) == 1


def test_replaced_in_another_folder(house):
    """A draft becomes what was sent: gone here, there over there."""
    drafts, sent = house.account.folder("Drafts"), house.account.folder("Sent")
    house.append(drafts, ["\\Draft"], octets=message(1))
    (path,) = files_for(house, 2)
    assert drafts.replace(1, path, ["\\Seen"], 1_000_000_000.0, sent) == 1
    assert subjects(house, drafts) == [] and subjects(house, sent) == ["NUMBER 2"]
    assert sent.rows([1], ["internaldate"])[0][1] == b'" 9-Sep-2001 01:46:40 +0000"'


def test_the_room_of_the_old_one_counts(house, monkeypatch):
    """In a full mailbox a draft can still be saved in place of the one before; a larger one cannot."""
    house.append(house.inbox, octets=message(1))
    monkeypatch.setattr(house.account, "_quota", lambda account: len(message(1)) + 2)
    small, large = *files_for(house, 2), *files_for(house, 3, body=b"longer than before\r\n")
    assert house.inbox.replace(1, small, [], None, house.inbox) == 2
    with pytest.raises(OverQuota):
        house.inbox.replace(2, large, [], None, house.inbox)
    assert subjects(house, house.inbox) == ["NUMBER 2"]
    assert os.path.exists(large)


def test_nothing_to_replace(house):
    """When the old message is gone nothing is appended, and the file stays the caller's."""
    (path,) = files_for(house, 1)
    with pytest.raises(NoSuchMessage):
        house.inbox.replace(7, path, [], None, house.inbox)
    assert os.path.exists(path) and list(house.inbox.refresh().uids) == []


def test_the_target_is_deleted_meanwhile(house):
    """A folder that somebody else deleted takes nothing, and the old message stays."""
    house.append(house.inbox, octets=message(1))
    target = house.account.create("Going")
    house.account.delete("Going")
    (path,) = files_for(house, 2)
    with pytest.raises(NoSuchFolder):
        house.inbox.replace(1, path, [], None, target)
    assert subjects(house, house.inbox) == ["NUMBER 1"]
    assert os.path.exists(path)


def test_the_old_one_can_be_brought_back(house):
    """What was replaced is where expunged messages are."""
    house.append(house.inbox, octets=message(1))
    (path,) = files_for(house, 2)
    house.inbox.replace(1, path, [], None, house.inbox)
    house.store.settle()
    (deleted,) = house.account.deleted()
    assert house.account.undelete([deleted.id]) == 1
    assert subjects(house, house.inbox) == ["NUMBER 1", "NUMBER 2"]


@pytest.mark.parametrize("error", [OSError(errno.EIO, "injected"), PowerGone()])
def test_files_stay_the_callers_until_all_is_done(house, error):
    """A disk that fails while names are moved gives every file back; a process that ends then leaves no half."""
    for at in range(1, 12):
        paths = files_for(house, 1, 2)
        failing = Failing()
        house.account.disk = failing
        failing.calls, failing.at, failing.error = 0, at, error
        try:
            house.inbox.append_all([(path, [], None) for path in paths])
            break
        except (TryAgain, PowerGone):
            house.crash()
            assert subjects(house, house.inbox) in ([], ["NUMBER 1", "NUMBER 2"]), at
            if isinstance(error, OSError):
                assert all(map(os.path.exists, paths)), at
    else:
        raise AssertionError("it never came to an end")
