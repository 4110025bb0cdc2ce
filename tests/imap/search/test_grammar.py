"""SEARCH arguments become a tree, or a refusal with a reason."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.registry import No
from unitymail.imap.search.grammar import criteria
from unitymail.imap.search.key import KEYS
from unitymail.imap.search.keys.dates import Arrived, Days, Sent
from unitymail.imap.search.keys.flags import Flag, Recent
from unitymail.imap.search.keys.identity import Identity
from unitymail.imap.search.keys.modseq import ChangedSince
from unitymail.imap.search.keys.saved import Saved
from unitymail.imap.search.keys.sets import All, Numbers, Uids
from unitymail.imap.search.keys.sizes import Larger, Smaller
from unitymail.imap.search.keys.text import Body, Header, Term, Text
from unitymail.imap.search.tree import And, Not, Or
from unitymail.imap.wire.lexer import BadSyntax, Literal, Reader
from unitymail.imap.wire.sequence import parse

DAY = date(1994, 2, 1).toordinal()
RFC_3501_KEYS = """ALL ANSWERED BCC BEFORE BODY CC DELETED DRAFT FLAGGED FROM HEADER KEYWORD LARGER NEW OLD ON RECENT
SEEN SENTBEFORE SENTON SENTSINCE SINCE SMALLER SUBJECT TEXT TO UID UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNKEYWORD
UNSEEN"""


def read(*parts):
    return criteria(Reader([p.encode() if isinstance(p, str) else p for p in parts]))


def test_every_key_is_there():
    """All keys of RFC 3501 are known (NOT and OR join others)."""
    assert set(RFC_3501_KEYS.split()) <= set(KEYS)


@pytest.mark.parametrize(("text", "tree"), [
    ("ALL", All()),
    ("all", All()),
    ("ANSWERED", Flag("\\answered")),
    ("UNDELETED", Not(Flag("\\deleted"))),
    ("KEYWORD $Forwarded", Flag("$forwarded")),
    ("UNKEYWORD work", Not(Flag("work"))),
    ("RECENT", Recent()),
    ("OLD", Not(Recent())),
    ("NEW", And((Recent(), Not(Flag("\\seen"))))),
    ("BCC x", Term("bcc", "X")),
    ('FROM "Robin Smith"', Term("from", "ROBIN SMITH")),
    ("SUBJECT afternoon", Term("subject", "AFTERNOON")),
    ("HEADER Subject x", Term("subject", "X")),
    ('HEADER Subject ""', Header(b"subject", "")),
    ("HEADER X-Foo y", Header(b"x-foo", "Y")),
    ("HEADER X-Foo: y", Header(b"x-foo", "Y")),
    ("BODY x", Body("X")),
    ("TEXT x", Text("X")),
    ("LARGER 5", Larger(5)),
    ("SMALLER 4294967296", Smaller(2**32)),
    ("BEFORE 1-Feb-1994", Arrived(Days(last=DAY - 1))),
    ("ON 1-Feb-1994", Arrived(Days(DAY, DAY))),
    ('SINCE "1-Feb-1994"', Arrived(Days(first=DAY))),
    ("SENTBEFORE 1-Feb-1994", Sent(Days(last=DAY - 1))),
    ("SENTON 01-feb-1994", Sent(Days(DAY, DAY))),
    ("SENTSINCE 1-Feb-1994", Sent(Days(first=DAY))),
    ("1:4,9", Numbers(parse(b"1:4,9"))),
    ("*", Numbers(parse(b"*"))),
    ("UID 5:*", Uids(parse(b"5:*"))),
    ("$", Numbers(parse(b"$"))),
    ("UID $", Uids(parse(b"$"))),
    ("MODSEQ 620162338", ChangedSince(620162338)),
    ('MODSEQ "/flags/\\\\draft" all 620162338', ChangedSince(620162338)),
    ("MODSEQ 0", ChangedSince(0)),
    ("SAVEDBEFORE 1-Feb-1994", Saved(Days(last=DAY - 1))),
    ("SAVEDON 1-Feb-1994", Saved(Days(DAY, DAY))),
    ("SAVEDSINCE 1-Feb-1994", Saved(Days(first=DAY))),
    ("SAVEDATESUPPORTED", All()),
    ("EMAILID M6d99ac3275bb4e", Identity("emailid", "M6d99ac3275bb4e")),
    ("THREADID T64b478a75b7ea9", Identity("threadid", "T64b478a75b7ea9")),
    ("NOT SEEN", Not(Flag("\\seen"))),
    ("OR SEEN 1", Or((Flag("\\seen"), Numbers(parse(b"1"))))),
    ("SEEN FLAGGED", And((Flag("\\seen"), Flag("\\flagged")))),
    ("(SEEN FLAGGED)", And((Flag("\\seen"), Flag("\\flagged")))),
    ("OR (SEEN 1) NOT (OR 2 3)", Or((
        And((Flag("\\seen"), Numbers(parse(b"1")))), Not(Or((Numbers(parse(b"2")), Numbers(parse(b"3"))))),
    ))),
    ("CHARSET UTF-8 TEXT x", Text("X")),
    ('charset "us-ascii" TEXT x', Text("X")),
    ("CHARSET UTF-8 FROM \"ÉTÉ\"", Term("from", "E\u0301TE\u0301")),
])
def test_keys(text, tree):
    """Each key is read as RFC 3501 means it."""
    assert read(text) == tree


def test_literals():
    """Any string may come as a literal."""
    assert read("CHARSET UTF-8 FROM ", Literal("té".encode()), " HEADER ", Literal(b"X-A"), " ", Literal(b"")) == And(
        (Term("from", "TE\u0301"), Header(b"x-a", ""))
    )


@pytest.mark.parametrize("text", [
    "", "FOO", "FROM", "FROM ", "NOT", "OR SEEN", "OR SEEN ", "()", "(SEEN", "SEEN)", "SEEN  SEEN",
    "BEFORE 32-Jan-2000", "BEFORE yesterday",
    "LARGER x", "LARGER -1", "UID", "UID x", "1:", "0", "KEYWORD \\Seen", "HEADER x",
    "OLDER", "OLDER 0", "OLDER -1", "YOUNGER x", "YOUNGER 4294967296", "MODSEQ", "MODSEQ -1",
    "MODSEQ 9223372036854775808",
    'MODSEQ "/flags/seen" 1', 'MODSEQ "/flags/seen" some 1', 'MODSEQ "/comment" all 1', "SAVEDON x",
    "EMAILID", "EMAILID a.b", 'THREADID ""', "UID $,1", "$:5",
    "SEEN ", "CHARSET UTF-8", "CHARSET", "\x00",
])
def test_bad(text):
    """What cannot be read is BAD."""
    with pytest.raises(BadSyntax):
        read(text)


def test_bad_charset():
    """Another charset is refused with the list of those that we read."""
    with pytest.raises(No) as refusal:
        read("CHARSET KOI8-R TEXT x")
    assert refusal.value.code == b"BADCHARSET (US-ASCII UTF-8)"


@pytest.mark.parametrize("text", [
    "(" * 10_000 + "SEEN" + ")" * 10_000, "NOT " * 10_000 + "SEEN", "OR SEEN " * 51 + "SEEN",
])
def test_deep_nesting(text):
    """Nesting beyond 50 is refused, whatever makes it; nothing recurses without end."""
    with pytest.raises(BadSyntax):
        read(text)


def test_nesting_allowed():
    """Fifty levels are read."""
    assert read("(" * 49 + "SEEN" + ")" * 49) == Flag("\\seen")


def test_too_many_keys():
    """More keys than anybody needs are refused by name of the limit."""
    with pytest.raises(No) as refusal:
        read(" ".join(["SEEN"] * 300))
    assert refusal.value.code == b"LIMIT"


@given(st.lists(st.sampled_from([
    "SEEN", "NOT", "OR", "(", ")", " ", "FROM", '"a"', "1:*", "*", "UID", "BEFORE", "1-Feb-1994", "HEADER", "$", "\xff",
    "CHARSET", "UTF-8", "{", "\\", "KEYWORD", "LARGER", "99999999999999999999999",
]), max_size=15))
def test_garbage(words):
    """Any words give a tree or a refusal."""
    try:
        read("".join(words))
    except (BadSyntax, No):
        pass
