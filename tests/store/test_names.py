"""Folder names and the directories that stand for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.interfaces.store import BadFolderName
from unitymail.store.names import canonical, checked, decoded_level, directory_of, encoded_level, name_of

TABLE = [
    ("INBOX", ""),
    ("Drafts", ".Drafts"),
    ("Deleted Items", ".Deleted Items"),
    ("v1.2", ".v1&AC4-2"),
    ("a/b.c", ".a.b&AC4-c"),
    ("été", ".&AOk-t&AOk-"),
    ("..", ".&AC4ALg-"),
    (".", ".&AC4-"),
    ("~home", ".&AH4-home"),
    ("a~b", ".a~b"),
    ("a/~b", ".a.&AH4-b"),
    ("R&D", ".R&-D"),
    ("INBOX/Sub", ".INBOX.Sub"),
    ("日本語", ".&ZeVnLIqe-"),
    ("😀", ".&2D3eAA-"),
]


@pytest.mark.parametrize(("name", "directory"), TABLE)
def test_directory_of_a_name(name, directory):
    """Each level is modified UTF-7 with dots and a leading tilde encoded, and comes back as it was."""
    assert directory_of(name) == directory
    assert name_of(directory) == name


@pytest.mark.parametrize(
    "name", ["", "/", "a//b", "/a", "a/", "a\0b", "a\nb", "a\x7f", "\ud800", "x" * 256, "é" * 128, "/".join("a" * 21)]
)
def test_names_that_cannot_be(name):
    """Empty levels, control characters, over 255 octets and over 20 levels are refused with a reason."""
    with pytest.raises(BadFolderName) as caught:
        checked(name)
    assert "folder" in str(caught.value)


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "." * 255, "/".join("é" * 20), "日" * 85])
def test_longest_names_fit_a_directory(name):
    """A name of 255 octets always has a directory that file systems take; a digest stands for what does not fit."""
    directory = directory_of(checked(name))
    assert len(directory) <= 255
    assert name_of(directory) in (name, None)


def test_inbox_is_case_blind():
    """`inbox` is INBOX, alone and as the first level; other names keep their case."""
    assert [canonical(name) for name in ("inbox", "Inbox/x", "inboxes", "a/inbox")] == [
        "INBOX", "INBOX/x", "inboxes", "a/inbox",
    ]  # fmt: skip


@pytest.mark.parametrize("directory", ["cur", "new", "..", ".a..b", ".", ".~0123", ".a&AAo-b"])
def test_directories_that_are_no_folders(directory):
    """Parts of a Maildir, empty levels, digests and control characters give no name."""
    assert name_of(directory) is None


@pytest.mark.parametrize("level", ["caf\u00e9", "a&b", "&AC8-", "&A-", "&!!!!-"])
def test_foreign_levels_are_shown_as_they_are(level):
    """A level that is not modified UTF-7, or that hides a slash, is shown raw."""
    assert decoded_level(level) == level


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/"), min_size=1))
def test_levels_come_back(level):
    """Whatever a level holds, it comes back, and its directory form has neither dot nor slash nor leading tilde."""
    encoded = encoded_level(level)
    assert decoded_level(encoded) == level
    assert encoded.isascii() and "." not in encoded and "/" not in encoded and not encoded.startswith("~")
