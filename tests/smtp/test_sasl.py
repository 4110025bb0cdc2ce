"""The exchanges of AUTH, with and without initial response."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.sasl import Challenge, Credentials, Login, Plain


def test_plain():
    """PLAIN asks with an empty challenge and takes name, password and the identity to act as."""
    assert Plain().answer(None) == Challenge(b"")
    assert Challenge(b"").line() == b"334 \r\n"
    assert Plain().answer(b"\0robin\0secret") == Credentials(b"robin", b"secret")
    assert Plain().answer(b"chris\0robin\0secret") == Credentials(b"robin", b"secret", b"chris")


def test_login():
    """LOGIN uses exactly the prompts that Outlook wants, and takes the name at once."""
    exchange = Login()
    assert exchange.answer(None).line() == b"334 VXNlcm5hbWU6\r\n"
    assert exchange.answer(b"robin").line() == b"334 UGFzc3dvcmQ6\r\n"
    assert exchange.answer(b"secret") == Credentials(b"robin", b"secret")
    at_once = Login()
    assert at_once.answer(b"robin").line() == b"334 UGFzc3dvcmQ6\r\n"
    assert at_once.answer(b"") == Credentials(b"robin", b"")


@pytest.mark.parametrize("response", [b"", b"robin", b"\0robin", b"a\0b\0c\0d", b"\0\0secret"])
def test_plain_that_is_none(response):
    """A response of another shape is bad syntax."""
    with pytest.raises(BadSyntax):
        Plain().answer(response)


@given(st.binary(max_size=60))
def test_garbage_never_crashes(response):
    """Any response is credentials or bad syntax."""
    try:
        assert isinstance(Plain().answer(response), Credentials)
    except BadSyntax:
        pass
