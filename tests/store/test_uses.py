"""Special uses: each is one folder's, and a folder may have several."""

import os

import pytest

from unitymail.interfaces.store import NoSuchFolder, UseNotPossible
from unitymail.store.uses import checked


def uses(house):
    return {info.name: info.special_use for info in house.account.folders() if info.special_use}


@pytest.mark.parametrize(("asked", "found"), [
    ("", ""), ("\\sent", "\\Sent"), ("\\Trash \\DRAFTS", "\\Drafts \\Trash"), ("\\Junk \\junk", "\\Junk"),
])  # fmt: skip
def test_spelling(asked, found):
    """In their usual case and order, each once."""
    assert checked(asked) == found


@pytest.mark.parametrize("asked", ["\\All", "\\Flagged \\Sent", "Sent", "\\Important", "\\"])
def test_uses_that_we_do_not_have(asked):
    """We present no mailbox of all messages, and make up no uses; the reason names those that can be had."""
    with pytest.raises(UseNotPossible, match="Archive"):
        checked(asked)


def test_given_away(house):
    """Who is made for a use takes it from who had it, and only that."""
    house.account.create("Both", "\\Sent \\Drafts")
    house.account.create("New", "\\Sent")
    assert uses(house) == {
        "Both": "\\Drafts", "New": "\\Sent", "Deleted Items": "\\Trash", "Junk": "\\Junk", "Archive": "\\Archive",
    }
    house.reopen()
    assert uses(house)["New"] == "\\Sent"


def test_a_use_that_cannot_be_creates_nothing(house):
    """No folder is left behind."""
    with pytest.raises(UseNotPossible):
        house.account.create("x/y", "\\All")
    assert not [info for info in house.account.folders() if info.name.startswith("x")]


def test_a_usual_name(house):
    """A folder of a special name made anew has its use back, unless another has it now."""
    house.account.delete("Sent")
    house.account.create("Sent")
    assert uses(house)["Sent"] == "\\Sent"
    house.account.create("Elsewhere", "\\Junk")
    house.account.delete("Junk")
    house.account.create("Junk")
    assert "Junk" not in uses(house)


def test_rename_keeps_it(house):
    """The use is the folder's, not the name's."""
    house.account.rename("Sent", "Gesendet")
    assert uses(house)["Gesendet"] == "\\Sent"
    house.account.create("Sent")
    assert "Sent" not in uses(house)


def test_every_folder_has_an_id(house):
    """LIST knows MAILBOXID, also of a folder that another program has just made; a mere parent has none."""
    house.account.create("a/b")
    house.account.delete("a")
    os.makedirs(os.path.join(house.account.access.directory, ".New", "cur"))
    infos = {info.name: info for info in house.account.folders()}
    assert infos["a"].mailboxid == ""
    for name in ("INBOX", "Sent", "a/b", "New"):
        assert infos[name].mailboxid == house.account.folder(name).id


def test_the_same_name_in_other_characters(house):
    """A name that nobody has stands for the same one in Unicode's form NFC; exactly the same name comes first."""
    house.account.create("Caf\u00e9")
    assert house.account.folder("Cafe\u0301").name == "Caf\u00e9"
    house.account.rename("Cafe\u0301", "Th\u00e9")
    house.account.delete("The\u0301")
    house.account.create("Cafe\u0301")
    house.account.create("Caf\u00e9")
    assert house.account.folder("Cafe\u0301").name == "Cafe\u0301"


def test_a_name_of_nothing(house):
    """The empty name is no folder."""
    with pytest.raises(NoSuchFolder):
        house.account.folder("")
