"""What ties messages together: ids, references and base subjects as numbers."""

from array import array

import pytest
from hypothesis import given

from tests.mail.garbage import garbage
from unitymail.mail.headers import fields as split
from unitymail.mail.ties import MOST_REFERENCES, ties, tokens_of


def references(field):
    return len(ties(field).references)


def test_equal_things_are_equal_numbers():
    """The same message id is the same number wherever it stands and however it is quoted."""
    own = ties(b"Message-ID: <a.b@x>\r\n").message_id
    assert own
    assert ties(b"References: <c@d>\r\n <\"a.b\"@x>\r\n").references[1] == own
    assert ties(b"In-Reply-To: Your letter <a.b@x> of Monday\r\n").references == (own,)
    assert ties(b"References: <A.b@x>\r\n").references != (own,)


@pytest.mark.parametrize(("fields", "count"), [
    (b"", 0),
    (b"References: <a@b> <c@d>\r\nIn-Reply-To: <e@f>\r\n", 2),
    (b"References: none\r\nIn-Reply-To: <e@f> <g@h>\r\n", 1),
    (b"In-Reply-To: nothing\r\n", 0),
    (b"X-References: <a@b>\r\n", 0),
])
def test_which_fields_count(fields, count):
    """References; else the first id of In-Reply-To; else none (RFC 5256, 3)."""
    assert references(fields) == count


def test_many_references():
    """Of thousands the first and the last are kept, so that nobody's header decides how large an index grows."""
    many = [b"<%d@x>" % number for number in range(5_000)]
    found = ties(b"References: " + b"\r\n ".join(many) + b"\r\n").references
    kept = ties(b"References: " + b" ".join([many[0], *many[-255:]]) + b"\r\n").references
    assert found == kept
    assert len(found) == MOST_REFERENCES


def test_subjects():
    """Base subjects compare without case; what says reply or forward is noted; the empty one is 0."""
    plain, answer = ties(b"Subject: [l] Caf\xc3\xa9\r\n"), ties(b"Subject: RE: =?iso-8859-1?q?caf=E9?=\r\n")
    assert plain.subject == answer.subject != 0
    assert (plain.reply, answer.reply) == (False, True)
    assert ties(b"Subject: Re:\r\n").subject == ties(b"").subject == 0
    assert ties(b"Subject: Re:\r\n").reply


def test_what_a_thread_has_in_common():
    """An answer shares a token with what it answers, under the same base subject only."""
    def tokens(fields):
        return set(tokens_of(ties(fields).packed()))

    first = tokens(b"Message-ID: <a@b>\r\nSubject: lunch\r\n")
    assert first & tokens(b"Message-ID: <c@d>\r\nReferences: <a@b>\r\nSubject: Re: lunch\r\n")
    assert not first & tokens(b"Message-ID: <c@d>\r\nReferences: <a@b>\r\nSubject: dinner\r\n")
    assert not first & tokens(b"Message-ID: <c@d>\r\nSubject: lunch\r\n")
    assert tokens(b"Subject: lunch\r\n") == set()


@given(garbage)
def test_garbage(octets):
    """Any header has ties, which can be packed and read again."""
    kept = b"".join(field.raw for field in split(octets, 0, len(octets)))
    found = ties(kept)
    own, subject, *others = array("Q", found.packed())
    assert (own, subject & ~1, bool(subject & 1), tuple(others)) == (
        found.message_id, found.subject, found.reply, found.references,
    )
    assert all(0 <= token < 1 << 63 for token in tokens_of(found.packed()))
