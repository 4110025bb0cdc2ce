"""Private, secure, urgent: what the header says."""

import pytest

from unitymail.mail.message import Importance, Sensitivity
from unitymail.mail.sensitivity import asks_for_security, importance_of, parse_secure_headers, sensitivity_of
from unitymail.settings.site import SiteSettings


@pytest.mark.parametrize(("values", "expected"), [
    ([b" Private\r\n"], Sensitivity.PRIVATE),
    ([b"   private (Outlook)"], Sensitivity.PRIVATE),
    ([b"(x) PRIVATE"], Sensitivity.PRIVATE),
    ([b"Personal"], Sensitivity.PERSONAL),
    ([b"Company-Confidential"], Sensitivity.CONFIDENTIAL),
    ([b"Normal"], Sensitivity.NORMAL),
    ([b"Top-Secret"], Sensitivity.NORMAL),
    ([b"Personal", b"Private"], Sensitivity.PERSONAL),
    ([b""], Sensitivity.NORMAL),
    ([b"\xff\0("], Sensitivity.NORMAL),
    (None, Sensitivity.NORMAL),
])
def test_sensitivity(values, expected):
    """Comments, blanks and case are forgiven; the first field counts; unknown is normal."""
    assert sensitivity_of({b"sensitivity": values} if values else {}) is expected


@pytest.mark.parametrize(("fields", "expected"), [
    ({}, Importance.NORMAL),
    ({"importance": "High"}, Importance.HIGH),
    ({"importance": "low (really)"}, Importance.LOW),
    ({"importance": "normal", "x-priority": "1"}, Importance.NORMAL),
    ({"importance": "gibberish", "x-priority": "1 (Highest)"}, Importance.HIGH),
    ({"x-priority": "2"}, Importance.HIGH),
    ({"x-priority": "3"}, Importance.NORMAL),
    ({"x-priority": "5 (Lowest)"}, Importance.LOW),
    ({"x-priority": "3", "priority": "urgent"}, Importance.NORMAL),
    ({"priority": "urgent"}, Importance.HIGH),
    ({"priority": "non-urgent"}, Importance.LOW),
    ({"x-msmail-priority": "High"}, Importance.HIGH),
    ({"x-priority": ""}, Importance.NORMAL),
])
def test_importance(fields, expected):
    """Importance wins, then X-Priority, Priority, X-MSMail-Priority."""
    assert importance_of({name.encode(): [value.encode()] for name, value in fields.items()}) is expected


@pytest.mark.parametrize(("setting", "values", "expected"), [
    ("X-Unity-Secure: true", [b"true"], True),
    ("X-Unity-Secure: true", [b" Yes "], True),
    ("X-Unity-Secure: true", [b"1 (by policy)"], True),
    ("X-Unity-Secure: true", [b"false"], False),
    ("X-Unity-Secure: true", [b"false", b"true"], True),
    ("X-Unity-Secure: true", [], False),
    ("X-Other: a; x-unity-secure: Confidential", [b"confidential"], True),
    ("X-Unity-Secure: confidential", [b"true"], False),
    ("X-Unity-Secure", [b"anything"], True),
    ("", [b"true"], False),
])
def test_secure_header(setting, values, expected):
    """Any true copy of a configured field marks the message; a field without a configured value does by being there."""
    assert asks_for_security({b"x-unity-secure": values}, parse_secure_headers(setting)) is expected


def test_the_setting():
    """The default of the site setting reads as one field; empty pieces and pieces without a name are nothing."""
    assert parse_secure_headers(SiteSettings().secure_headers) == (("x-unity-secure", "true"),)
    assert parse_secure_headers(" ; : x; A : B ;") == (("a", "b"),)
