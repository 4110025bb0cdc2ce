"""Private, secure, both or neither: what a stored message asks for, and whose word counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.headers import parted_fields
from unitymail.mail.secrecy import Secrecy, secrecy_of

HEADERS = (("x-unity-secure", "true"), ("x-class", "top"))
NEITHER, PRIVATE, SECURE, BOTH = Secrecy(), Secrecy(private=True), Secrecy(secure=True), Secrecy(True, True)
FIELD = "X-Unitymail-Trace: id=abc; category=email; sensitivity={};\r\n\tsecure={}; sender=u1; pad=..\r\n\t....\r\n"


def trace(sensitivity="normal", secure="no"):
    return FIELD.format(sensitivity, secure).encode()


def asked(header, *, ours=False, confidential=False):
    whole = header + b"Subject: x\r\n\r\nSensitivity: private\r\nX-Unity-Secure: true\r\n"
    return secrecy_of(whole, ours=ours, secure_headers=HEADERS, secure_confidential=confidential)


@pytest.mark.parametrize(("header", "found"), [
    (b"", NEITHER),
    (b"Sensitivity: Private\r\n", PRIVATE),
    (b"sensitivity:\r\n  PRIVATE (as I said)\r\n", PRIVATE),
    (b"Sensitivity: personal\r\n", NEITHER),
    (b"Sensitivity: Company-Confidential\r\n", NEITHER),
    (b"X-Unity-Secure: no\r\nX-UNITY-Secure: yes\r\n", SECURE),
    (b"X-Class: TOP\r\nSensitivity: private\r\n", BOTH),
    (trace("private"), PRIVATE),
    (trace(secure="yes"), SECURE),
    (trace() + b"Sensitivity: private\r\nX-Unity-Secure: true\r\n", BOTH),
    (trace() + trace("private", "yes"), NEITHER),
    (b"X-Unitymail-Trace: nonsense\r\n" + trace("private", "yes"), NEITHER),
])
def test_of_files_of_others(header, found):
    """What the message says, and what the first trace field adds to it; never less, for that field may be forged."""
    assert asked(header) == found


@pytest.mark.parametrize(("header", "found"), [
    (trace(), NEITHER),
    (trace("private", "yes"), BOTH),
    (trace() + b"Sensitivity: private\r\nX-Unity-Secure: true\r\n", NEITHER),
    (trace() + trace("private", "yes"), NEITHER),
    (b"Return-Path: <>\r\n" + trace("personal"), NEITHER),
    (b"Sensitivity: private\r\n", PRIVATE),
    (b"X-Unitymail-Trace: nonsense\r\nX-Unity-Secure: true\r\n", SECURE),
])
def test_of_our_own_deliveries(header, found):
    """What was decided on entry, whatever the message says since; without it, what the message says."""
    assert asked(header, ours=True) == found


def test_confidential_where_the_site_says_so():
    """The site's switch makes Company-Confidential secure."""
    assert asked(b"Sensitivity: Company-Confidential\r\n", confidential=True) == SECURE


def test_only_the_header_counts():
    """Words of the body, also of a message without any header, ask for nothing."""
    for whole in (b"", b"\r\nX-Unity-Secure: true\r\n", b"\n\nSensitivity: private\n"):
        assert secrecy_of(whole, ours=False, secure_headers=HEADERS) == NEITHER


PIECES = st.sampled_from([
    b"Sensitivity", b"sensitivity", b"X-CLASS", b"x-unity-secure", b"X-Unitymail-Trace", b"Subject", b":", b" :", b"\t",
    b" ", b"\r\n", b"\n", b"\r", b"private", b"top", b"true", b"\xe9", b"\0",
])


@given(st.lists(PIECES, max_size=30).map(b"".join))
def test_no_field_that_asks_is_passed_over(octets):
    """However the lines of a header are broken: each field that asks for something is heard."""
    header = octets.partition(b"\n\r\n")[0].partition(b"\n\n")[0] if not octets.startswith((b"\n", b"\r\n")) else b""
    found = secrecy_of(octets, ours=False, secure_headers=(("x-class", ""),))
    names = {name.lower() for _, name, _ in parted_fields(header)}
    assert found.secure == (b"x-class" in names)
    assert not found.private or b"sensitivity" in names
