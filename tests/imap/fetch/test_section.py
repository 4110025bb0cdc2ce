"""Body sections of every test message, compared with plain splitting, and what garbage sections do."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.fetch.naive_mime import fields_of, sections, split_header
from unitymail.imap.fetch.grammar import attributes
from unitymail.imap.fetch.items.body import Body
from unitymail.imap.fetch.section import Section, cut, header_subset, locate, whole
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.mail.structure import scan

VECTORS = Path(__file__).parents[2] / "vectors"
INDEX = tomllib.loads((VECTORS / "index.toml").read_text())["message"]
SOUND = [m["file"] for m in INDEX if not m["malformed"]]
ALL = [m["file"] for m in INDEX]


def octets_of(octets, section):
    found = locate(octets, lambda: scan(octets), section)
    return octets[slice(*found)] if isinstance(found, tuple) else found


def parsed(text):
    """The section of `BODY.PEEK[text]`; HEADER.FIELDS that the index keeps are asked of the message all the same."""
    (item,) = attributes(Reader([b"BODY.PEEK[" + text + b"]"]))
    assert isinstance(item, Body), item
    return item.section


@pytest.mark.parametrize("file", SOUND)
def test_every_section_that_exists(file):
    """Each section of a sound message has exactly the octets that plain splitting finds."""
    octets = (VECTORS / file).read_bytes()
    expected = sections(octets)
    assert {name: octets_of(octets, parsed(name.encode())) for name in expected} == expected


@pytest.mark.parametrize("file", ALL)
def test_header_and_text_make_the_message(file):
    """Header and text joined are the message, whatever it is made of."""
    octets = (VECTORS / file).read_bytes()
    assert octets_of(octets, Section()) == octets
    assert octets_of(octets, Section(which="HEADER")) + octets_of(octets, Section(which="TEXT")) == octets


@pytest.mark.parametrize("file", SOUND)
def test_header_fields(file):
    """HEADER.FIELDS and .NOT split the header in two, fields as stored, each ending with the empty line."""
    octets = (VECTORS / file).read_bytes()
    header, _ = split_header(octets)
    wanted = {b"subject", b"received", b"content-type", b"x-nobody"}
    names = (b"SUBJECT", b"Received", b"content-TYPE", b"X-Nobody")
    chosen = b"".join(raw for name, raw in fields_of(header) if name in wanted)
    others = b"".join(raw for name, raw in fields_of(header) if name not in wanted)
    assert octets_of(octets, Section((), "HEADER.FIELDS", names)) == chosen + b"\r\n"
    assert octets_of(octets, Section((), "HEADER.FIELDS.NOT", names)) == others + b"\r\n"


@pytest.mark.parametrize("file", ALL)
@pytest.mark.parametrize("name", [b"9", b"9.MIME", b"1.1.1.1.1.1.1", b"2.HEADER.FIELDS (a)", b"4294967295.TEXT"])
def test_no_such_part(file, name):
    """A part that is not there is None or octets, never an error."""
    octets = (VECTORS / file).read_bytes()
    found = octets_of(octets, parsed(name))
    assert found is None or isinstance(found, bytes)


@pytest.mark.parametrize("text", [
    b"0", b"1.0", b"1.", b".1", b"MIME", b"1.2MIME", b"01", b"HEADER.FIELDS", b"HEADER.FIELDS ()", b"1..2", b"TEXT.1",
    b"HEADER.", b"HEADER.FIELD (a)", b" 1", b"1 ", b"-1", b"99999999999", b"",
])
def test_no_such_section(text):
    """What the grammar does not have is refused (the empty section, the whole message, is the exception)."""
    reader = Reader([b"BODY[" + text + b"]"])
    if text == b"":
        assert attributes(reader)
    else:
        with pytest.raises(BadSyntax):
            attributes(reader)
            reader.end()


@pytest.mark.parametrize("partial", [
    b"<0.0>", b"<5>", b"<.5>", b"<5.>", b"<-1.5>", b"<5.5", b"<a.5>", b"<1.%d>" % 10**20])
def test_bad_partials(partial):
    """A partial that the grammar does not have is refused."""
    reader = Reader([b"BODY[]" + partial])
    with pytest.raises(BadSyntax):
        attributes(reader)
        reader.end()


@settings(max_examples=300)
@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 400), st.integers(1, 400))
def test_partials(start, length, offset, count):
    """A partial is a slice: a short tail stays short, beyond the end there is nothing."""
    whole = bytes(range(256)) * 3
    section = whole[start : start + length]
    begin, end = cut(start, start + len(section), (offset, count))
    assert whole[begin:end] == section[offset : offset + count]


@settings(max_examples=200)
@given(st.binary(max_size=400), st.text("0123456789.HEADRTXMI", max_size=12))
def test_garbage(octets, text):
    """Whatever the message and the section, there is an answer or a refusal."""
    try:
        section = parsed(text.encode())
    except BadSyntax:
        return
    assert isinstance(octets_of(octets, section), bytes | None)


@pytest.mark.parametrize("file", ALL)
def test_whole_is_what_a_scan_finds(file):
    """Where the body begins is found without scanning it."""
    octets = (VECTORS / file).read_bytes()
    root = scan(octets).root
    assert whole(octets) == (root.body, root.end)


@settings(max_examples=500)
@given(st.lists(st.sampled_from([b"A: b", b" c", b"\r\n", b"\n", b"\r", b"x", b"\n\n"]), max_size=12).map(b"".join))
def test_whole_of_garbage(octets):
    """Also where line ends are missing, doubled or bare."""
    root = scan(octets).root
    assert whole(octets) == (root.body, root.end)


def test_subset_without_a_last_line_end():
    """A field at the very end of a truncated message still gets its line end."""
    assert header_subset([b"A: b"]) == b"A: b\r\n\r\n"
    assert header_subset([]) == b"\r\n"
