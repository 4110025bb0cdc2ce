"""Whatever a client sends, however it is cut: no traceback, no answer out of place, no close without BYE."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.conversation import MESSAGE, House

WORDS = st.sampled_from([
    *b'INBOX &AOk- a&b 1:* 1 2,9:* () (\\Seen) % "*" "" NIL "open \xff $ +FLAGS +FLAGS.SILENT RETURN Sent x/y/'.split(),
    *b"DONE (SPECIAL-USE) BODY[]<0.5> CHARSET (((".split(),
    b'"a b"', b"(FLAGS UID)", b"{3+}\r\nxyz", b"{0+}\r\n", b"~{4+}\r\na\0b\n", b"(MESSAGES UNSEEN)",
    b'"17-Jul-1996 02:44:25 -0700"',
])
VERBS = st.sampled_from([
    *b"APPEND CHECK CLOSE COPY CREATE DELETE ENABLE EXAMINE EXPUNGE FETCH ID LIST LSUB MOVE NAMESPACE NOOP".split(),
    *b"RENAME SEARCH SELECT STATUS STORE SUBSCRIBE UNSELECT UNSUBSCRIBE AUTHENTICATE STARTTLS BOGUS".split(),
    b"UID FETCH", b"UID STORE", b"UID COPY", b"UID EXPUNGE", b"UID SEARCH", b"IDLE\r\nDONE\r\nx NOOP",
])


def commands_of(verbs, words, most):
    """A strategy of lines: a verb and up to so many words in any order."""
    arguments = st.lists(words, max_size=most)
    return st.builds(lambda verb, some: b"t " + b" ".join([verb, *some]) + b"\r\n", verbs, arguments)


COMMAND = commands_of(VERBS, WORDS, 4)
COMMANDS = st.lists(COMMAND | st.binary(max_size=30), max_size=12)
LITERAL = re.compile(rb"\{(\d+)\}\r\n")


def converse(pieces):
    house = House()
    house.inbox.put(MESSAGE)
    house.inbox.put(MESSAGE, ["\\Deleted"])
    client = house.selected()
    heard = b""
    for piece in pieces:
        client.send(piece)
        heard += client.wire.value()
        client.wire.clear()
        for _ in range(20):
            house.clock.advance(0)
    heard += client.wire.value()
    return house, client, heard


def lines(heard):
    """Response lines, literals taken out."""
    while found := LITERAL.search(heard):
        heard = heard[: found.start()] + heard[found.end() + int(found.group(1)) :]
    return heard.split(b"\r\n")


def is_sound(house, client, heard, also=rb"$"):
    """Every line is a response (or what `also` allows), nobody was cut off without BYE, nothing is left open."""
    assert house.journal.named("trouble") == []
    for line in lines(heard):
        assert re.match(rb"\* |\+ |\S+ (OK|NO|BAD) |$|" + also, line), line
    if client.closed:
        assert b"* BYE " in heard
    assert house.store.open_contents == 0


def cut_up(octets, sizes):
    """The octets in pieces of these sizes, and what is left."""
    pieces = []
    for size in sizes:
        pieces.append(octets[:size])
        octets = octets[size:]
    return [*pieces, octets]


@settings(max_examples=150, deadline=None)
@given(COMMANDS)
def test_anything(commands):
    """Commands with every kind of argument in every place."""
    is_sound(*converse(commands))


@settings(max_examples=60, deadline=None)
@given(COMMANDS, st.data())
def test_cuts(commands, data):
    """The same octets in other pieces get the same answers."""
    octets = b"".join(commands)
    cut = data.draw(st.integers(0, len(octets)))
    assert converse([octets[:cut], octets[cut:]])[2] == converse([octets])[2]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_before_signing_in(pieces):
    """Noise at the door."""
    house = House()
    client = house.connect()
    for piece in pieces:
        client.send(piece)
    assert house.journal.named("trouble") == []
    assert not client.closed or "* BYE " in client.heard()
