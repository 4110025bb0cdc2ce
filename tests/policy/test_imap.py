"""Who may sign in over IMAP."""

from dataclasses import replace

import pytest

from unitymail.interfaces.ledger import Count, Full
from unitymail.people.class_of_service import ClassOfService
from unitymail.policy.imap import (
    NEEDS_TLS,
    NO_IMAP,
    SECURE_NEEDS_TLS,
    ImapRefusal,
    connections,
    connections_of,
    imap_login_offered,
    judge_imap_sign_in,
    too_many,
)
from unitymail.settings.site import SiteSettings

SITE = SiteSettings()
CLEAR = replace(SITE, imap_auth_without_tls=True)
WITH = ClassOfService("c", "With", access_imap=True)
WITHOUT = ClassOfService("c", "Without")
SECURE = replace(WITH, secure_imap=True)


@pytest.mark.parametrize(
    ("ip", "tls", "site", "cos", "answer"),
    [
        ("10.0.0.9", False, SITE, None, NEEDS_TLS),
        ("10.0.0.9", False, SITE, WITH, NEEDS_TLS),
        ("10.0.0.9", True, SITE, WITH, None),
        ("10.0.0.9", False, CLEAR, WITH, None),
        ("127.0.0.1", False, SITE, WITH, None),
        ("::1", False, SITE, None, None),
        ("127.0.0.2", False, SITE, None, NEEDS_TLS),
        ("10.0.0.9", True, SITE, WITHOUT, NO_IMAP),
        ("10.0.0.9", True, SITE, SECURE, None),
        ("10.0.0.9", False, CLEAR, SECURE, SECURE_NEEDS_TLS),
        ("127.0.0.1", False, SITE, SECURE, SECURE_NEEDS_TLS),
    ],
)
def test_signing_in(ip, tls, site, cos, answer):
    """TLS or this machine or the setting; then the class of service; secure messages need TLS whatever the setting."""
    assert judge_imap_sign_in(ip, tls, site, cos) == answer
    assert imap_login_offered(ip, tls, site) is (answer is not NEEDS_TLS)


def test_the_limit_of_connections_says_who_holds_them():
    """One too many is refused, with how many come from which clients, the busiest first."""
    site = replace(SITE, imap_max_connections_per_user=3)
    full = Full(connections_of("robin", site), {"10.0.0.2": 1, "10.0.0.1": 2})
    assert too_many(full) == ImapRefusal(
        "LIMIT", "You have 3 of 3 connections open: 2 from 10.0.0.1, 1 from 10.0.0.2"
    )


def test_connections_are_counted_as_the_site_says():
    """One count for all, and one for each user."""
    site = replace(SITE, imap_max_connections=7, imap_max_connections_per_user=3)
    assert connections(site) == Count("imap", "", 7)
    assert connections_of("robin", site) == Count("imap-user", "robin", 3)
