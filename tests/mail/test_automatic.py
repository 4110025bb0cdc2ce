"""What programs send."""

import pytest

from unitymail.mail.automatic import automatic_word


@pytest.mark.parametrize(("values", "word"), [
    ((), ""), ((b" no\r\n",), ""), ((b" No; owner-email=x@y\r\n",), ""), ((b" (a person) no\r\n",), ""),
    ((b" auto-replied\r\n",), "auto-replied"), ((b" Auto-Generated; x=y\r\n",), "auto-generated"),
    ((b" notified\r\n",), "notified"), ((b" none\r\n",), "none"), ((b" no\r\n", b" auto-replied\r\n"), ""),
])
def test_the_word(values, word):
    """Only `no` means a person, whatever stands around it; words that begin like it do not."""
    assert automatic_word({b"auto-submitted": values}) == word


def test_no_field():
    """A message that says nothing is from a person."""
    assert automatic_word({}) == ""
