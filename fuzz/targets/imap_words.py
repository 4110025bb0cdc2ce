"""The words of IMAP commands, of FETCH and of SEARCH: read, or refused in words that can be sent."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

from unitymail.imap.fetch.grammar import MOST_ATTRIBUTES, attributes
from unitymail.imap.registry import Bad, No
from unitymail.imap.search import tree
from unitymail.imap.search.grammar import criteria
from unitymail.imap.search.key import MOST_KEYS
from unitymail.imap.wire import sequence
from unitymail.imap.wire.lexer import BadSyntax, Literal, Part, Reader
from unitymail.imap.wire.names import BadName

WORDS = [
    b"(", b")", b"NOT ", b"OR ", b"CHARSET UTF-8 ", b"FROM ", b"HEADER Subject ", b"SINCE 1-Feb-1994", b"LARGER 10",
    b"UID 1:*,5", b"$",
    b"KEYWORD ", b"BODY[1.2.HEADER.FIELDS (To From)]<0.10>", b"BODY.PEEK[TEXT]", b"ENVELOPE", b"FLAGS", b"FULL",
    b"RFC822.SIZE", b"MIME]",
    b'"', b'\\"', b"NIL", b"\\Seen", b"\0", b"1:4294967295", b"4294967296", b"*:*", b",",
    b'"17-Jul-1996 02:44:25 -0700"', b" ",
    b"TEXT \0lit\0",
]
SEEDS = [
    b"s(FLAGS BODY.PEEK[HEADER.FIELDS (Date From)]<0.100> ENVELOPE)", b"sFULL", b"sBODY[1.2.3.MIME]",
    b'sOR (FROM "Robin" NOT SEEN) CHARSET', b"sCHARSET UTF-8 TEXT \0\xc3\xa9\0 SINCE 1-Feb-1994 UID 1:*",
    b'd"17-Jul-1996 02:44:25 -0700"',
    b"1,2:5,9:*,7", b"(\\Seen work \\Recent)", b'"INBOX/&AOk-"', b"NOT NOT NOT NOT ALL",
]
_UIDS = array("I", [1, 2, 5, 9, 4_000_000_000])
_READS: list[Callable[[Reader], Any]] = [
    Reader.atom, Reader.astring, Reader.string, Reader.nstring, Reader.mailbox, Reader.list_pattern, Reader.number,
    Reader.flag_list, Reader.flags_until_end, Reader.date, Reader.date_time, Reader.word, Reader.literal,
]


def one(data: bytes) -> None:
    """Octets between NULs are literals; the others are text."""
    parts: list[Part] = [
        piece if not number % 2 else Literal(piece) for number, piece in enumerate(data[1:].split(b"\0"))
    ]
    parts = [part for part in parts if part != b"" and not (isinstance(part, bytes) and b"\n" in part)]
    for utf8 in (False, True):
        for read in _READS:
            _told(read, parts, utf8)
    _check_fetch(parts)
    _check_search(parts)
    _check_set(data[1:])


def _told(read: Callable[[Reader], Any], parts: list[Part], utf8: bool = False) -> Any:
    """What was read; None when it was refused, in words that can be sent."""
    try:
        return read(Reader(parts, utf8=utf8))
    except (BadSyntax, BadName, No, Bad) as refused:
        words = str(refused.args[0])
        assert words and words.isprintable() and len(words) < 300, words
        return None


def _check_fetch(parts: list[Part]) -> None:
    items = _told(attributes, parts)
    if items is not None:
        assert 0 < len(items) <= MOST_ATTRIBUTES + 10
        assert len(set(items)) == len(items)


def _check_search(parts: list[Part]) -> None:
    key = _told(criteria, parts)
    if key is None:
        return
    found = list(tree.leaves(key))
    assert len(found) <= 2 * MOST_KEYS
    surely, possibly = tree.bounds(key, 0b111, lambda leaf: (0b001, 0b011))
    assert surely & ~possibly == 0
    tree.decide(key, lambda leaf: None, lambda leaf: True)


def _check_set(octets: bytes) -> None:
    try:
        found = sequence.parse(octets)
    except ValueError:
        return
    ends = [end for span in found.ranges for end in span]
    assert ends == sorted(ends) and all(1 <= end <= sequence.MAX_NUMBER for end in ends)
    numbers = found.of_uids(_UIDS)
    assert set(numbers) <= set(_UIDS) and list(numbers) == sorted(numbers)
    spans = found.spans_of_numbers(len(_UIDS))
    assert all(0 <= begin < end <= len(_UIDS) for begin, end in spans)
