"""Message ids are found and normalised, however they are quoted, folded or broken."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.message_ids import message_ids


@pytest.mark.parametrize(("field", "ids"), [
    (b" <a@b>\r\n", [b"a@b"]),
    (b" <a@b> <c@d>\r\n\t<e@f>\r\n", [b"a@b", b"c@d", b"e@f"]),
    (b" <a@b><c@d>,<e@f>", [b"a@b", b"c@d", b"e@f"]),
    (b' <"01KF8JCEOCBS0045PS"@xxx.yyy.com>', [b"01KF8JCEOCBS0045PS@xxx.yyy.com"]),
    (b' <"a b"@c>', [b"a b@c"]), (b' <"a\\"b"@c>', [b'a"b@c']), (b' <"a>b"@c> <d@e>', [b"a>b@c", b"d@e"]),
    (b" < a @ b >", [b"a@b"]), (b" <a\r\n b@c>", [b"ab@c"]), (b" <a (no) @b>", [b"a@b"]),
    (b" (see <x@y>) <a@b>", [b"a@b"]), (b" <a@[127.0.0.1]>", [b"a@[127.0.0.1]"]), (b" <a@b@c>", [b"a@b@c"]),
    (b" Your message of Monday <a@b>", [b"a@b"]), (b" a@b", []), (b" <a>", []), (b" <@b>", []), (b" <a@>", []),
    (b" <>", []), (b"", []), (b" <a@b", []), (b" <a@b> <c", [b"a@b"]), (b" <A@b> <a@b>", [b"A@b", b"a@b"]),
    (b" <caf\xc3\xa9@b>", [b"caf\xc3\xa9@b"]),
])
def test_examples(field, ids):
    """Quoting makes no difference; letter case does; what has no @ is none."""
    assert message_ids(field) == ids


pieces = st.sampled_from([b"<", b">", b'"', b"\\", b"@", b"a", b" ", b"(", b")", b"\r\n ", b"\xff"])


@given(st.lists(pieces).map(b"".join))
def test_garbage(field):
    """Any octets are read, and what comes out could have been written as a message id."""
    for found in message_ids(field):
        left, _, right = found.rpartition(b"@")
        assert left and right


@pytest.mark.parametrize(
    "piece", [b'<\\"', b'<"', b'<"\\', b'<a"', b"<a@", b"<a@b>", b"(<", b'"<', b'<"a"', b"<a\r\n b"]
)
def test_hostile_fields(piece):
    """A field of the greatest length takes no longer than its length allows."""
    began = time.process_time()
    message_ids(piece * (65_536 // len(piece)))
    assert time.process_time() - began < 0.5
