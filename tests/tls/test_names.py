"""Which certificate belongs to the name that a client asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.tls.names import Names


@pytest.fixture
def names():
    made = Names()
    made.enter(("mail.example.com", "MX.Example.org."), "mail")
    made.enter(("*.example.com", "mail.example.com"), "wild")
    return made


@pytest.mark.parametrize(("asked", "found"), [
    (b"mail.example.com", "mail"),
    (b"MAIL.example.COM", "mail"),
    (b"mail.example.com.", "mail"),
    (b"mx.example.org", "mail"),
    (b"imap.example.com", "wild"),
    (b"a.imap.example.com", None),
    (b"example.com", None),
    (b".example.com", None),
    (b"*.example.com", "wild"),
    (b"www.example.org", None),
    (b"", None),
    (None, None),
    (b"m\xe4il.example.com", None),
    (b"mail.example.com\0.evil.example", None),
])
def test_what_is_asked_for(names, asked, found):
    """A name itself before a wildcard, a wildcard for one label; who asks for nothing of ours gets nothing special."""
    assert names.find(asked) == found


@given(st.binary(max_size=300))
def test_whatever_a_client_sends(asked):
    """Octets of any kind are a name that is known, or none."""
    made = Names()
    made.enter(("a.example", "*.b.example"), 1)
    assert made.find(asked) in (1, None)
