"""What servers answer, however it is cut, however long or wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.reply import Reply
from unitymail.relay.replies import LONGEST_LINE, LONGEST_TEXT, MOST_LINES, MOST_TEXT, ReplyReader

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
REPLIES = st.tuples(st.integers(200, 599), st.lists(WORDS, min_size=1, max_size=4))


class Flawed(Exception):
    """What came is no reply, or has no end."""


def replies_of(*blocks):
    reader = ReplyReader()
    found = [reply for block in blocks for reply in reader.read(block)]
    if reader.flaw is not None:
        raise Flawed(reader.flaw)
    return found


def wire(code, texts):
    last = len(texts) - 1
    return "".join(f"{code}{' ' if n == last else '-'}{text}\r\n" for n, text in enumerate(texts)).encode()


@pytest.mark.parametrize(("octets", "reply"), [
    (b"250 2.1.0 Sender ok\r\n", Reply(250, "2.1.0", "Sender ok")),
    (b"250 ok\r\n", Reply(250, "", "ok")),
    (b"250\r\n", Reply(250, "", "")),
    (b"250 \r\n", Reply(250, "", "")),
    (b"250 ok\n", Reply(250, "", "ok")),
    (b"550 5.1.1\r\n", Reply(550, "5.1.1", "")),
    (b"550 4.1.1 contradicts itself\r\n", Reply(550, "", "4.1.1 contradicts itself")),
    (b"354 go on\r\n", Reply(354, "", "go on")),
    (b"550-5.7.1 One\r\n550 5.7.1 two\r\n", Reply(550, "5.7.1", "One\ntwo")),
    (b"550-One\r\n550 5.7.1 two\r\n", Reply(550, "5.7.1", "One\ntwo")),
    (b"250-mx\r\n250-SIZE 10\r\n250 DSN\r\n", Reply(250, "", "mx\nSIZE 10\nDSN")),
    (b"250 caf\xc3\xa9\x07\r\n", Reply(250, "", "caf???")),
])  # fmt: skip
def test_the_shapes(octets, reply):
    """One line, several, with an enhanced code and without: what was said is what is read."""
    assert replies_of(octets) == [reply]


@pytest.mark.parametrize("octets", [
    b"hello\r\n", b"99 too short\r\n", b"150 no such class\r\n", b"600 none either\r\n", b"250x\r\n", b"\r\n",
    b"250-one\r\n550 two\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"\xff\xfe\r\n",
])  # fmt: skip
def test_what_is_no_reply(octets):
    """Garbage is told from a refusal: nothing after it is believed."""
    with pytest.raises(Flawed):
        replies_of(octets)


def test_endless_line():
    """A line without an end takes no memory without an end."""
    reader = ReplyReader()
    assert reader.read(b"250 fine\r\n250 " + b"x" * LONGEST_LINE) == [Reply(250, "", "fine")]
    assert reader.flaw == "a line of more than 4,096 octets" and len(reader) == 0
    for size in (LONGEST_LINE - 100, LONGEST_LINE + 1):
        reader = ReplyReader()
        for block in (b"250 ", b"x" * (size - 104), b"x" * 100, b"\n"):
            reader.read(block)
        assert (reader.flaw is None) is (size < LONGEST_LINE)


def test_nothing_is_read_behind_a_flaw():
    """Replies before it are given out, what follows it never is."""
    reader = ReplyReader()
    assert reader.read(b"250 fine\r\nwhat?\r\n250 fine\r\n") == [Reply(250, "", "fine")]
    assert "`what?`" in reader.flaw and reader.read(b"250 fine\r\n") == []


def test_endless_reply():
    """Nor does a reply without a last line."""
    with pytest.raises(Flawed):
        replies_of(b"250-more\r\n" * (MOST_LINES + 1))


def test_the_longest_reply():
    """Of one that is long in every way the beginning is kept, and its last line; the next is read as ever."""
    octets = b"550-" + b"x" * 1_000 + b"\r\n"
    long, short = replies_of(octets * MOST_LINES + b"550 5.7.1 no\r\n" + b"250-" + b"y" * 600 + b"\r\n250 ok\r\n")
    assert (long.code, long.enhanced) == (550, "5.7.1") and long.text.endswith("\nno")
    assert long.text.startswith("x" * LONGEST_TEXT + "\nx") and len(long.text) < MOST_TEXT + MOST_LINES + 10
    assert short.text == "y" * 600 + "\nok"


def test_clear():
    """What came before TLS is forgotten, an unfinished reply too."""
    reader = ReplyReader()
    assert reader.read(b"250-one\r\n250 tw") == []
    reader.clear()
    assert reader.read(b"220 anew\r\n") == [Reply(220, "", "anew")]


@given(st.lists(REPLIES, max_size=6), st.data())
def test_cuts_do_not_matter(replies, data):
    """However the network cuts them, the same replies come out."""
    octets = b"".join(wire(*reply) for reply in replies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=10)))
    blocks = [octets[a:b] for a, b in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    assert replies_of(*blocks) == replies_of(octets)
    assert [reply.code for reply in replies_of(octets)] == [code for code, _ in replies]


@given(st.binary(max_size=300))
def test_any_octets(octets):
    """No octets make anything but replies and Flawed, and texts are always fit for a log."""
    try:
        found = replies_of(octets)
    except Flawed as bad:
        assert str(bad).isprintable()
    else:
        assert all(reply.text.replace("\n", "").isprintable() and reply.text.isascii() for reply in found)
