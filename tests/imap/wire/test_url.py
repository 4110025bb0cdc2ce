"""URLs of messages, as CATENATE has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.wire.url import BadURL, MessageURL, read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"/Drafts;UIDVALIDITY=385759045/;UID=20", MessageURL("Drafts", 20, 385759045)),
        (b"/Drafts;UIDVALIDITY=385759045/;UID=20/;section=1.MIME", MessageURL("Drafts", 20, 385759045, b"1.MIME")),
        (b"/INBOX;UIDVALIDITY=785799047/;UID=113330;section=1.5.9", MessageURL("INBOX", 113330, 785799047, b"1.5.9")),
        (b"/INBOX/;UID=20/;PARTIAL=0.1024", MessageURL("INBOX", 20, length=1024)),
        (b"/INBOX/;uid=20/;Section=TEXT/;partial=7", MessageURL("INBOX", 20, section=b"TEXT", offset=7)),
        (b"/a/b%20c/d%C3%A9;UIDVALIDITY=1/;UID=2", MessageURL("a/b c/d\u00e9", 2, 1)),
        (b"/a/;UID=1/;section=HEADER.FIELDS%20(DATE%20TO)", MessageURL("a", 1, section=b"HEADER.FIELDS (DATE TO)")),
        (b";UID=20/;section=1", MessageURL("", 20, section=b"1")),
        (b"./;UID=20", MessageURL("", 20)),
        (b"/;UID=20", MessageURL("", 20)),
        (b"imap://robin@h.org/INBOX;UIDVALIDITY=1/;UID=2", MessageURL("INBOX", 2, 1, user="robin", host="h.org")),
        (b"IMAP://VM1.example.com:143/INBOX/;UID=2", MessageURL("INBOX", 2, host="vm1.example.com")),
        (b"imap://robin%40x;AUTH=*@h/INBOX/;UID=2", MessageURL("INBOX", 2, user="robin@x", host="h")),
    ],
)  # fmt: skip
def test_read(text, expected):
    """Absolute, from the root, or relative to the selected mailbox; letter case counts in names only."""
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"", b"/", b"/INBOX", b"/INBOX;UIDVALIDITY=1", b"/INBOX;UIDVALIDITY=0/;UID=1", b"/INBOX/;UID=0",
        b"/INBOX/;UID=x",
        b"http://h/INBOX/;UID=1", b"imap://h/;UID=1", b"/INBOX/;UID=1/;URLAUTH=anonymous", b"/INBOX/;UID=1?SUBJECT%20x",
        b"/INBOX/;UID=1;EXPIRE=2026-01-01T00:00:00Z;URLAUTH=user+robin:internal:9", b"/%FF/;UID=1", b"/%4/;UID=1",
        b"/INBOX/;UID=1/;PARTIAL=5.0", b"/INBOX/;UID=1/;section=", b"/IN\xc3\x96/;UID=1", b"/INBOX/;UID=12345678901",
        b"/INBOX/;UID=4294967296",
    ],
)  # fmt: skip
def test_not_a_message(text):
    """What names no message, or somebody else's by URLAUTH, is refused."""
    with pytest.raises(BadURL):
        read(text)


@given(st.binary(max_size=60) | st.text(alphabet="/;UID=1VALTYSECON.%2pa", max_size=60).map(str.encode))
def test_anything_at_all(text):
    """Whatever a client sends is a URL or is refused."""
    try:
        found = read(text)
    except BadURL:
        return
    assert 1 <= found.uid < 2**32


def test_time_grows_with_the_length():
    """A URL of the greatest length is refused at once."""
    for piece in (b"/", b";UIDVALIDITY=1", b"%20", b";UID=1", b"/;SECTION=1", b"@"):
        with pytest.raises(BadURL):
            read(b"imap://" + piece * (8_192 // len(piece)) + b"\x7f")
