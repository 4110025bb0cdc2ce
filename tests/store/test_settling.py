"""Files follow the index."""

import os
import shutil

from tests.store.house import flags_of
from unitymail.disk import Disk


def test_letters_follow_flags(house):
    """System flags and $Forwarded become letters; keywords stay in the index; new/ empties into cur/."""
    names = house.deliver(3)
    house.inbox.refresh()
    assert house.files() == {"new": names, "cur": []}
    house.inbox.store([1], "add", ["\\Seen", "\\Answered", "\\Draft", "$Forwarded", "Work"])
    assert house.store.settle() == 3
    assert house.files() == {"new": [], "cur": [names[0] + ":2,DPRS", names[1] + ":2,", names[2] + ":2,"]}
    assert house.store.settle() == 0


def test_a_folder_that_was_removed_holds_nothing_up(house, monkeypatch):
    """Files that were to leave a folder which somebody removed have left with it; those of other folders follow."""
    monkeypatch.setattr("unitymail.store.settling.BATCH", 3)
    for folder in (house.account.folder("Archive"), house.account.folder("Sent")):
        for _ in range(5):
            house.append(folder, ["\\Deleted"])
        folder.expunge()
    shutil.rmtree(house.path(".Archive"))
    assert house.store.settle() == 5
    assert house.files(".Sent") == {"new": [], "cur": []} and len(os.listdir(house.path("undelete"))) == 5
    with house.account.access.using() as index:
        assert index.all("SELECT * FROM expunged WHERE base IS NULL") == []


def test_closing_settles(house):
    """Names that were waiting follow when the account is closed."""
    house.append(house.inbox)
    house.inbox.store([1], "add", ["\\Flagged"])
    house.account.close()
    assert house.files()["cur"][0].endswith(":2,F")


def test_a_crash_leaves_the_list(house):
    """Names that had not followed when the process ended follow later, and nothing is mistaken for foreign."""
    house.deliver(2)
    house.inbox.refresh()
    house.inbox.store([1], "add", ["\\Seen"])
    house.crash()
    before = house.inbox.refresh()
    house.store.settle()
    assert house.files()["cur"][0].endswith(":2,S") and house.files()["new"] == []
    assert house.inbox.refresh().modseqs == before.modseqs
    assert flags_of(house.inbox) == {1: frozenset({"\\Seen"}), 2: frozenset()}


def test_a_crash_between_names_and_rows(house):
    """A rename that happened before the crash, unrecorded, changes no flag when it is seen again."""
    house.append(house.inbox)
    house.inbox.store([1], "add", ["\\Seen"])
    name = house.files()["cur"][0]
    os.rename(house.path("cur", name), house.path("cur", name + "S"))
    house.crash()
    before = house.inbox.snapshot
    assert flags_of(house.inbox) == {1: frozenset({"\\Seen"})}
    assert house.inbox.snapshot.modseqs == before.modseqs
    house.store.settle()
    assert house.files()["cur"] == [name + "S"]


def test_the_name_in_cur_is_durable_before_new_loses_it(make_house):
    """Out of new/: link, flush of cur/, unlink, in that order, so that no flush of new/ can lose the message."""
    calls = []

    class Recording(Disk):
        def link(self, source, target):
            calls.append(("link", os.path.basename(os.path.dirname(target))))
            super().link(source, target)

        def flush_directory(self, path):
            calls.append(("flush", os.path.basename(path)))
            super().flush_directory(path)

        def unlink(self, path):
            calls.append(("unlink", os.path.basename(os.path.dirname(path))))
            super().unlink(path)

    house = make_house(disk=Recording())
    house.deliver(2)
    house.inbox.refresh()
    calls.clear()
    house.store.settle()
    assert calls == [("link", "cur"), ("link", "cur"), ("flush", "cur"), ("unlink", "new"), ("unlink", "new")]


def test_what_is_expunged_goes_aside(house):
    """Expunged files go where no client sees them; with undelete_days = 0 they go for good; moved ones too."""
    for _ in range(2):
        house.append(house.inbox, ["\\Deleted"])
    house.inbox.move([2], house.account.folder("Archive"))
    house.inbox.expunge()
    house.store.settle()
    assert house.files()["cur"] == [] and len(os.listdir(house.path("undelete"))) == 1


def test_nothing_is_kept_when_nothing_is_to_be_undeleted(make_house):
    """With undelete_days = 0 an expunged file is removed."""
    house = make_house(undelete_days=0)
    house.append(house.inbox, ["\\Deleted"])
    house.inbox.expunge()
    house.store.settle()
    assert house.files()["cur"] == [] and not os.path.exists(house.path("undelete"))
    assert house.account.deleted() == []
