"""APPEND in all its forms at once: however the octets arrive, and whatever a client gets wrong."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.conversation import House

PIECES = (
    b"(\\Seen) ", b"() ", b'"17-Jul-1996 02:44:25 -0700" ', b"{3+}\r\nabc", b"~{3+}\r\na\0b", b"{0+}\r\n",
    b"CATENATE (", b"TEXT ", b"URL ", b"/INBOX/;UID=1", b'"/INBOX/;UID=1/;SECTION=1"', b"/Nowhere/;UID=1", b"UTF8 (",
    b"~{2+}\r\nhi", b")", b" ", b" ", b"(", b"{70000+}\r\n" + b"x" * 70_000, b"NIL", b"*", b"$",
    b"{13+}\r\n/INBOX/;UID=1",
)  # fmt: skip
COMMANDS = (b"APPEND INBOX ", b"REPLACE 1 INBOX ", b"UID REPLACE 1 Sent ")
WHOLE = (
    b"a APPEND {5+}\r\nINBOX (\\Seen) {3+}\r\nabc ~{3+}\r\nde\xff"
    b' "17-Jul-1996 02:44:25 -0700" CATENATE (URL /INBOX/;UID=1 TEXT {4+}\r\n\r\nhi URL {13+}\r\n/INBOX/;UID=1)'
    b" (work) CATENATE (TEXT {1+}\r\nx)\r\n"
    b"b UID REPLACE 1 INBOX (\\Draft) CATENATE (URL ;UID=1/;SECTION=TEXT TEXT {3+}\r\nend)\r\nc NOOP\r\n"
)


def house():
    one = House()
    one.inbox.put(b"Subject: x\r\n\r\ntext\r\n")
    return one


@settings(deadline=None)
@given(st.lists(st.integers(0, len(WHOLE)), max_size=12))
def test_wherever_it_is_split(places):
    """The same answers, and the same messages, whatever comes in one piece."""
    one = house()
    client = one.selected()
    edges = [0, *sorted(places), len(WHOLE)]
    for start, end in pairwise(edges):
        client.send(WHOLE[start:end])
    heard = client.heard()
    assert "a OK [APPENDUID 1001 2:5] APPEND completed\r\n" in heard
    assert "* OK [APPENDUID 1001 6] Replacement message ready\r\n" in heard
    assert heard.endswith("b OK REPLACE completed\r\nc OK NOOP completed\r\n")
    whole = b"Subject: x\r\n\r\ntext\r\n"
    assert [one.inbox.octets(uid) for uid in (2, 3, 4, 5, 6)] == [
        b"abc", b"de\xff", whole + b"\r\nhi" + whole, b"x", b"text\r\nend",
    ]  # fmt: skip
    assert one.store.open_contents == 0


@settings(deadline=None)
@given(st.sampled_from(COMMANDS), st.lists(st.sampled_from(PIECES), max_size=9))
def test_any_order_of_words(command, pieces):
    """Any words in any order: one tagged answer, nothing that nobody foresaw, all messages or none."""
    one = house()
    client = one.selected()
    client.say("x ENABLE UTF8=ACCEPT")
    before = len(one.inbox.snapshot.uids) + len(one.account.folder("Sent").snapshot.uids)
    client.send(b"a " + command + b"".join(pieces) + b"\r\n")
    heard = client.heard()
    if heard.startswith("+") or ("\r\na " not in heard and not heard.startswith("a ")):
        return  # A literal that the client would have to send; or the line is not whole yet.
    after = len(one.inbox.snapshot.uids) + len(one.account.folder("Sent").snapshot.uids)
    assert one.journal.named("trouble") == []
    assert one.store.open_contents == 0
    assert (after > before) == ("a OK [APPENDUID" in heard)
    client.send(b"\r\n")
    client.heard()
    assert client.closed or client.say("z NOOP")[-1] == "z OK NOOP completed"
