"""Every answer says of what was found exactly what a plain look at the list says."""

import asyncio
import re
from array import array
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from unitymail.imap.search.options import ReturnOptions
from unitymail.imap.search.results import Matches, Ordered, answer, referred
from unitymail.imap.view import View
from unitymail.imap.wire.partial import Page
from unitymail.interfaces.store import Snapshot


class FakeSession:
    """The part of a session that answers need."""

    def __init__(self, view, *, rev2=False):
        self.view, self.rev2, self.tag = view, rev2, b"A282"
        self.sent = b""

    def send(self, octets):
        self.sent += octets

    async def run(self, function, *args):
        return function(*args)

    async def drained(self):
        pass

    breathe = drained


def view_of(uids, modseqs=None):
    count = len(uids)
    return View(Snapshot(1, 1, 10**6, 1, array("L", uids), array("L", [0] * count),
                         array("Q", modseqs or [1] * count), (frozenset(),)))


def heard(view, verb, found, options, **how):
    session = FakeSession(view, rev2=how.pop("rev2", False))
    asyncio.run(answer(session, verb, found, options, **how))
    return session.sent.decode()


def numbers_in(text):
    """A sequence set as the client expands it."""
    found = []
    for item in text.split(","):
        begin, _, end = item.partition(":")
        found += range(int(begin), int(end or begin) + 1)
    return found


def read(line):
    """An ESEARCH response as a client reads it: its items by name."""
    whole = re.fullmatch(r'\* ESEARCH \(TAG "A282"\)( UID)?(.*)\r\n', line)
    items = {"UID": bool(whole[1])}
    rest = whole[2].strip()
    while rest:
        name, _, rest = rest.partition(" ")
        if name == "PARTIAL":
            page, listed, rest = re.fullmatch(r"\((\S+) (\S+)\) ?(.*)", rest).groups()
            items[name] = (page, [] if listed == "NIL" else numbers_in(listed))
        else:
            value, _, rest = rest.partition(" ")
            items[name] = numbers_in(value) if name == "ALL" else int(value)
    return items


UIDS = st.sets(st.integers(1, 300), max_size=60).map(sorted)
PAGES = st.builds(lambda sign, one, other: Page(sign * one, sign * other), st.sampled_from([1, -1]), st.integers(1, 70),
                  st.integers(1, 70))
FLAGS = st.booleans()
OPTIONS = st.builds(ReturnOptions, min=FLAGS, max=FLAGS, count=FLAGS, all=FLAGS, save=FLAGS, partial=st.none() | PAGES)


def page_of(numbers, page):
    low, high = sorted((abs(page.begin), abs(page.end)))
    if page.begin > 0:
        return numbers[low - 1 : high]
    return [n for at, n in enumerate(reversed(numbers), 1) if low <= at <= high][::-1]


@settings(max_examples=400)
@given(st.data(), UIDS, OPTIONS, FLAGS, FLAGS, FLAGS)
def test_answers_equal_the_plain_model(data, uids, options, by_uid, modseq, in_order):
    """MIN, MAX, COUNT, ALL, PARTIAL, SAVE and MODSEQ, of sets and of sorted lists, by number and by UID."""
    modseqs = data.draw(st.lists(st.integers(1, 10**6), min_size=len(uids), max_size=len(uids)))
    view = view_of(uids, modseqs)
    indexes = sorted(data.draw(st.sets(st.integers(0, max(len(uids) - 1, 0))))) if uids else []
    if in_order:
        indexes = data.draw(st.permutations(indexes))
    found = Ordered(indexes) if in_order else Matches(sum(1 << at for at in indexes))
    view.saved = before = 0b1 if uids else 0
    line = heard(view, b"SORT" if in_order else b"SEARCH", found, options, by_uid=by_uid, modseq=modseq)

    numbers = [uids[at] if by_uid else at + 1 for at in indexes]
    told = set()
    expected = {"UID": by_uid}
    if numbers and options.min:
        expected["MIN"] = numbers[0]
        told.add(indexes[0])
    if numbers and options.max:
        expected["MAX"] = numbers[-1]
        told.add(indexes[-1])
    if options.count:
        expected["COUNT"] = len(numbers)
    if numbers and options.all:
        expected["ALL"] = numbers
    if options.partial is not None:
        expected["PARTIAL"] = (options.partial.octets().decode(), page_of(numbers, options.partial))
        told.update(page_of(indexes, options.partial))
    if options.count or options.all or not (options.min or options.max or options.partial):
        told = set(indexes)
    if modseq and told:
        expected["MODSEQ"] = max(modseqs[at] for at in told)
    if options == ReturnOptions(save=True):
        assert line == ""
    else:
        assert read(line) == expected
    assert view.saved == (sum(1 << at for at in told) if options.save else before)


@given(st.data(), UIDS, FLAGS, FLAGS)
def test_plain_answers(data, uids, by_uid, modseq):
    """Without RETURN all numbers come in one line; the mod-sequence behind them when something was found."""
    view = view_of(uids, list(range(1, len(uids) + 1)))
    order = data.draw(st.permutations(range(len(uids))))
    numbers = [uids[at] if by_uid else at + 1 for at in order]
    end = f" (MODSEQ {len(uids)})" if modseq and uids else ""
    how = {"by_uid": by_uid, "modseq": modseq}
    listed = "".join(f" {n}" for n in numbers)
    assert heard(view, b"SORT", Ordered(order), None, **how) == "* SORT" + listed + end + "\r\n"
    everything = Matches((1 << len(uids)) - 1)
    listed = "".join(f" {n}" for n in sorted(numbers))
    assert heard(view, b"SEARCH", everything, None, **how) == "* SEARCH" + listed + end + "\r\n"


def test_rev2():
    """A client of IMAP4rev2 hears ESEARCH also when it did not ask for it; SORT stays SORT (RFC 9051, 6.4.4)."""
    view = view_of([4, 5, 9])
    told = [heard(view, verb, found, None, by_uid=True, rev2=True)
            for verb, found in ((b"SEARCH", Matches(0b111)), (b"SEARCH", Matches(0)), (b"SORT", Ordered([2, 0, 1])))]
    assert told == ['* ESEARCH (TAG "A282") UID ALL 4:5,9\r\n', '* ESEARCH (TAG "A282") UID\r\n', "* SORT 9 4 5\r\n"]


def test_sorted_runs():
    """In a sorted answer a range only stands for numbers that ascend (RFC 5267, 3.2)."""
    view = view_of([7, 8, 9, 20])
    told = heard(view, b"SORT", Ordered([2, 1, 0, 3]), ReturnOptions(all=True), by_uid=True)
    assert told == '* ESEARCH (TAG "A282") UID ALL 9,8,7,20\r\n'


def test_updates_of_sorted_results():
    """To follow a sorted result is refused, and the result told all the same (RFC 5267, 4.3.1)."""
    told = heard(view_of([7, 8]), b"SORT", Ordered([1, 0]), ReturnOptions(update=True, count=True), by_uid=True)
    assert told.startswith('* NO [NOUPDATE "A282"] ')
    assert told.endswith('\r\n* ESEARCH (TAG "A282") UID COUNT 2\r\n')


def test_what_is_saved():
    """RFC 5182, 2.1 and RFC 9394, 3.2: MIN, MAX and PARTIAL narrow what SAVE saves; COUNT and ALL do not."""
    found = Matches(0b11111)
    table = {
        "": 0b11111, "min": 0b00001, "max": 0b10000, "min max": 0b10001, "min count": 0b11111, "max all": 0b11111,
        "partial": 0b00110, "partial min": 0b00111, "partial max": 0b10110, "partial min max": 0b10111,
        "partial count": 0b11111,
    }
    pages = SimpleNamespace(partial=Page(2, 3))
    for words, saved in table.items():
        options = ReturnOptions(save=True, **{word: getattr(pages, word, True) for word in words.split()})
        assert referred(found, options) == saved, words
