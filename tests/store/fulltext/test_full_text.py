"""A search answers the same with and without the full-text index, however far that has come."""

import asyncio
import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.house import House, message
from unitymail.imap.letter import Letters
from unitymail.imap.search import evaluate, mask
from unitymail.imap.search.grammar import criteria
from unitymail.imap.search.keys.text import Body, Text
from unitymail.imap.search.tree import And, Not, Or
from unitymail.imap.view import View
from unitymail.imap.wire.lexer import Reader
from unitymail.mail.text import fold
from unitymail.store.fulltext.filling import LONGEST_PART, fill


class Opened:
    """Counts the messages that a search reads."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0

    def __getattr__(self, name):
        return getattr(self.folder, name)

    def content(self, uid):
        self.count += 1
        return self.folder.content(uid)


def found(house, tree, *, folder=None):
    """(the UIDs that match, how many messages were read)"""
    folder = Opened(folder or house.inbox)
    view = View(folder.refresh())

    async def run(function, *args):
        return function(*args)

    letters = Letters(house.store, house.account.id, folder.folder)
    matching = asyncio.run(evaluate.search(tree, view, folder, run, letters))
    return mask.chosen(matching, view.uids), folder.count


def asked(text):
    return criteria(Reader([text.encode()]))


def fill_all(house):
    while fill(house.account):
        pass


def test_the_first_search_begins_it(house):
    """Without an index messages are read; that search begins one, and the next reads nothing."""
    house.deliver(octets=message(body=b"lunch\r\n"))
    house.deliver(octets=message(body=b"dinner\r\n"))
    assert not house.account.full_text.is_kept
    assert found(house, asked("BODY lunch")) == ([1], 2)
    assert house.account.full_text.is_kept
    fill_all(house)
    assert found(house, asked("BODY lunch")) == ([1], 0)
    assert found(house, asked("TEXT zebra")) == ([], 0)
    assert found(house, asked("NOT BODY lunch")) == ([2], 0)


def test_what_came_since_is_read(house):
    """A message that the index has not come to yet is read, and only that."""
    house.deliver(octets=message(body=b"lunch\r\n"))
    found(house, asked("BODY lunch"))
    fill_all(house)
    house.deliver(octets=message(body=b"lunch again\r\n"))
    assert found(house, asked("BODY lunch")) == ([1, 2], 1)


def test_short_needles_are_read(house):
    """Two characters are no trigram: the messages are read, and the answer is right."""
    house.deliver(octets=message(body=b"lunch\r\n"))
    found(house, asked("BODY lunch"))
    fill_all(house)
    assert found(house, asked("BODY un")) == ([1], 1)


def test_only_some_messages_asked(house):
    """A search among few messages of a folder asks the index about those."""
    for body in (b"lunch", b"dinner", b"lunch", b"lunch"):
        house.deliver(octets=message(house.count, body + b"\r\n"))
    found(house, asked("BODY lunch"))
    fill_all(house)
    assert found(house, asked("2:3 BODY lunch")) == ([3], 0)
    assert found(house, asked("1,4 BODY lunch")) == ([1, 4], 0)


def test_expunged_and_copied(house):
    """Copies are found in their folder; what has left is not found, although the index may hold it still."""
    house.deliver(octets=message(body=b"lunch\r\n"))
    house.inbox.refresh()
    found(house, asked("BODY lunch"))
    fill_all(house)
    archive = house.account.folder("Archive")
    house.inbox.move([1], archive)
    assert found(house, asked("BODY lunch")) == ([], 0)
    assert found(house, asked("BODY lunch"), folder=archive) == ([1], 0)


def test_gone_meanwhile(house):
    """A message that another session has just expunged matches nothing, not even NOT, although its words are held."""
    house.deliver(octets=message(body=b"lunch\r\n"))
    house.deliver(octets=message(body=b"dinner\r\n"))
    found(house, asked("BODY lunch"))
    fill_all(house)
    stale = Opened(house.inbox)
    view = View(house.inbox.refresh())
    house.inbox.store([1, 2], "add", ["\\Deleted"])
    house.inbox.expunge([1])

    async def run(function, *args):
        return function(*args)

    letters = Letters(house.store, house.account.id, house.inbox)
    for text, expected in (("NOT BODY supper", [2]), ("BODY lunch", []), ("BODY dinner", [2])):
        matching = asyncio.run(evaluate.search(asked(text), view, stale, run, letters))
        assert mask.chosen(matching, view.uids) == expected


def test_held_in_part(house):
    """Of a message that is too long to be held whole, the words that are not held are found by reading it."""
    house.deliver(octets=message(1, b"lunch\r\n" + b"word " * (LONGEST_PART // 5) + b"\r\ndinner\r\n"))
    found(house, asked("BODY lunch"))
    fill_all(house)
    assert found(house, asked("BODY dinner")) == ([1], 1)
    assert found(house, asked("NOT BODY dinner")) == ([], 1)
    assert found(house, asked('TEXT "number 1"')) == ([1], 0)


def test_switched_off(make_house):
    """Where the site wants no such index, none begins."""
    house = make_house(full_text=lambda: False)
    house.deliver(octets=message(body=b"lunch\r\n"))
    assert found(house, asked("BODY lunch")) == ([1], 1)
    house.store.fill_full_text()
    assert not house.account.full_text._catalogue.exists


def test_reindex_begins_anew(house):
    """`mailbox reindex` throws the index away; the next search begins another."""
    house.deliver(octets=message(body=b"lunch\r\n"))
    found(house, asked("BODY lunch"))
    house.store.fill_full_text()
    assert found(house, asked("BODY lunch")) == ([1], 0)
    house.account.reindex()
    assert found(house, asked("BODY lunch")) == ([1], 1)
    house.store.fill_full_text()
    assert found(house, asked("BODY lunch")) == ([1], 0)


def test_lost_index_of_the_account(house):
    """When the account's own index was lost, contents have new numbers, and no old word is taken for theirs."""
    house.deliver(octets=message(body=b"lunch\r\n"))
    found(house, asked("BODY lunch"))
    fill_all(house)
    house.account.access.rebuild()
    assert found(house, asked("BODY lunch"))[0] == [1]
    fill_all(house)
    assert found(house, asked("BODY lunch")) == ([1], 0)


def test_a_damaged_file_costs_nothing_but_time(house):
    """The search reads the messages instead; afterwards the index is made again."""
    house.deliver(octets=message(body=b"lunch\r\n"))
    found(house, asked("BODY lunch"))
    fill_all(house)
    house.account.full_text.close()
    with open(house.path("unitymail.fulltext"), "r+b") as file:
        file.write(b"garbage" * 300)
    assert found(house, asked("BODY lunch")) == ([1], 1)
    house.reopen()
    found(house, asked("BODY lunch"))
    fill_all(house)
    assert found(house, asked("BODY lunch")) == ([1], 0)


WORDS = st.sampled_from(
    ["lunch", "Straße", "été", "日本語", "ab", "ﬁne", "İ", '"', "*", "a b", "\t", "ǅ", "\N{KELVIN SIGN}elvin"]
)
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)


def encoded(text, way):
    octets = text.encode()
    if way == "base64":
        header = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        return header + base64.encodebytes(octets)
    if way == "html":
        return b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>" + octets + b"</p>\r\n"
    if way == "latin":
        return b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\n" + text.encode("latin-1", "replace") + b"\r\n"
    if way == "binary":
        return b"Content-Type: application/octet-stream\r\n\r\n" + octets + b"\r\n"
    if way == "enclosed":
        return b"Content-Type: message/rfc822\r\n\r\nSubject: " + octets + b"\r\n\r\n" + octets + b"\r\n"
    return b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + octets + b"\r\n"


PARTS = st.lists(st.tuples(TEXTS, st.sampled_from(["", "base64", "html", "latin", "binary", "enclosed"])), max_size=3)


def written(subject, parts):
    inside = b"".join(b"--x\r\n" + encoded(*part) for part in parts)
    header = b"Subject: " + subject.encode() + b"\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    return (header + inside + b"--x--\r\n").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


MESSAGES = st.lists(st.builds(written, TEXTS, PARTS) | st.binary(min_size=1, max_size=80), min_size=1, max_size=5)
NEEDLES = TEXTS | st.text(max_size=4)
LEAVES = st.builds(Text, NEEDLES.map(fold)) | st.builds(Body, NEEDLES.map(fold))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(Not, inner) | st.builds(lambda a, b: And((a, b)), inner, inner)
    | st.builds(lambda a, b: Or((a, b)), inner, inner),
    max_leaves=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("equal")


@settings(max_examples=60)
@given(MESSAGES, MESSAGES, st.lists(TREES, min_size=1, max_size=4))
def test_equal_with_and_without(place, before, later, trees):
    """Any messages, any tree of TEXT and BODY: the index, whole or behind, changes nothing but what is read."""
    test_equal_with_and_without.number = number = getattr(test_equal_with_and_without, "number", 0) + 1
    house = House(place / str(number))
    try:
        for octets in before:
            house.append(house.inbox, octets=octets)
        plain = [found(house, tree)[0] for tree in trees]
        house.account.full_text.asked = True
        fill_all(house)
        assert [found(house, tree)[0] for tree in trees] == plain
        for octets in later:
            house.append(house.inbox, octets=octets)
        behind = [found(house, tree)[0] for tree in trees]
        fill_all(house)
        assert [found(house, tree)[0] for tree in trees] == behind
        house.account.full_text.forget()
        assert [found(house, tree)[0] for tree in trees] == behind
    finally:
        house.store.close()
        house.close()
