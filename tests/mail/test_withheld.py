"""The form of a message whose body its reader may not see."""

import hashlib
import mmap

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unitymail.mail.headers import fields
from unitymail.mail.lexical import LONGEST_FIELD, LONGEST_HEADER
from unitymail.mail.structure import scan
from unitymail.mail.summary import summarise
from unitymail.mail.withheld import Reason, header_of, withheld_form

WHOLE = (
    b"Return-Path: <a@example.com>\r\nFrom: a@example.com\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n\t folded\r\n"
    b"Content-Type: multipart/mixed;\r\n\tboundary=hidden-boundary;\r\n name=hidden.pdf\r\n"
    b"CONTENT-disposition : attachment; filename=hidden.pdf\r\nX-Odd: \xe9\xff\r\nContent-ID: <hidden@x>\r\n"
    b"subject: twice\r\nMIME-Version: 1.0 (hm)\r\n\r\n--hidden-boundary\r\n\r\nhidden words\r\n--hidden-boundary--\r\n"
)
SEPARATORS = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b": ", b"\t", b" ", b"\0", b"Content-Type: text/html", b"a", b"\xff"]
)


def split(form):
    header, _, body = form.partition(b"\r\n\r\n")
    return header + b"\r\n", body


def test_header_kept_and_content_replaced():
    """All other fields stay as they were: order, repeats, case, folding, 8-bit; what describes the body is replaced."""
    header, body = split(withheld_form(WHOLE, Reason.SECURE))
    assert header == (
        b"Return-Path: <a@example.com>\r\nFrom: a@example.com\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n\t folded\r\n"
        b"X-Odd: \xe9\xff\r\nsubject: twice\r\nMIME-Version: 1.0 (hm)\r\n"
        b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n"
    )
    assert b"hidden" not in body and b"because it is secure" in body


@pytest.mark.parametrize(("reason", "digest"), [
    (Reason.SECURE, "9609b46f"), (Reason.PRIVATE, "2cf2df98"), (Reason.HEADERS_ONLY, "fe5cf6ae"),
])
def test_a_text_is_for_ever(reason, digest):
    """Clients keep what they were shown under a UID: a text that changes is another number, never this one."""
    assert hashlib.sha256(withheld_form(b"", reason)).hexdigest()[:8] == digest


@pytest.mark.parametrize("reason", list(Reason))
def test_what_the_text_says(reason):
    """What, why, and what to do; lines that any terminal shows."""
    _, body = split(withheld_form(WHOLE, reason))
    assert body.startswith(b"The contents of this message are not shown here") and b"class of service" in body
    assert b"ask your administrator" in body.replace(b"\r\n", b" ")
    assert max(map(len, body.split(b"\r\n"))) <= 76 and body.isascii()


def test_line_ends_of_others():
    """A file with bare line feeds gives the same form as its CRLF form does."""
    assert withheld_form(WHOLE.replace(b"\r\n", b"\n"), Reason.PRIVATE) == withheld_form(WHOLE, Reason.PRIVATE)


def test_lines_that_are_no_fields():
    """Who forgot the blank line wrote the body into the header: it goes."""
    form = withheld_form(b"Subject: x\r\nhidden words\r\n hidden too\r\nTo: y\r\n\r\nhidden", Reason.PRIVATE)
    assert form.startswith(b"Subject: x\r\nTo: y\r\nMIME-Version: 1.0\r\nContent-Type: text/plain")
    assert b"hidden" not in form


@pytest.mark.parametrize("whole", [b"", b"\r\nhidden", b"\nhidden", b"\r\n\r\nhidden", b"\n"])
def test_no_header_at_all(whole):
    """The notice stands alone, as a proper message."""
    form = withheld_form(whole, Reason.PRIVATE)
    assert form.startswith(b"MIME-Version: 1.0\r\nContent-Type: text/plain") and b"hidden" not in form


def test_a_last_field_without_line_end():
    """A message that is cut within its header gets a whole one."""
    assert withheld_form(b"Subject: x\r\nTo: y", Reason.PRIVATE).startswith(b"Subject: x\r\nTo: y\r\nMIME-Version")


def test_endless_headers_are_bounded(tmp_path):
    """What is beyond the limits of a header is not kept, from memory and from a file that is mapped."""
    short, long = b"X-A: " + b"a" * 90 + b"\r\n", b"X-B: " + b"b" * (3 * LONGEST_FIELD) + b"\r\n"
    (tmp_path / "file").write_bytes(short * 20_000)
    with open(tmp_path / "file", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for buffer in (short * 20_000, mapped, short * 20_000 + b"\r\nhidden"):
            form = withheld_form(buffer, Reason.PRIVATE)
            kept = form.count(b"X-A: ")
            assert form.startswith(short * kept) and LONGEST_HEADER <= kept * len(short) < LONGEST_HEADER + len(short)
    almost = short * (LONGEST_HEADER // len(short))
    assert withheld_form(almost + long + b"\r\nhidden", Reason.PRIVATE).count(b"\r\nX-B: ") == 0
    assert header_of(b"X" * 2 * LONGEST_HEADER) == b""


@given(st.lists(st.one_of(SEPARATORS, st.binary(max_size=8))).map(b"".join), st.sampled_from(list(Reason)))
@example(b"\r\r\na: \r", Reason.SECURE)
def test_of_any_octets(whole, reason):
    """Always a text/plain message of CRLF lines, with fields that the message has and nothing of what follows them."""
    form = withheld_form(whole, reason)
    root = scan(form).root
    assert (root.media_type, root.encoding, root.children) == ("text/plain", "7bit", ())
    assert form[root.body:] == withheld_form(b"", reason)[scan(withheld_form(b"", reason)).root.body:]
    assert form.count(b"\n") == form.count(b"\r\n") == form.replace(b"\r\n", b"\n").count(b"\n")
    ended = whole if whole.endswith(b"\n") else whole + b"\n"  # so that a CR at the very end is one of its line end
    header = scan(ended).root
    there = {field.raw.replace(b"\r\n", b"\n").rstrip(b"\n") for field in fields(ended, header.start, header.body)}
    added = {b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=us-ascii", b"Content-Transfer-Encoding: 7bit"}
    for field in fields(form, root.start, root.body):
        assert field.name and field.raw.replace(b"\r\n", b"\n").rstrip(b"\n") in there | added
    assert summarise(form, scan(form)).bodystructure.startswith(b'("text" "plain" ("charset" "us-ascii")')
