"""Fields picked out of the kept ones are those that taking the header apart finds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from unitymail.imap.fetch.section import header_subset
from unitymail.imap.kept import body_of, picker, subset
from unitymail.mail.headers import fields
from unitymail.mail.structure import scan
from unitymail.mail.summary import summarise

LINES = st.lists(st.sampled_from([
    b"Subject: a", b"subject:b", b"SUBJECT : c", b"\tSubject: folded", b" from: folded", b"From: d", b"To:",
    b"X-Sub: e", b"Subject", b"garbage", b"\xff: g", b"Date: x\r", b"Subject:\x00",
]), max_size=8)


@settings(max_examples=300)
@given(LINES, st.sampled_from([b"\r\n", b"\n"]), st.booleans(), st.sets(st.sampled_from([b"subject", b"From", b"to"])))
def test_same_as_taking_apart(lines, end, ended, names):
    """Whatever the lines, folding, case and line ends."""
    message = end.join(lines) + (end if ended else b"") + (b"\r\n" if ended else b"")
    kept = summarise(message, scan(message)).fields
    wanted = {name.lower() for name in names}
    expected = header_subset([f.raw for f in fields(kept, 0, len(kept)) if f.name.lower() in wanted])
    assert subset(kept, picker(names)) == expected


def test_body_of():
    """The body is what stands behind the first colon."""
    assert [body_of(f) for f in picker([b"a"])(b"A: b: c\r\n d\r\nB: e\r\na:f\r\n")] == [b" b: c\r\n d\r", b"f\r"]
