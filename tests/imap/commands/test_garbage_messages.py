"""Whatever is asked about messages, there is one tagged answer, no traceback, and the connection lives."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.conversation import House

VERBS = st.sampled_from(["FETCH", "UID FETCH", "STORE", "UID STORE", "SEARCH", "UID SEARCH", "COPY", "UID COPY",
                         "MOVE", "UID MOVE", "EXPUNGE", "UID EXPUNGE"])
WORDS = st.sampled_from([
    "1", "2", "1:*", "*", "7", "0", "9:3,1", "$", "(", ")", " ", " ", " ", "FLAGS", "+FLAGS", "-FLAGS.SILENT",
    "(\\Seen)", "(\\Deleted work)", "\\Recent", "\\Foo", "BODY[]", "BODY.PEEK[1.MIME]", "BODY", "[", "]", "<0.5>",
    "BODY[HEADER.FIELDS (Subject)]<3.9>", "RFC822", "FULL", "UID", "ENVELOPE", "NOT", "OR", "SEEN", "FROM", "x",
    "BODY x", "TEXT", "HEADER", '""', '"Junk"', "Junk", "INBOX", "Nowhere", "&", "1-Jan-2000", "SENTON", "SINCE",
    "CHARSET", "UTF-8", "KOI8-R", "\\", '"', "%", "KEYWORD", "LARGER", "\x80", "é",
])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(VERBS, st.lists(WORDS, max_size=9)), min_size=1, max_size=6))
def test_one_tagged_answer(commands):
    """Random words in any order."""
    house = House()
    for n in range(3):
        house.inbox.put(b"From: x\r\nSubject: %d\r\n\r\nx\r\n" % n)
    client = house.selected()
    for verb, words in commands:
        client.send(f"a {verb} {''.join(words)}\r\n".encode())
        lines = client.heard().split("\r\n")
        answers = [line for line in lines if line.startswith("a ")]
        assert len(answers) == 1, lines
        assert answers[0].split()[1] in ("OK", "NO", "BAD")
        assert lines[-2] == answers[0]
        if answers[0].startswith("a BAD"):
            client.say("b NOOP")
    assert not client.closed
    assert house.journal.named("trouble") == []
    assert house.store.open_contents == 0
