"""Keywords as letters in file names, as Dovecot has them."""

import os
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.house import flags_of
from unitymail.store.letters import LettersOf, keywords_in, letters_in
from unitymail.store.maildir import flags_of as meaning
from unitymail.store.maildir import suffix_for


def say(house, text, *folder):
    """What Dovecot's file says of a folder."""
    path = house.path(*folder, "dovecot-keywords")
    with open(path + ".lock", "wb") as file:
        file.write(text)
    os.rename(path + ".lock", path)


def rename(house, old, new):
    os.rename(house.path("cur", old), house.path("cur", new))


@pytest.fixture
def three(house):
    """An INBOX of three messages whose files are in cur/, looked at long ago."""
    house.deliver(3)
    house.inbox.refresh()
    house.store.settle()
    house.now.ahead = 5
    house.inbox.refresh()
    return house


def test_the_file_is_read(tmp_path):
    """Numbers stand for letters; gaps, and what is no keyword, mean nothing; no file means no letters."""
    path = tmp_path / "dovecot-keywords"
    assert letters_in(os.fsencode(path)) == ()
    path.write_bytes(b"0 Work\n2 $Label1\n3 two words\n4 \\Seen\nx y\n\n5 caf\xc3\xa9\n27 Beyond\n")
    assert letters_in(os.fsencode(path))[:4] == ("Work", "", "$Label1", "")
    assert len(letters_in(os.fsencode(path))) == 26 and keywords_in(path.read_bytes())[27] == "Beyond"


def test_it_is_read_again_when_it_changed(tmp_path):
    """A file that another program replaces is noticed, and so is one that it removes."""
    letters, path = LettersOf(), tmp_path / "dovecot-keywords"
    for text, expected in ((b"0 Work\n", ("Work",)), (b"0 Work\n1 Play\n", ("Work", "Play"))):
        path.write_bytes(text)
        assert letters.read(os.fsencode(tmp_path)) == expected
    path.unlink()
    assert letters.read(os.fsencode(tmp_path)) == ()


@given(st.binary())
def test_any_file_can_be_read(text):
    """Whatever it holds, what comes out can be shown to a client."""
    for keyword in keywords_in(text):
        assert keyword.isascii() and not set(keyword) & set(' (){%*"\\]')


@given(st.frozensets(st.sampled_from(["\\Seen", "\\Flagged", "work", "Play", "$Forwarded", "Other"])), st.binary())
def test_letters_say_what_the_flags_are(flags, before):
    """Keywords with a letter come back from the name, those without one do not, and foreign letters stay."""
    letters = ("Work", "Play", "", "$Forwarded")
    suffix = suffix_for(flags, b":2,z" + before, letters)
    said = {flag.lower() for flag in meaning(suffix, letters)}
    assert said == {flag.lower() for flag in flags} - {"other"} and b"z" in suffix


def test_letters_become_keywords(three):
    """Dovecot sets a keyword and takes it away again; the client sees both, with a higher MODSEQ."""
    say(three, b"0 Work\n1 Play\n")
    name, before = three.files()["cur"][0], three.inbox.snapshot.highest_modseq
    rename(three, name, name + "Sb")
    assert flags_of(three.inbox)[1] == {"\\Seen", "Play"} and three.inbox.snapshot.highest_modseq > before
    assert "Play" in three.inbox.snapshot.keywords
    rename(three, name + "Sb", name + "Sa")
    assert flags_of(three.inbox)[1] == {"\\Seen", "Work"}


def test_keywords_become_letters(three):
    """What a client sets is in the name for Dovecot to see, where the keyword has a letter."""
    say(three, b"0 Work\n")
    names = three.files()["cur"]
    three.inbox.store([1, 2], "add", ["WORK", "Other"])
    three.store.settle()
    assert three.files()["cur"] == [names[0] + "a", names[1] + "a", names[2]]
    three.inbox.store([1], "remove", ["work"])
    three.store.settle()
    assert three.files()["cur"][0] == names[0]
    assert flags_of(three.inbox) == {1: {"Other"}, 2: {"WORK", "Other"}, 3: frozenset()}


def test_the_file_comes_after_the_name(three):
    """A letter whose meaning is said later becomes its keyword; one that has the keyword already gets the letter."""
    name = three.files()["cur"][0]
    rename(three, name, name + "a")
    three.inbox.store([2], "add", ["Work"])
    assert flags_of(three.inbox)[1] == frozenset()
    say(three, b"0 Work\n")
    assert flags_of(three.inbox) == {1: {"Work"}, 2: {"Work"}, 3: frozenset()}
    three.store.settle()
    assert [name[-1] for name in three.files()["cur"]] == ["a", "a", ","]
    three.inbox.store([1], "remove", ["Work"])
    three.store.settle()
    three.crash()
    assert flags_of(three.inbox)[1] == frozenset()


def test_two_letters_for_forwarded(three):
    """Where Dovecot has a letter for $Forwarded it counts; the general P is for other folders."""
    say(three, b"0 $Forwarded\n")
    name = three.files()["cur"][0]
    three.inbox.store([1], "add", ["$Forwarded"])
    three.store.settle()
    assert three.files()["cur"][0] == name + "a"
    rename(three, name + "a", name)
    assert flags_of(three.inbox)[1] == frozenset()


def test_a_copy_has_the_letters_of_its_folder(three):
    """Letters mean something in one folder only: a copy gets those of the folder it comes to."""
    say(three, b"0 Work\n1 Play\n")
    say(three, b"0 Play\n", ".Archive")
    three.inbox.store([1], "add", ["Work", "Play"])
    three.store.settle()
    archive = three.account.folder("Archive")
    three.inbox.copy([1], archive)
    three.store.settle()
    assert three.files(".Archive")["cur"][0].endswith(":2,a")
    assert flags_of(archive) == {1: {"Work", "Play"}}


def test_more_keywords_than_a_folder_may_have(three):
    """Another program's keywords that are too many are left out; the folder follows all the same."""
    three.inbox.store([1], "add", [f"k{number}" for number in range(194)])
    say(three, b"0 One\n1 Two\n2 Three\n")
    name = three.files()["cur"][1]
    rename(three, name, name + "Sabc")
    assert flags_of(three.inbox)[2] == {"\\Seen", "One"}
    assert len(three.inbox.snapshot.keywords) == 200


def test_keywords_outlive_the_index(three):
    """Where they have letters they are found again in the names."""
    say(three, b"0 Work\n")
    three.inbox.store([1], "add", ["Work"])
    three.store.settle()
    three.store.close()
    for tail in ("", "-wal", "-shm"):
        if os.path.exists(three.path("unitymail.index" + tail)):
            os.unlink(three.path("unitymail.index" + tail))
    three.crash()
    assert flags_of(three.inbox)[1] == {"Work"}


def test_an_index_of_before(three):
    """An index of a version that knew no letters is upgraded, and takes over what they mean."""
    say(three, b"0 Work\n")
    name = three.files()["cur"][0]
    three.store.close()
    with sqlite3.connect(three.path("unitymail.index")) as connection:
        connection.execute("DROP TABLE lettered")
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    os.rename(three.path("cur", name), three.path("cur", name + "a"))
    three.store = three.open()
    assert flags_of(three.inbox)[1] == {"Work"}
