"""Every command in every form a client may choose, spoiled in every way: an answer for each, and never a traceback."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.conversation import MESSAGE, House
from tests.imap.grammar import ELSEWHERE, EVERY, written
from unitymail.disk import Disk
from unitymail.imap.registry import discover
from unitymail.store import Store

LITERAL = re.compile(rb"~?\{(\d+)\}\r\n")
RESPONSE = re.compile(rb"\* .+|\+ .*|t\d+ (OK|NO|BAD) .*|\S{1,80} BAD .*", re.DOTALL)


def answered(pieces, *, house=None):
    """(the house, the client, all octets heard) after these pieces; time passes, as far as nobody times out."""
    house = house or House()
    house.inbox.put(MESSAGE)
    house.inbox.put(MESSAGE, ["\\Deleted"])
    house.account.create("a/b")
    client = house.selected()
    heard = b""
    for piece in pieces:
        client.send(piece)
        for _ in range(20):
            house.clock.advance(0)
        heard += client.wire.value()
        client.wire.clear()
    return house, client, heard


def responses(heard):
    """Whole responses, literals taken out."""
    while found := LITERAL.search(heard):
        heard = heard[: found.start()] + b"(literal)" + heard[found.end() + int(found[1]) :]
    return heard.split(b"\r\n")[:-1]


def settle(client, heard):
    """End whatever a spoiled command left open, so that the last answer comes: a literal, or IDLE."""
    client.send(b"\r\n" * 3)
    return heard + client.wire.value()


def check(house, client, heard):
    assert house.journal.named("trouble") == []
    for response in responses(heard):
        assert RESPONSE.fullmatch(response), response
    if client.closed:
        assert b"* BYE " in heard
    assert house.store.open_contents == 0


def test_every_command_is_here():
    """A command that somebody adds is fuzzed, with UID where it takes UID."""
    known = discover().commands
    expected = {*known, *(f"UID {name}" for name, one in known.items() if one.uid)}
    assert expected - ELSEWHERE == set(EVERY)


@pytest.mark.parametrize("name", sorted(EVERY))
def test_in_every_form(name):
    """Each spelling of each argument is understood, and gets its answer."""
    found = set()

    @settings(max_examples=25, deadline=None)
    @given(written(names=(name,), spoiled=False))
    def forms(line):
        house, client, heard = answered([b"t1 " + line])
        check(house, client, heard)
        found.update(re.findall(rb"t1 (OK|NO|BAD)", heard))

    forms()
    assert found & {b"OK", b"NO"}, found


@settings(max_examples=300, deadline=None)
@given(st.lists(written(), min_size=1, max_size=6))
def test_spoiled(lines):
    """Commands with arguments left out, doubled, cut, put in and replaced by garbage."""
    house, client, heard = answered([b"t%d %b" % pair for pair in enumerate(lines)])
    check(house, client, settle(client, heard))


@settings(max_examples=100, deadline=None)
@given(st.lists(written(), min_size=1, max_size=4), st.data())
def test_cuts_do_not_matter(lines, data):
    """The same octets in other pieces get the same answers."""
    octets = b"".join(b"t%d %b" % pair for pair in enumerate(lines))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(octets)), max_size=6)))
    pieces = [octets[a:b] for a, b in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    assert timeless(answered(pieces)[2]) == timeless(answered([octets])[2])


def timeless(heard):
    """Without what two houses choose for themselves, and without prompts, which depend on what had come by then."""
    return re.sub(rb"\(?F[0-9a-f]{16}\)?|(?<=UIDVALIDITY )\d+", b"n", re.sub(rb"\+ [^\r]*\r\n", b"", heard))


@settings(max_examples=60, deadline=None)
@given(st.lists(written(), min_size=1, max_size=5))
def test_on_disk(tmp_path_factory, lines):
    """The same with mailboxes on disk."""
    store = Store(str(tmp_path_factory.mktemp("mail")), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
    house = House(store=store)
    try:
        client = house.signed_in()
        client.send(b"x APPEND INBOX {%d+}\r\n%b\r\nx SELECT INBOX\r\n" % (len(MESSAGE), MESSAGE))
        client.heard()
        for pair in enumerate(lines):
            client.send(b"t%d %b" % pair)
            for _ in range(20):
                house.clock.advance(0)
        heard = settle(client, b"")
        assert house.journal.named("trouble") == []
        assert not client.closed or b"* BYE " in heard
        client.leave()
    finally:
        store.close()
