"""Names, keywords and subscriptions as other servers note them."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.store.names import checked, directory_of, name_of
from unitymail.store.takeover import courier, subscribed
from unitymail.store.takeover.naming import name_for

LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="/")
LEVELS = st.text(LETTERS, min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("directory", "name"),
    [
        (b".Sent", "Sent"),
        (b".Work.Sub", "Work/Sub"),
        (b".&AOk-t&AOk-", "été"),
        ("\u002eété".encode(), "été"),
        (b".caf\xe9", "café"),
        (b".a&-b", "a&b"),
        (b".v1\\2e2", "v1.2"),
        (b".~home", "~home"),
        (b".inbox.Sub", "INBOX/Sub"),
        (b".a..b", "a/_/b"),
        (b".&AC8-", "&AC8-"),
        (b".tab\there", "tab_here"),
        (b".x\\2fy", "x_y"),
    ],
)
def test_names(directory, name):
    """Modified UTF-7, raw UTF-8 or Latin-1, Dovecot's escapes, and what no name can have."""
    assert name_for(directory) == name


@given(st.binary(min_size=1, max_size=255).filter(lambda b: b"/" not in b and b"\0" not in b))
def test_any_directory_has_a_name(octets):
    """One that a folder can have, that is not taken, and whose directory leads back to it."""
    first = name_for(b"." + octets)
    second = name_for(b"." + octets, {first})
    for name in (first, second):
        assert checked(name) == name
        assert directory_of(name).startswith(".~") or name_of(directory_of(name)) == name
    assert first != second


@given(st.lists(LEVELS, min_size=1, max_size=4).map("/".join))
def test_our_own_names_come_back(name):
    """A directory that we would make stands for its name."""
    directory = directory_of(checked(name))
    if not directory.startswith(".~") and "\\" not in name and directory:
        assert name_for(os.fsencode(directory)) == checked(name)


def test_subscriptions_of_dovecot():
    """Version 2 with tabs, and the old file with dots or slashes."""
    assert subscribed.dovecot(b"V\t2\n\nINBOX\nWork\tSub\nv1.2\n&AOk-\n") == ["INBOX", "Work/Sub", "v1.2", "é"]
    assert subscribed.dovecot(b"INBOX\nWork.Sub\n") == ["INBOX", "Work/Sub"]
    assert subscribed.dovecot(b"Work/v1.2\n\nWork/v1.2\n") == ["Work/v1.2"]
    assert subscribed.dovecot(b"") == []


def test_subscriptions_of_courier():
    """INBOX in front goes, other namespaces stay."""
    assert subscribed.courier(b"INBOX\nINBOX.Sent.2026\ninbox.&AOk-\nshared.jo\n") == [
        "INBOX", "Sent/2026", "é", "shared/jo",
    ]  # fmt: skip


@given(st.binary())
def test_any_subscriptions(text):
    """Every name that is read is one that a folder can have."""
    for name in (*subscribed.dovecot(text), *subscribed.courier(text), *subscribed.dovecot(b"V\t2\n\n" + text)):
        assert checked(name) == name


def test_keywords_of_courier():
    """Numbers stand for the keywords above the empty line; damaged lines say nothing."""
    assert courier.listed(b"Work\n$Label1\n\n1.a:0 1\n2.b,S=3:1\nnonsense\n3.c:7\n4.d:x\n") == {
        b"1.a": {"Work", "$Label1"}, b"2.b,S=3": {"$Label1"}, b"3.c": frozenset(),
    }  # fmt: skip
    assert courier.listed(b"") == {} and courier.listed(b"\n1.a:\n") == {b"1.a": frozenset()}


def test_updates_of_courier(tmp_path):
    """The highest number counts, a file without one counts above all, and one that is empty takes keywords away."""
    place = tmp_path / "courierimapkeywords"
    place.mkdir()
    for name, text in {":list": b"A\n\n1.a:0\n2.b:0\n3.c:0\n", ".9.1.a": b"B\n", ".10.1.a": b"C\n", "2.b": b"D\n",
                       ".99.2.b": b"E\n", ".1.3.c": b""}.items():  # fmt: skip
        (place / name).write_bytes(text)
    assert courier.keywords_in(os.fsencode(tmp_path)) == {b"1.a": {"C"}, b"2.b": {"D"}}
    assert courier.keywords_in(os.fsencode(place)) == {}


@given(st.binary())
def test_any_list_of_keywords(text):
    """Keywords that are read can be shown to a client."""
    for keywords in courier.listed(text).values():
        assert all(keyword.isascii() and " " not in keyword and not keyword.startswith("\\") for keyword in keywords)
