"""Mailbox names in modified UTF-7: one spelling each, both ways, and nothing else."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.wire.names import BadName, canonical, decode, encode

NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("INBOX", b"INBOX"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("Entwürfe", b"Entw&APw-rfe"),
        ("A & B", b"A &- B"),
        ("a\tb", b"a&AAk-b"),
        ("a&\tb", b"a&-&AAk-b"),
        ("😀", b"&2D3eAA-"),
        ("", b""),
        ("&&", b"&-&-"),
    ],
)
def test_known_spellings(name, spelled):
    """Names are spelled as RFC 3501, 5.1.3 has them, TAB and astral characters too."""
    assert encode(name) == spelled
    assert decode(spelled) == name


@given(NAMES)
def test_round_trip(name):
    """Whatever a folder is called, the client's spelling of what we sent finds it again."""
    assert decode(encode(name)) == name


@given(st.binary(max_size=40) | st.from_regex(rb"[a&-]*(&[A-Za-z0-9+,]{0,8}-?)*", fullmatch=True))
def test_one_spelling_only(octets):
    """Octets are a name in its one spelling, or no name at all; never a crash."""
    try:
        name = decode(octets)
    except BadName:
        return
    assert encode(name) == octets


@pytest.mark.parametrize(
    "octets",
    [b"&", b"a&b", b"&AGE-", b"&U,BTFw", b"&AP8-&AP8-", b"&====-", b"&2D0-", b"caf\xe9", b"a\x00b", b"a\nb", b"&AAA"],
)
def test_bad_spellings(octets):
    """Loose ends, shifted ASCII, split shifts, half surrogates and raw 8-bit octets are refused."""
    with pytest.raises(BadName):
        decode(octets)


@pytest.mark.parametrize(
    ("given_name", "is_now"),
    [
        ("inbox", "INBOX"),
        ("InBox/Work", "INBOX/Work"),
        ("inbox/", "INBOX"),
        ("Inboxes", "Inboxes"),
        ("work/inbox", "work/inbox"),
        ("a/b/", "a/b"),
    ],
)
def test_inbox_is_case_blind(given_name, is_now):
    """INBOX in any case is the one INBOX, also as a parent; a separator at the end means nothing."""
    assert canonical(given_name) == is_now


def test_long_names_are_not_remembered():
    """A client that names what cannot be there, each name as long as a command, fills no memory."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(100):
            spelled = b"%d" % number + b"x" * 50_000
            assert encode(decode(spelled)) == spelled
        assert tracemalloc.get_traced_memory()[0] - before < 200_000
    finally:
        tracemalloc.stop()
