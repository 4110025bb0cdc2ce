"""Writing header fields around words of others."""

import quopri
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail import writing
from unitymail.mail.mailboxes import addresses

ANY = st.text(st.characters(exclude_categories=()), max_size=300)


@given(st.integers(0, 4_000_000_000))
def test_dates_are_rfc_5322(when):
    """The same as the library writes, in UTC, and read back to the second."""
    assert writing.date(when) == format_datetime(datetime.fromtimestamp(when, UTC))
    assert parsedate_to_datetime(writing.date(when)).timestamp() == when


@given(ANY, st.booleans(), st.integers(0, 100))
def test_paths_and_tokens_stay_in_their_place(text, utf8, longest):
    """No control characters, no brackets, no more than asked for; ASCII unless UTF-8 is allowed."""
    for octets in (writing.path(text, utf8=utf8, longest=longest), writing.token(text, utf8=utf8, longest=longest)):
        assert len(octets) <= longest
        assert not set(octets) & set(b"\0\r\n\t<>")
        assert utf8 or octets.isascii()
        octets.decode("utf-8")


@pytest.mark.parametrize("text", ["robin@vm1.example.com", '"a b"@x', "", "a'b@x", "x" * 300])
def test_clean_words_are_left_as_they_are(text):
    """The quick way and the careful way agree."""
    assert writing.path(text, utf8=False) == writing.path(text + "é", utf8=True)[:-2] == text.encode()
    plain = text.replace("@", ".").replace('"', "").replace("'", "").replace(" ", "")
    assert writing.token(plain) == plain.encode()[:255]


@given(ANY, st.integers(20, 300))
def test_free_text_fits_its_room(text, room):
    """One field, folded, ASCII, no larger than its room."""
    field = writing.unstructured("Subject", text, room)
    assert len(field) <= room
    assert field.isascii()
    assert all(line[:1] == b" " for line in field.split(b"\r\n")[1:-1])
    assert field.startswith(b"Subject: ") or field == b""


@given(ANY)
def test_message_ids_are_whole_or_absent(text):
    """Either one id in brackets, or nothing."""
    found = writing.message_id(text)
    assert found == "" or (found.startswith("<") and found.endswith(">") and " " not in found and found.isascii())


@given(st.lists(st.binary(max_size=200).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b"")), max_size=5))
def test_quoted_printable_reads_back(lines):
    """Every line as it was, and none too long for mail."""
    encoded = writing.quoted_printable(lines)
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert quopri.decodestring(encoded) == b"".join(line + b"\r\n" for line in lines)


@given(ANY, ANY, st.booleans())
def test_mailboxes_hold_one_name_and_one_address(name, address, utf8):
    """Whatever a name or an address holds, the field is one field of that many mailboxes, in lines of a fair length."""
    field = writing.mailboxes("To", [(name, address), ("Pat Lee", "pat@vm1.example.com")], utf8=utf8)
    lines = field.split(b"\r\n")
    assert lines[-1] == b""
    assert all(line[:1] in b" \t" for line in lines[1:-1])
    assert all(len(line) <= 998 for line in lines)
    assert not set(field.replace(b"\r\n", b"")) & set(b"\0\r\n")
    found = addresses(field.partition(b":")[2])
    assert found[-1] == ("Pat Lee", "pat@vm1.example.com")


def test_mailboxes_of_nobody():
    """No mailbox, no field; a name that is not ASCII is encoded, quotes are escaped."""
    assert writing.mailboxes("Cc", []) == b""
    assert writing.mailbox("Günther \"G\" Bär", "g@x.example").startswith(b"=?utf-8?")
    assert writing.mailbox('Pat "P" Lee', "pat@x.example") == rb'"Pat \"P\" Lee" <pat@x.example>'
    assert writing.mailbox("", "pat@x.example") == b"<pat@x.example>"
