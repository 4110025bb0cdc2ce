"""Content-Type and Content-Disposition, in every state of repair."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from unitymail.mail.parameters import MediaType, disposition, media_type, octets_of, text_of, value_of, word


@pytest.mark.parametrize(("raw", "expected"), [
    (b" text/plain", MediaType("text", "plain", ())),
    (b"TEXT/HTML; Charset=UTF-8", MediaType("text", "html", (("charset", "UTF-8"),))),
    (b'multipart/mixed;\r\n\tboundary="a b;c\\"d"', MediaType("multipart", "mixed", (("boundary", 'a b;c"d'),))),
    (b"text/plain; charset=us-ascii (Plain; text)", MediaType("text", "plain", (("charset", "us-ascii"),))),
    (b"(c) text / plain ;; ; x = y ;", MediaType("text", "plain", (("x", "y"),))),
    (b"text/plain charset=us-ascii", MediaType("text", "plain", ())),
    (b"audio/wav; name=Voice Mail.wav; x", MediaType("audio", "wav", (("name", "Voice Mail.wav"),))),
    (b'audio/wav; name="open; x=y', MediaType("audio", "wav", (("name", "open; x=y"),))),
    (b"text", MediaType("text", "plain", ())),
    (b"text; charset=x", MediaType("text", "plain", ())),
    (b"", MediaType("text", "plain", (), False)),
    (b';;=audio/wav"; name=VoiceMessage.wav; x="unclosed', MediaType("text", "plain", (), False)),
    (b"audio", MediaType("text", "plain", (), False)),
    (b"\xff/plain", MediaType("text", "plain", (), False)),
    (b"a/b; n\xe9=\xe9", MediaType("a", "b", (("n\udce9", "\udce9"),))),
])
def test_media_types(raw, expected):
    """Case, comments, folds, quotes and blanks are forgiven; without a type it is text/plain, and unsound."""
    assert media_type(raw) == expected
    assert media_type(raw + b" " * 200) == expected or raw.endswith(b"unclosed") or b"open" in raw


def test_dispositions():
    """The word in lower case, parameters as written; a missing word is no reason to lose the name."""
    assert disposition(b'ATTACHMENT; FileName="a.wav"') == ("attachment", (("filename", "a.wav"),))
    assert disposition(b" inline") == ("inline", ())
    assert disposition(b"; filename=x") == ("", (("filename", "x"),))
    assert disposition(b"attachment;filename=") == ("attachment", (("filename", ""),))


def test_one_word_fields():
    """Content-Transfer-Encoding with comments, blanks and case."""
    assert [word(raw) for raw in (b" Base64\r\n", b"(c) 7BIT (d)", b"x-uue; y", b"", b"\xff")] == [
        "base64", "7bit", "x-uue", "", ""
    ]


@pytest.mark.parametrize(("raw", "value"), [
    (b"x; n=a", "a"),
    (b"x; n=a; n=b", "a"),
    (b"x; n*=utf-8'en'%C3%A9; n=e", "é"),
    (b"x; n*0=a; n*1=b; n*3=d", "ab"),
    (b"x; n*1=b; n*0=a", "ab"),
    (b"x; n*0*=iso-8859-1''%E9; n*1=%20; n*2*=%21", "é%20!"),
    (b"x; n*=no-charset''%C3%A9", "é"),
    (b"x; n*=%C3%A9", "é"),
    (b"x; n*1=b", None),
    (b"x; nn=a", None),
    (b"x; n*x=a; n*-1=b; n*999999=c", None),
    (b"x; n=\xe9", "é"),
])
def test_rfc_2231(raw, value):
    """Pieces are put together in their order up to the first gap, percent and charset undone."""
    assert value_of(disposition(raw)[1], "n") == value


def test_floods_are_bounded():
    """A hundred parameters are read, whatever is sent."""
    raw = b"a/b" + b"".join(b";n*%d*=a" % n for n in range(5_000))
    assert value_of(media_type(raw).parameters, "n") == "a" * 100
    for piece in (b";", b"; ", b";a", b";a=", b'"', b'";a="', b"=", b"(", b"\\", b"*"):
        media_type(b"a/b;" + piece * (1_000_000 // len(piece)))


@given(st.binary())
def test_octets_survive_as_text(octets):
    """8-bit of any kind comes back for the wire."""
    assert octets_of(text_of(octets)) == octets


BLANKS = st.sampled_from([b"", b" ", b"\r\n ", b"\n\t", b"\t "])
TOKENS = st.sampled_from([
    b"text", b"Mixed", b"x-a.b+c", b"boundary", b"NAME", b"a*0*", b"=", b"a/b", b"a" * 127, b"a" * 128
])
ODD_VALUES = [b'""', b'"a b; c"', b'"a(b"', b'"a\\"b"', b'"a', b'" x "', b"a b", b"\xe9", b"(c)"]
VALUES = st.one_of(TOKENS, st.sampled_from(ODD_VALUES))
SLASHES, ENDS = st.sampled_from([b"/", b" / ", b"//"]), st.sampled_from([b"", b" ", b"\r"])


@given(BLANKS, TOKENS, SLASHES, TOKENS, BLANKS, TOKENS, VALUES, ENDS)
def test_the_common_forms_are_read_as_all_others(before, kind, slash, sub, blank, name, value, after):
    """A type or disposition with one parameter, as most mail writes it, is read at once, and by the grammar alike."""
    if value.count(b'"') == 1:
        after = b""
    for field in (kind + slash + sub, kind + slash + sub + b";" + blank + name + b"=" + value):
        assert media_type(before + field + after) == media_type(b"()" + before + field + after)
    field = kind + b";" + blank + name + b"=" + value
    assert disposition(before + field + after) == disposition(b"()" + before + field + after)
    assert disposition(before + kind + after) == disposition(b"()" + before + kind + after)


@given(garbage)
def test_garbage(octets):
    """Anything is some type and some disposition."""
    kind = media_type(octets)
    assert kind.type and kind.subtype and kind.type == kind.type.lower()
    for name, _ in (*kind.parameters, *disposition(octets)[1]):
        value_of(kind.parameters, name)
