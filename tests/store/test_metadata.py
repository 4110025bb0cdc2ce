"""Annotations in the index: what there is, how much there may be, what is remembered, and an older index."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.disk import Disk
from unitymail.imap.annotation import covers
from unitymail.interfaces.store import (
    MAX_METADATA_ENTRIES,
    MAX_METADATA_OCTETS,
    MAX_METADATA_TOTAL,
    MetadataTooLong,
    NoSuchFolder,
    TooMuchMetadata,
)
from unitymail.store import metadata
from unitymail.store.index import FILE, Index
from unitymail.store.schema import FOR_EXTENSIONS, STATEMENTS, VERSION


def test_private_to_each(house):
    """A folder's are not another's, nor the account's."""
    house.account.set_metadata("INBOX", {"/private/comment": b"inbox"})
    house.account.set_metadata("", {"/private/comment": b"account"})
    assert house.account.metadata("INBOX", ["/private/comment"]) == {"/private/comment": b"inbox"}
    assert house.account.metadata("", ["/private/comment"]) == {"/private/comment": b"account"}
    assert house.account.metadata("Sent", ["/private/comment"]) == {}
    for use in (lambda: house.account.metadata("Nowhere", ["/private/x"]),
                lambda: house.account.set_metadata("Nowhere", {"/private/x": b""})):
        with pytest.raises(NoSuchFolder):
            use()


def test_durable(house):
    """What was set is there after a restart; an empty value is a value."""
    house.account.set_metadata("Sent", {"/private/a": b"", "/shared/b": bytes(range(256))})
    house.reopen()
    found = house.account.metadata("Sent", ["/private", "/shared"], "1")
    assert found == {"/private/a": b"", "/private/specialuse": b"\\Sent", "/shared/b": bytes(range(256))}


def test_rename_and_delete(house):
    """They follow the folder and its children, and go with it."""
    house.account.create("a/b")
    house.account.set_metadata("a", {"/private/x": b"a"})
    house.account.set_metadata("a/b", {"/private/x": b"b"})
    house.account.rename("a", "c")
    assert house.account.metadata("c", ["/private/x"]) == {"/private/x": b"a"}
    assert house.account.metadata("c/b", ["/private/x"]) == {"/private/x": b"b"}
    house.account.delete("c/b")
    house.account.create("c/b")
    assert house.account.metadata("c/b", ["/private/x"]) == {}


def test_all_or_none(house):
    """A value that is too long leaves everything as it was."""
    house.account.set_metadata("INBOX", {"/private/x": b"old"})
    with pytest.raises(MetadataTooLong):
        house.account.set_metadata("INBOX", {"/private/x": b"new", "/private/y": b"y" * (MAX_METADATA_OCTETS + 1)})
    assert house.account.metadata("INBOX", ["/private"], "infinity") == {"/private/x": b"old"}


def test_how_many(house):
    """So many entries a mailbox; removed ones do not count, and the limit is each mailbox's own."""
    house.account.set_metadata("INBOX", {f"/private/{n}": b"x" for n in range(MAX_METADATA_ENTRIES)})
    with pytest.raises(TooMuchMetadata):
        house.account.set_metadata("INBOX", {"/private/0": b"changed", "/private/one-more": b"x"})
    assert house.account.metadata("INBOX", ["/private/0"]) == {"/private/0": b"x"}
    house.account.set_metadata("INBOX", {"/private/1": None, "/private/one-more": b"x"})
    house.account.set_metadata("Sent", {"/private/one-more": b"x"})


def test_how_much(house):
    """All annotations of an account together have a limit, so that nobody fills a disk with them."""
    whole = MAX_METADATA_TOTAL // MAX_METADATA_OCTETS
    with pytest.raises(TooMuchMetadata, match="octets"):
        for n in range(whole + 1):
            house.account.set_metadata("INBOX" if n % 2 else "Sent", {f"/private/{n}": b"x" * MAX_METADATA_OCTETS})
    house.account.set_metadata("INBOX", {"/private/1": None})
    house.account.set_metadata("Sent", {"/private/small": b"x" * 1000})


def test_changes(house):
    """What was set or removed since, once, the newest state of each; nothing before the first question."""
    house.account.set_metadata("INBOX", {"/private/x": b"1"})
    since, changed = house.account.metadata_changes(0)
    assert changed == []
    assert house.account.metadata_changes(since) == (since, [])
    house.account.set_metadata("INBOX", {"/private/x": b"2"})
    house.account.set_metadata("", {"/private/y": b"1"})
    house.account.set_metadata("INBOX", {"/private/x": None})
    later, changed = house.account.metadata_changes(since)
    assert changed == [("", "/private/y"), ("INBOX", "/private/x")]
    assert house.account.metadata_changes(later) == (later, [])


def test_changes_of_a_folder_that_went(house):
    """A deleted folder has no news."""
    since, _ = house.account.metadata_changes(0)
    house.account.create("a")
    house.account.set_metadata("a", {"/private/x": b"1"})
    house.account.delete("a")
    assert house.account.metadata_changes(since)[1] == []


def test_removals_are_forgotten_some_day(house, monkeypatch):
    """Entries that come and go do not fill the index."""
    monkeypatch.setattr(metadata, "REMEMBERED", 5)
    for n in range(40):
        house.account.set_metadata("INBOX", {f"/private/{n}": b"x"})
        house.account.set_metadata("INBOX", {f"/private/{n}": None})
    with house.account.access.using() as index:
        assert index.one("SELECT count(*) FROM metadata")[0] <= 6


ENTRY = st.lists(st.sampled_from("ab0"), min_size=1, max_size=4).map(lambda levels: "/private/" + "/".join(levels))


@given(st.sets(ENTRY, max_size=8), ENTRY | st.just("/private"), st.sampled_from(["0", "1", "infinity"]))
def test_depth_as_the_grammar_has_it(kept, asked, depth):
    """What lies below an entry, in the index and in our own words alike."""
    connection = sqlite3.connect(":memory:")
    for statement in FOR_EXTENSIONS:
        if " metadata" in statement:
            connection.execute(statement)
    connection.executemany("INSERT INTO metadata VALUES (1, ?, x'00', 1)", [(entry,) for entry in kept])
    found = dict(connection.execute(*_query(1, asked, depth)))
    connection.close()
    assert set(found) == {entry for entry in kept if covers(asked, entry, depth)}


def _query(folder, asked, depth):
    statement, *values = metadata._below(folder, asked, depth)
    return statement, values


def test_an_older_index(tmp_path):
    """One of version 2 has the table afterwards, and what it knew of folders."""
    connection = sqlite3.connect(tmp_path / FILE)
    for statement in STATEMENTS:
        if statement not in FOR_EXTENSIONS and "user_version" not in statement:
            connection.execute(statement)
    connection.execute("CREATE TABLE metadata (folder INTEGER, entry TEXT, value BLOB NOT NULL)")
    connection.execute(
        "INSERT INTO folders (directory, name, mailboxid, uidvalidity, highest_modseq)"
        " VALUES (x'', 'INBOX', 'F1', 1, 1)"
    )
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()
    index = Index(Disk(), str(tmp_path))
    assert index.one("PRAGMA user_version")[0] == VERSION
    metadata.write(index, 1, {"/private/x": b"1"})
    assert metadata.read(index, 1, ["/private/x"], "0") == {"/private/x": b"1"}
    index.close()
