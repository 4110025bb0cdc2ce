"""The search finds what a plain look at each message finds, and opens no message it need not."""

import asyncio
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.memory_store import DEFAULT_DATE, MemoryStore
from unitymail.imap.letter import Letters
from unitymail.imap.search import evaluate, mask
from unitymail.imap.search.grammar import criteria
from unitymail.imap.search.keys.dates import Days, Sent
from unitymail.imap.search.leaf import NO, UNSURE, YES
from unitymail.imap.view import View
from unitymail.imap.wire.lexer import Reader


def message(**fields):
    body = fields.pop("body", "hello\r\n")
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return ("\r\n".join([*lines, "", body])).encode()


class Box:
    """A folder in memory, a view of it, and a search that runs at once."""

    def __init__(self, *messages, recent=()):
        self.store = MemoryStore()
        self.folder = self.store.account("u").folder("INBOX")
        for one in messages:
            octets, *rest = one if isinstance(one, tuple) else (one,)
            self.folder.put(octets, *rest)
        self.view = View(self.folder.snapshot, recent)
        self.folder.calls.clear()

    def find(self, text):
        tree = criteria(Reader([text if isinstance(text, bytes) else text.encode()]))

        async def run(function, *args):
            return function(*args)

        found = asyncio.run(evaluate.search(tree, self.view, self.folder, run, Letters(self.store, "u", self.folder)))
        assert self.store.open_contents == 0
        return mask.chosen(found, range(1, len(self.view) + 1))


@pytest.fixture(scope="module")
def box():
    return Box(
        (message(From="Robin Smith <robin@vm1.example.com>", To="chris@vm1.example.com", Subject="Lunch",
                 X_A="one", Date="Fri, 1 Jan 2027 23:30:00 -0500"), ["\\Seen"]),
        (message(From="=?utf-8?q?=C3=89mile?= <e@example.org>", Cc="robin@vm1.example.com",
                 Subject="=?utf-8?b?R3LDvMOfZQ==?=", Date="Sat, 2 Jan 2027 00:30:00 +0900", body="Straße und Gruß\r\n",
                 Content_Type="text/plain; charset=utf-8"),
         ["\\Flagged", "Work"], DEFAULT_DATE + 86400),
        (message(Subject="", body="=66oo lunch ba=\r\nr\r\n", Content_Transfer_Encoding="quoted-printable", X_A=""), (),
         DEFAULT_DATE + 2 * 86400),
        (message(From="a", Subject="x", body="z" * 1000), ["\\Deleted"]),
        recent=[(3, 4)],
    )


@pytest.mark.parametrize(("text", "found"), [
    ("ALL", [1, 2, 3, 4]),
    ("SEEN", [1]),
    ("UNSEEN", [2, 3, 4]),
    ("KEYWORD work", [2]),
    ("UNKEYWORD WORK", [1, 3, 4]),
    ("KEYWORD nobody", []),
    ("RECENT", [3, 4]),
    ("OLD", [1, 2]),
    ("NEW", [3, 4]),
    ("UNDELETED FLAGGED", [2]),
    ("2:3", [2, 3]),
    ("*", [4]),
    ("7:9", []),
    ("UID 3:*", [3, 4]),
    ("FROM robin", [1]),
    ("FROM ROBIN@VM1", [1]),
    ("FROM é", [2]),
    ("FROM É", [2]),
    ("TO chris", [1]),
    ("CC robin", [2]),
    ("BCC robin", []),
    ("SUBJECT lunch", [1]),
    ("SUBJECT GRÜ", [2]),
    ('SUBJECT ""', [1, 2, 3, 4]),
    ("HEADER X-A one", [1]),
    ('HEADER X-A ""', [1, 3]),
    ('HEADER Subject ""', [1, 2, 3, 4]),
    ('HEADER Date ""', [1, 2]),
    ("HEADER Content-Type UTF-8", [2]),
    ("HEADER Date 2027", [1, 2]),
    ("BODY lunch", [3]),
    ("BODY foo", [3]),
    ("BODY bar", [3]),
    ("BODY straße", [2]),
    ("TEXT lunch", [1, 3]),
    ("TEXT STRASSE", []),
    ("TEXT X-A", [1, 3]),
    ("LARGER 1000", [4]),
    ("SMALLER 1000", [1, 2, 3]),
    ("SENTON 1-Jan-2027", [1]),
    ("SENTON 2-Jan-2027", [2]),
    ("SENTBEFORE 2-Jan-2027", [1, 3, 4]),
    ("SENTSINCE 2-Jan-2027", [2]),
    ("OR FROM robin CC robin", [1, 2]),
    ("OR FROM robin (OR CC robin BODY lunch)", [1, 2, 3]),
    ("NOT FROM robin", [2, 3, 4]),
    ("NOT TEXT lunch", [2, 4]),
    ("NOT (SEEN FROM robin)", [2, 3, 4]),
    ("UNSEEN LARGER 10 NOT BODY zzz", [2, 3]),
    ("CHARSET UTF-8 SUBJECT grüße", [2]),
])
def test_keys(box, text, found):
    """Each key finds what it should, decoded and whatever the case."""
    assert box.find(text) == found


@pytest.mark.parametrize("needle", [
    b"\xff", b"\xed\xa0\x80", b"lunch\xff", b"lunch*", b"l?nch", b"[lunch]", b"l" * 60_000,
])
def test_needles_that_find_nothing(box, needle):
    """What is no UTF-8, or means something elsewhere, finds nothing and is no error."""
    assert box.find(b'SUBJECT "' + needle + b'"') == box.find(b'FROM "' + needle + b'"') == []
    assert box.find(b'NOT SUBJECT "' + needle + b'"') == [1, 2, 3, 4]


def test_internal_dates(box):
    """BEFORE, ON and SINCE go by the internal date."""
    day = date.fromtimestamp(DEFAULT_DATE).strftime("%d-%b-%Y")
    assert [box.find(f"{key} {day}") for key in ("BEFORE", "ON", "SINCE")] == [[], [1, 4], [1, 2, 3, 4]]


def test_flags_ask_nobody(box):
    """Flags, numbers and UIDs are answered from the view alone."""
    box.folder.calls.clear()
    box.find("UNSEEN OR 1 NOT UID 2 KEYWORD Work RECENT")
    assert box.folder.calls == []


def test_cheap_first(box):
    """What flags and the index have settled is not looked at in the messages."""
    box.folder.calls.clear()
    assert box.find("BODY lunch SEEN FROM nobody") == []
    assert box.folder.calls == ["terms_holding"]
    box.folder.calls.clear()
    assert box.find("OR BODY zzz UNSEEN") == [2, 3, 4]
    assert box.folder.calls == ["word_verdicts", "content"]
    box.folder.calls.clear()
    assert box.find("TEXT nowhere FLAGGED") == []
    assert box.folder.calls == ["terms_holding", "word_verdicts", "content"]


def test_one_reading_for_many_keys(box):
    """A message is opened once, however many keys need it."""
    box.folder.calls.clear()
    assert box.find("3 BODY foo BODY bar BODY lunch") == [3]
    assert box.folder.calls == ["word_verdicts"] * 3 + ["content"]


def test_enclosed_messages_and_other_parts():
    """BODY looks into enclosed messages and text parts, not into sounds; TEXT finds the names of attachments too."""
    inner = message(Subject="Enclosed", body="deep words\r\n")
    octets = (
        b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n"
        b"--b\r\nContent-Type: audio/wav; name=invoice.wav\r\n\r\nsound\r\n--b--\r\n"
    )
    box = Box(octets)
    found = {text: box.find(text) for text in (
        "BODY deep", "BODY enclosed", "BODY outer", "BODY sound", "BODY invoice", "TEXT invoice", "TEXT outer",
        "SUBJECT enclosed",
    )}
    hits = [text for text, numbers in found.items() if numbers]
    assert hits == ["BODY deep", "BODY enclosed", "TEXT invoice", "TEXT outer"]


def test_gone_messages():
    """A message that is gone meanwhile matches nothing, not even NOT."""
    box = Box(message(Subject="a"), message(Subject="b"), message(Subject="c"))
    box.folder.store([2], "add", ["\\Deleted"])
    box.folder.expunge()
    assert box.find("NOT SUBJECT nothing") == [1, 3]
    assert box.find("NOT BODY nothing") == [1, 3]
    assert box.find("NOT SEEN") == [1, 2, 3]


def test_many_combinations_of_flags():
    """More than 256 combinations of flags are no trouble."""
    box = Box(*[(message(Subject="s"), [f"k{n % 20}", f"j{n // 20}"]) for n in range(300)])
    assert box.find("KEYWORD k3 KEYWORD j14") == [284]
    assert len(box.find("UNKEYWORD k3")) == 285


def test_empty_folder():
    """An empty folder is searched without trouble."""
    box = Box()
    assert [box.find(text) for text in ("ALL", "1:*", "TEXT x", "NOT FROM x OR SEEN SINCE 1-Jan-2000")] == [[]] * 4


@settings(max_examples=300)
@given(st.integers(719000, 740000), st.integers(0, 2), st.integers(-14 * 60, 14 * 60), st.integers(0, 86399),
       st.integers(-3, 3))
def test_sent_by_moment_is_never_wrong(day, kind, zone_minutes, second, shift):
    """What the UTC moment says for certain is what the day as written says, whatever the time zone."""
    days = (Days(last=day - 1), Days(day, day), Days(first=day))[kind]
    written = day + shift
    moment = (written - date(1970, 1, 1).toordinal()) * 86400 + second - zone_minutes * 60
    (verdict,) = Sent(days)._by_moment([moment])
    assert verdict == UNSURE or verdict == (YES if written in days else NO)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_search_equals_the_plain_one(box_of_many, data):
    """Random trees find exactly what evaluating the tree message by message finds."""
    atoms = ["SEEN", "FLAGGED", "SUBJECT a", "SUBJECT b", "BODY x", "BODY y", "TEXT a", "SMALLER 60", "2:9", "FROM c"]
    trees = st.recursive(
        st.sampled_from(atoms),
        lambda t: st.one_of(t.map("NOT {}".format), st.tuples(t, t).map(lambda p: "OR {} {}".format(*p)),
                            st.lists(t, min_size=1, max_size=3).map(lambda p: f"({' '.join(p)})")),
        max_leaves=8,
    )
    text = data.draw(trees)
    single = {atom: set(box_of_many.find(atom)) for atom in atoms}
    assert set(box_of_many.find(text)) == plain(text, single, set(range(1, 41)))


@pytest.fixture(scope="module")
def box_of_many():
    return Box(*[
        (message(Subject="ab"[n % 2] * (n % 3), From="cd"[n // 5 % 2], body="xy"[n // 2 % 2] * (n % 7)),
         [f for bit, f in ((1, "\\Seen"), (4, "\\Flagged")) if n & bit])
        for n in range(40)
    ])


def plain(text, single, everything):
    """Sets, by the definition of the keys: an independent reading of the same text."""
    words = text.replace("(", "( ").replace(")", " )").split()

    def one():
        word = words.pop(0)
        if word == "NOT":
            return everything - one()
        if word == "OR":
            return one() | one()
        if word == "(":
            found = set(everything)
            while words[0] != ")":
                found &= one()
            words.pop(0)
            return found
        if word in single:
            return single[word]
        return single[f"{word} {words.pop(0)}"]

    return one()


def test_what_rows_say_is_noted_in_threads(monkeypatch):
    """Many keys about many rows are no work for the reactor: verdicts are noted where they are found."""
    box = Box(*(message(Subject=f"{number}") for number in range(5)))
    inside = noted = 0
    note = evaluate.Search._note

    def counting(self, *args):
        nonlocal noted
        assert inside
        noted += 1
        note(self, *args)

    monkeypatch.setattr(evaluate.Search, "_note", counting)

    async def run(function, *args):
        nonlocal inside
        inside += 1
        found = function(*args)
        inside -= 1
        return found

    tree = criteria(Reader([b"OR SUBJECT 3 OR SUBJECT 4 LARGER 1000"]))
    found = asyncio.run(evaluate.search(tree, box.view, box.folder, run, Letters(box.store, "u", box.folder)))
    assert mask.chosen(found, range(5)) == [3, 4] and noted == 3


def test_messages_are_read_beside_those_that_left():
    """Who has left is passed over without a look, those before and behind are read: also in a scattered view."""
    box = Box(*(message(Subject="x", body=f"word {number}") for number in range(9)))
    box.folder.store([1, 4, 5, 9], "add", ["\\Deleted"])
    box.folder.expunge()
    box.folder.put(message(Subject="x", body="word, and new"))
    box.folder.calls.clear()
    assert box.find("BODY word") == [2, 3, 6, 7, 8]
    assert box.folder.calls.count("content") == 5
