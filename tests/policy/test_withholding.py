"""What a class of service withholds, and what the address book says of it."""

from dataclasses import replace

import pytest

from tests.fakes import CHRIS, DEFAULT_COS, FakeBook
from unitymail.mail.secrecy import Secrecy
from unitymail.mail.withheld import Reason
from unitymail.people.class_of_service import ClassOfService, ImapBodies
from unitymail.policy.withholding import (
    NOTHING,
    WITHOUT_BOOK,
    Ruling,
    Withholder,
    Withholding,
    reason_to_withhold,
    withholding_of,
)
from unitymail.settings.site import SiteSettings

ALL, NOT_PRIVATE, HEADERS = ImapBodies
NEITHER, PRIVATE, SECURE, BOTH = Secrecy(), Secrecy(private=True), Secrecy(secure=True), Secrecy(True, True)


@pytest.mark.parametrize(("bodies", "secure", "reasons"), [
    (ALL, False, (None, None, None, None)),
    (ALL, True, (None, None, Reason.SECURE, Reason.SECURE)),
    (NOT_PRIVATE, False, (None, Reason.PRIVATE, None, Reason.PRIVATE)),
    (NOT_PRIVATE, True, (None, Reason.PRIVATE, Reason.SECURE, Reason.SECURE)),
    (HEADERS, False, (Reason.HEADERS_ONLY,) * 4),
    (HEADERS, True, (Reason.HEADERS_ONLY, Reason.HEADERS_ONLY, Reason.SECURE, Reason.SECURE)),
])
def test_every_class_and_every_message(bodies, secure, reasons):
    """Ordinary, private, secure, both: which body is withheld, and why."""
    rule = Withholding(bodies, secure)
    assert tuple(reason_to_withhold(one, rule) for one in (NEITHER, PRIVATE, SECURE, BOTH)) == reasons


@pytest.mark.parametrize(("cos", "rule"), [
    (ClassOfService("c", "Default", access_imap=True, imap_bodies=ALL), Withholding(ALL, True)),
    (ClassOfService("c", "Trusted", imap_bodies=ALL, secure_imap=True), NOTHING),
    (ClassOfService("c", "New"), Withholding(NOT_PRIVATE, True)),
    (None, Withholding(NOT_PRIVATE, True)),
])
def test_of_a_class(cos, rule):
    """Secure messages are shown only where the class says so; who has no class has what a new one gives."""
    assert withholding_of(cos) == rule


def test_what_the_book_says():
    """The rule of a user's class with the number of the newest change; of nobody's account nothing."""
    strict = replace(DEFAULT_COS, id="c-strict", imap_bodies=HEADERS)
    book = FakeBook(replace(CHRIS, cos="c-strict"), strict)
    book.usn = 7
    assert Withholder(book).ruling(CHRIS.id) == Ruling(Withholding(HEADERS, True), 7)
    assert Withholder(book).ruling("u-nobody") is None
    assert WITHOUT_BOOK.ruling(CHRIS.id) is None


def test_the_sites_own_words():
    """Which fields make a message secure is the site's to say."""
    book = FakeBook(site=SiteSettings(secure_headers="X-Ours: yes", secure_confidential=True))
    for header, secure in ((b"X-Ours: 1", True), (b"X-Unity-Secure: true", False),
                           (b"Sensitivity: company-confidential", True)):
        assert Withholder(book).secrecy(header + b"\r\n\r\n", ours=False).secure is secure
    assert WITHOUT_BOOK.secrecy(b"X-Unity-Secure: true\r\n\r\n", ours=False).secure
