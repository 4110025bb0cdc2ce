"""The words of a command: what the grammar allows is read, everything else is refused with words."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.wire.lexer import MAX_NESTING, Announced, BadSyntax, Literal, Reader
from unitymail.imap.wire.names import BadName
from unitymail.imap.wire.sequence import SequenceSet


def reader(*parts):
    return Reader(parts)


def test_login_arguments():
    """Quotes with \\" and \\\\ inside, literals and atoms are strings alike."""
    words = reader(rb'"a\"b\\c" ', Literal(b"pass word"), b" atom]")
    assert words.astring() == b'a"b\\c'
    words.space()
    assert words.astring() == b"pass word"
    words.space()
    assert words.astring() == b"atom]"
    words.end()


def test_empty_strings():
    """Empty quoted strings and literals are strings."""
    words = reader(b'"" ', Literal(b""))
    assert words.astring() == b""
    words.space()
    assert words.string() == b""
    assert words.at_end()


@pytest.mark.parametrize("text", [b'"open', b'"bad\r"', b'"nul\0"', b"", b"(", b'"\\', b"{5}"])
def test_no_strings(text):
    """Open quotes, control octets and a literal mark that was none are refused."""
    with pytest.raises(BadSyntax):
        reader(text).astring()


def test_flags():
    """System flags in any case become the usual one; \\Recent is left out; none twice."""
    assert reader(b"(\\SEEN work \\seen \\Recent)").flag_list() == ["\\Seen", "work"]
    assert reader(b"()").flag_list() == []
    assert reader(b"\\deleted $Junk").flags_until_end() == ["\\Deleted", "$Junk"]
    assert reader(b"(a b)").flags_until_end() == ["a", "b"]


@pytest.mark.parametrize("text", [b"(\\Bogus)", b"(a  b)", b"(a", b"(a)b", b"(\\*)", b"\\", b"(a\xe9)"])
def test_no_flags(text):
    """Unknown system flags and broken lists are refused."""
    with pytest.raises(BadSyntax):
        reader(text).flags_until_end()


def test_names():
    """INBOX in any case; modified UTF-7 is decoded, bad spellings are not names."""
    assert reader(b"inBox").mailbox() == "INBOX"
    assert reader(b'"Entw&APw-rfe"').mailbox() == "Entwürfe"
    with pytest.raises(BadName):
        reader(b"a&b").mailbox()
    assert Reader((Literal("Entwürfe".encode()),), utf8=True).mailbox() == "Entwürfe"
    assert reader(b"a%*/b").list_pattern() == b"a%*/b"
    assert reader(b'"a b*"').list_pattern() == b"a b*"


def test_numbers():
    """Numbers have 32 bits at most, however many digits are sent."""
    assert reader(b"4294967295").number() == 4294967295
    for text in (b"4294967296", b"9" * 5000, b"-1", b"x", b""):
        with pytest.raises(BadSyntax):
            reader(text).number()
    with pytest.raises(BadSyntax):
        reader(b"0").number(low=1)


def test_sets():
    """A sequence set ends at the space."""
    words = reader(b"1:4,9 FLAGS")
    assert words.sequence_set() == SequenceSet(((1, 4), (9, 9)))
    words.space()
    assert words.word() == "FLAGS"


def test_dates():
    """Dates with or without quotes; times with their zone."""
    assert reader(b"1-Feb-1994").date() == date(1994, 2, 1)
    assert reader(b'"29-feb-2024"').date() == date(2024, 2, 29)
    moment = datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC).timestamp()
    assert reader(b'"17-Jul-1996 02:44:25 -0700"').date_time() == moment
    leap = datetime(1996, 7, 7, 2, 44, 59, tzinfo=UTC).timestamp()
    assert reader(b'" 7-Jul-1996 02:44:60 +0000"').date_time() == leap


@pytest.mark.parametrize(
    "text", [b"30-Feb-1994", b"1-Foo-1994", b"1-Feb-0000", b"1-Feb-94", b'"1-Feb-1994', b"1994-02-01"]
)
def test_no_dates(text):
    """Days that never were are refused."""
    with pytest.raises(BadSyntax):
        reader(text).date()


@pytest.mark.parametrize(
    "text", [b'"17-Jul-1996 25:44:25 -0700"', b'"17-Jul-1996"', b'"99-Jul-1996 02:44:25 +0000"', b'""']
)
def test_no_times(text):
    """Times that never were are refused."""
    with pytest.raises(BadSyntax):
        reader(text).date_time()


def test_nesting():
    """Fifty lists within each other are enough for anybody; ten thousand are refused, not recursed into."""
    words = reader(b"(" * 10_000)
    with pytest.raises(BadSyntax, match="nested"):
        for _ in range(10_000):
            words.expect(b"(")
    flat = reader(b"()" * 200)
    for _ in range(200):
        flat.expect(b"(")
        flat.expect(b")")
    assert MAX_NESTING == 50


def test_words_for_the_client():
    """What is missing is named."""
    for text, read, words in [
        (b"", lambda r: r.space(), "Missing argument"),
        (b"x", lambda r: r.space(), "Expected a space"),
        (b"x", lambda r: r.expect(b"("), "Expected '('"),
        (b"x y", lambda r: (r.atom(), r.end()), "Unexpected text"),
    ]:
        with pytest.raises(BadSyntax, match=words.replace("(", "\\(")):
            read(reader(text))


def test_trailing_spaces_are_forgiven():
    """A space at the end of a command is no argument."""
    words = reader(b"INBOX  ")
    words.mailbox()
    words.end()


def test_announced():
    """A literal that is still with the client is not a string, and the other way round."""
    waiting = Announced(5, True)
    assert reader(waiting).announced() == waiting
    with pytest.raises(BadSyntax):
        reader(waiting).string()
    with pytest.raises(BadSyntax):
        reader(b"x").announced()


PART = st.binary(max_size=30) | st.binary(max_size=10).map(Literal) | st.just(Announced(3, False))
PARTS = st.lists(PART, max_size=5)
READS = [
    "space", "atom", "astring", "string", "nstring", "number", "sequence_set", "flag_list", "flags_until_end",
    "mailbox", "list_pattern", "date", "date_time", "word", "literal", "announced", "peek", "rest", "at_end", "end",
]


@given(PARTS, st.lists(st.sampled_from(READS) | st.sampled_from([b"(", b")", b"x", b" "]), max_size=8))
def test_garbage(parts, reads):
    """Whatever comes, each word is read or refused."""
    words = Reader(parts)
    for read in reads:
        try:
            if isinstance(read, bytes):
                words.take(read)
            else:
                getattr(words, read)()
        except (BadSyntax, BadName) as error:
            assert str(error)


def test_nil():
    """NIL in any case is nothing; "NIL" in quotes is a string."""
    assert reader(b"nil").nstring() is None
    assert reader(b'"NIL"').nstring() == b"NIL"
    with pytest.raises(BadSyntax):
        reader(b"x").nstring()
