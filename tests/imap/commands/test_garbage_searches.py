"""Whatever stands in a search, however it is cut: one tagged answer, no traceback, and the connection lives."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.conversation import House
from unitymail.imap.search.key import KEYS

KEY_WORDS = st.sampled_from(sorted([*KEYS, "NOT", "OR"]))
ARGUMENTS = st.sampled_from([
    "1:*", "2", "$", "*", "99", "0", "4294967295", "9223372036854775807", '"a b"', '""', "1-Feb-2026", '"31-Feb-2026"',
    "\\Seen", "$Junk", "{3+}\r\nÉ", "{0+}\r\n", '"/flags/\\\\seen" all 1', "Subject", "a*b?[c]", "\xff", "(", ")", "()",
    "NIL",
])
SOUND = st.sampled_from([
    "UNSEEN", "SUBJECT a", "FROM {2+}\r\nÉ", "OR 1:2 UID $", "NOT ($ SEEN)", "MODSEQ 3", "OLDER 5", "BEFORE 1-Feb-2026",
    "BODY b", "HEADER X-A b", "UID 2:*", "TEXT a* NOT LARGER 1", "EMAILID x", "THREADID y", "KEYWORD a",
    "SAVEDSINCE 1-Feb-2026",
])
OPTIONS = st.sampled_from([
    "", "RETURN () ", "RETURN (MIN MAX COUNT ALL) ", "RETURN (SAVE) ", "RETURN (SAVE PARTIAL 1:2) ", "RETURN (ALL ",
    "RETURN (UPDATE COUNT) ", "RETURN (PARTIAL -5:-1 MIN) ", "RETURN (FOO) ",
])
CHARSETS = st.sampled_from(["", "", "CHARSET UTF-8 ", "CHARSET us-ascii ", "CHARSET KOI8-R ", "CHARSET "])
VERBS = st.sampled_from([
    "SEARCH ", "UID SEARCH ", "ESEARCH ", "ESEARCH IN (personal) ", "ESEARCH IN (subtree (a INBOX) ",
    "ESEARCH IN (selected mailboxes Junk) ",
])
NONSENSE = st.lists(KEY_WORDS | ARGUMENTS | SOUND, min_size=1, max_size=8).map(" ".join)
SENSE = st.lists(SOUND, min_size=1, max_size=3).map(" ".join)
SEARCH = st.builds("{}{}{}{}".format, VERBS, OPTIONS, CHARSETS, NONSENSE | SENSE)
OTHER = st.sampled_from([
    "FETCH $ (FLAGS)", "UID STORE $ +FLAGS.SILENT (\\Seen)", 'CANCELUPDATE "t0"', "CANCELUPDATE", "EXPUNGE",
    "UID EXPUNGE $", "STORE 1 +FLAGS (\\Deleted)", "COPY $ Junk", "NOOP", "SELECT INBOX", "UNSELECT",
])


def answers(pieces):
    house = House()
    for number in range(4):
        house.inbox.put(f"Subject: a{number}\r\nFrom: É\r\n\r\na b\r\n".encode(), ["\\Seen"] * (number % 2))
    client = house.selected()
    for piece in pieces:
        client.send(piece)
    assert house.journal.named("trouble") == []
    assert house.store.open_contents == 0
    return client.heard(), client.closed


@settings(max_examples=200, deadline=None)
@given(st.lists(SEARCH | SEARCH | OTHER, min_size=1, max_size=6), st.lists(st.integers(1, 40), max_size=5))
def test_one_answer_each(commands, sizes):
    """Every command has its one tagged ending, in order, wherever the octets are cut."""
    octets = b"".join(f"t{number} {line}\r\n".encode() for number, line in enumerate(commands))
    heard, closed = answers([octets])
    pieces, at = [], 0
    for size in sizes:
        pieces.append(octets[at : at + size])
        at += size
    assert answers([*pieces, octets[at:]]) == (heard, closed)
    endings = [line for line in heard.split("\r\n") if re.match(r"t\d+ (OK|NO|BAD) ", line)]
    if not closed:
        tags = [line.split()[0] for line in endings]
        assert tags[: len(commands)] == [f"t{number}" for number in range(len(commands))]
    for line in heard.split("\r\n"):
        assert re.match(r"\* |\+ |\S+ (OK|NO|BAD) |$", line), line
