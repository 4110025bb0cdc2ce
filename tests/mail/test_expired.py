"""What is kept of a message whose recording has expired."""

import pytest

from unitymail.mail.expired import expired_form, is_expired
from unitymail.mail.withheld import Reason, withheld_form

WHOLE = (
    b"From: robin@vm1.example.com\r\nSubject: hello\r\nContent-Type: audio/wav\r\nX-Odd: \xe9\r\n\r\n"
    b"RIFF\0recording\r\n"
)


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
def test_the_notice_in_its_place(ends):
    """The header stays, but for what it says of the body; nothing of the recording is left, and the notice says why."""
    form = expired_form(WHOLE.replace(b"\r\n", ends))
    header, _, body = form.partition(b"\r\n\r\n")
    assert header.startswith(b"From: robin@vm1.example.com\r\nSubject: hello\r\nX-Odd: \xe9\r\n")
    assert b"audio" not in form and b"RIFF" not in form and b"ask the sender" in body
    assert body.isascii() and max(map(len, body.split(b"\r\n"))) <= 76


def test_it_is_known_again():
    """Nothing else is taken for it, not even a message that is withheld."""
    assert is_expired(expired_form(WHOLE)) and is_expired(expired_form(expired_form(WHOLE)))
    assert not any(map(is_expired, (WHOLE, b"", withheld_form(WHOLE, Reason.SECURE), expired_form(WHOLE)[:-1])))
