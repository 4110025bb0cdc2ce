"""Dots and line ends on the wire: no cut, no stray octet ends a message early."""

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.mail.smtp import ESMTPClient
from twisted.protocols.basic import FileSender

from unitymail.relay.stuffing import DottedLines, Lines
from unitymail.smtp.framing import Framer

PIECES = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"..", b"a", b"MAIL FROM:<x@y>", b"\r\n.\r\n"]), max_size=30
)


def sent(blocks, form=DottedLines):
    stuffing = form()
    return b"".join([*(stuffing.block(block) for block in blocks), stuffing.end()])


def received(octets):
    """What our own door makes of it; nothing may be left over."""
    framer = Framer()
    framer.begin_data()
    framer.feed(octets)
    found, ended = framer.data()
    assert ended and len(framer) == 0
    return found


def whole_lines(octets):
    text = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if text and not text.endswith(b"\n"):
        text += b"\n"
    return text.replace(b"\n", b"\r\n")


@given(PIECES, st.data())
@example([b".\r\n"], None)
def test_there_and_back(pieces, data):
    """What goes out comes in again, with CRLF line ends, wherever blocks were cut: nothing is left to be a command."""
    octets = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=8))) if data else []
    blocks = [octets[a:b] for a, b in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    assert received(sent(blocks)) == whole_lines(octets)
    assert sent(blocks) == sent([octets])
    assert sent(blocks, Lines) == whole_lines(octets)


def test_shapes():
    """The final dot stands on a line of its own, whether the message ends with CRLF or not."""
    assert sent([]) == b".\r\n"
    assert sent([b"a"]) == b"a\r\n.\r\n"
    assert sent([b"a\r\n"]) == b"a\r\n.\r\n"
    assert sent([b"a\r"]) == b"a\r\n.\r\n"
    assert sent([b".\r\n.a\r\n"]) == b"..\r\n..a\r\n.\r\n"


def test_the_boundary_where_stock_loses_a_dot():
    """Twisted's own client cuts blocks of 16 KiB and forgets the dot that begins one: the rest becomes commands."""
    size = FileSender.CHUNK_SIZE
    body = b"x" * (size - 1) + b"\n.\nMAIL FROM:<evil@example.net>\n"
    blocks = [body[:size], body[size:]]
    stock = b"".join(map(ESMTPClient(None, identity=b"me").transformChunk, blocks))
    assert b"\r\n.\r\nMAIL FROM" in stock
    assert b"\r\n.\r\nMAIL FROM" not in sent(blocks)
    assert received(sent(blocks)) == whole_lines(body)


def test_bare_line_feeds_smuggle_nothing():
    """A bare LF before a dot reaches no server as one, whatever it takes for the end of a message."""
    out = sent([b"a\n.\nMAIL FROM:<evil@example.net>\r.\r\n"])
    assert out == b"a\r\n..\r\nMAIL FROM:<evil@example.net>\r\n..\r\n.\r\n"
