"""What a VPIM message teaches about contacts: the switches as a table, the directory for real."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import InlineThreads, RecordingJournal
from unitymail.courier.learning import Caller, Teaching, alias_for, gone_there, lesson, name_of, number_at
from unitymail.directory.checks import alias as checked_alias
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.interfaces.directory import Refused
from unitymail.people.contact import Contact
from unitymail.people.location import Location, LocationKind

FAR = Location("l-far", LocationKind.VPIM, "Far", "vpim.example.net", remote_prefix="9")
NAME = b"\x22" * 3_000
PAT = Contact("c-pat", "pat.lee.177", "Pat Lee", location="l-far", mailbox_number="177")


def at(**switches):
    return Location("l-far", LocationKind.VPIM, "Far", "vpim.example.net", **switches)


@pytest.mark.parametrize(("address", "number"), [
    ("9177@vpim.example.net", "177"), ("9177@VPIM.Example.NET", "177"), ("9177+5@vpim.example.net", "177"),
    ("9+14085550177@vpim.example.net", "+14085550177"), ("177@vpim.example.net", ""), ("9177@elsewhere.net", ""),
    ("9non-mail-user@vpim.example.net", ""), ("non-mail-user@vpim.example.net", ""), ("9@vpim.example.net", ""),
    ("9" + "1" * 33 + "@vpim.example.net", ""), ("9177", ""), ("", ""),
])
def test_number_at(address, number):
    """A mailbox number is what stands behind the location's prefix, and nothing but a number."""
    assert number_at(FAR, address) == number


@pytest.mark.parametrize(("switches", "contact", "caller", "what"), [
    ({}, None, Caller("177", "Pat", NAME), None),
    ({"create_contacts": True}, None, Caller("177", "Pat", NAME), "create"),
    ({"create_contacts": True}, None, Caller("177", "Pat"), None),
    ({"create_contacts": True, "create_without_name": True}, None, Caller("177", "Pat"), "create"),
    ({"create_contacts": True, "create_without_name": True}, None, Caller("177", "", NAME), None),
    ({"create_contacts": True}, PAT, Caller("177", "Patricia Lee", NAME), None),
    ({"modify_contacts": "name"}, None, Caller("177", "Patricia Lee", NAME), None),
    ({"modify_contacts": "name"}, PAT, Caller("177", "Pat Lee", NAME), None),
    ({"modify_contacts": "name"}, PAT, Caller("177", "Patricia Lee", NAME), "change"),
    ({"modify_contacts": "name"}, PAT, Caller("177", "", NAME), None),
    ({"modify_contacts": "always"}, PAT, Caller("177", "Pat Lee", NAME), "change"),
    ({"modify_contacts": "always"}, PAT, Caller("177", "Pat Lee"), "remove"),
    ({"modify_contacts": "always", "create_without_name": True}, PAT, Caller("177", "Pat Lee"), "change"),
    ({"modify_contacts": "name"}, PAT, Caller("177", "Patricia Lee"), "remove"),
    ({"modify_contacts": "name"}, PAT, Caller("177", "Pat Lee"), None),
])
def test_the_switches(switches, contact, caller, what):
    """Each switch of Contact Creation does what Unity Connection's page says."""
    assert lesson(at(**switches), contact, caller) == what


def test_aliases_end_in_the_number():
    """Nobody outside can take a short alias, and a taken one is counted on."""
    taken = {"pat.lee.177"}
    assert alias_for(Caller("177", "Pat Lee"), taken.__contains__) == "pat.lee.177.2"
    assert alias_for(Caller("+14085550177", "admin"), taken.__contains__) == "admin.14085550177"
    assert alias_for(Caller("177", "Zoë Ünï Groß"), taken.__contains__) == "zoe.uni.gross.177"
    assert alias_for(Caller("177", "\N{SNOWMAN}"), taken.__contains__) == "177"


@given(st.text(max_size=300), st.from_regex(r"\+?[0-9]{1,32}", fullmatch=True), st.integers(0, 12))
def test_any_name_makes_a_good_alias(name, number, tries):
    """Whatever a peer calls somebody, the directory accepts the alias."""
    seen = []

    def taken(alias):
        seen.append(alias)
        return len(seen) <= tries

    alias = alias_for(Caller(number, name_of(name)), taken)
    assert checked_alias(alias) == alias
    assert len(set(seen)) == len(seen)


def test_a_name_of_any_length():
    """The directory keeps the beginning, in one line."""
    assert name_of(" Pat\r\n Lee" + "e" * 5_000) == "Pat Lee" + "e" * 57


@pytest.fixture
def directory(tmp_path):
    database = Database(tmp_path / "directory.sqlite")
    directory = Directory(database, lambda: 1_000_000.0)
    directory.found("vm1.example.com", "host.example.com")
    with directory.change("test") as change:
        far = change.add(Location("", LocationKind.VPIM, "Far", "vpim.example.net", delete_contacts=True))
    directory.far = far
    yield directory
    database.close()


def contacts_of(directory):
    with directory.read() as view:
        return {c.alias: (c.display_name, c.mailbox_number, view.spoken_name(c.id)) for c in view.all(Contact)}


def only_contact(directory):
    with directory.read() as view:
        return view.all(Contact)[0]


def test_create_change_remove(directory):
    """A contact comes with its recorded name, takes a new one, and goes; the log says who did it."""
    teaching = Teaching(directory)
    learned = teaching.apply("create", directory.far, None, Caller("177", "Pat Lee", NAME))
    assert (learned.what, learned.contact) == ("created", "pat.lee.177")
    assert contacts_of(directory) == {"pat.lee.177": ("Pat Lee", "177", NAME)}
    pat = only_contact(directory)
    assert (pat.location, pat.partition) == (directory.far.id, directory.far.partition)
    teaching.apply("change", directory.far, pat, Caller("177", "Patricia Lee"))
    assert contacts_of(directory) == {"pat.lee.177": ("Patricia Lee", "177", b"")}
    with directory.read() as view:
        assert {change.who for change in view.changes(0) if change.kind == "contact"} == {"vpim Far"}
    assert teaching.apply("remove", directory.far, pat, Caller("177", "")).what == "removed"
    assert contacts_of(directory) == {}


def test_nothing_new_changes_nothing(directory):
    """The same name once more writes no line of the change log."""
    teaching = Teaching(directory)
    teaching.apply("create", directory.far, None, Caller("177", "Pat Lee", NAME))
    with directory.read() as view:
        before = view.usn
    assert teaching.apply("change", directory.far, only_contact(directory), Caller("177", "Pat Lee", NAME)).what == ""
    with directory.read() as view:
        assert view.usn == before


def test_learning_is_bounded(directory):
    """A peer cannot fill the directory: at the limit nobody is added, and it is counted again now and then only."""
    teaching = Teaching(directory, most_contacts=1)
    teaching.apply("create", directory.far, None, Caller("177", "Pat Lee", NAME))
    looks, read = [], directory.read
    directory.read = lambda: looks.append(None) or read()
    for number in ("178", "179"):
        with pytest.raises(Refused, match="1 contacts already"):
            teaching.apply("create", directory.far, None, Caller(number, "Jo", NAME))
    assert len(looks) == 1
    assert list(contacts_of(directory)) == ["pat.lee.177"]


def done(coroutine):
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


def test_gone_there_removes_where_the_switch_says_so(directory):
    """5.1.1 from the location ends a contact of that location, and no other; the journal tells."""
    Teaching(directory).apply("create", directory.far, None, Caller("177", "Pat Lee", NAME))
    pat, journal = only_contact(directory), RecordingJournal()
    with directory.change("test") as change:
        other = change.add(Location("", LocationKind.VPIM, "Other", "other.example.net", delete_contacts=True))
    hands = {"directory": directory, "threads": InlineThreads(), "journal": journal}
    done(gone_there("t1", other, pat.id, **hands))
    done(gone_there("t1", directory.far, "", **hands))
    done(gone_there("t1", at(delete_contacts=False), pat.id, **hands))
    assert (len(contacts_of(directory)), journal.events) == (1, [])
    done(gone_there("t1", directory.far, pat.id, **hands))
    assert contacts_of(directory) == {}
    assert journal.named("contact_learned")[0].args == ("t1", "Far", "removed", "pat.lee.177")
    done(gone_there("t2", directory.far, pat.id, **hands))
    assert len(journal.events) == 1
