"""Site settings: what `site show` prints can be set back; ranges and choices are kept."""

import pytest

from unitymail.settings.site import (
    CHAPTER,
    FIELDS,
    Complaint,
    SiteSettings,
    changed,
    read_value,
    site_from,
    write_value,
)


@pytest.mark.parametrize("key", FIELDS)
def test_every_default_can_be_set_back(key):
    """The printed form of each setting is accepted again and means the same."""
    default = getattr(SiteSettings(), FIELDS[key].name)
    assert read_value(key, write_value(default)) == default


@pytest.mark.parametrize("key", FIELDS)
def test_every_setting_has_a_meaning(key):
    """`site show` can say what each setting is for."""
    assert FIELDS[key].metadata["meaning"]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("smtp.max_message_kib", "1000001"),
        ("smtp.max_message_kib", "-1"),
        ("smtp.max_message_kib", "ten"),
        ("smtp.max_connections", "0"),
        ("smtp.allow_untrusted", "perhaps"),
        ("smtp.untrusted_tls", "always"),
        ("smart_host.host", "a\nb"),
        ("no.such", "1"),
    ],
)
def test_bad_values_are_refused_with_the_reason(key, text):
    """A value out of range, of the wrong kind or for no setting changes nothing."""
    with pytest.raises(Complaint) as caught:
        read_value(key, text)
    assert str(caught.value).startswith(f"{key}: ")


def test_keys_follow_the_operators_contract():
    """The names other people's scripts use."""
    assert {
        "smtp.max_message_kib", "smtp.max_recipients", "smtp.allow_untrusted", "smtp.untrusted_require_auth",
        "smtp.untrusted_tls", "smtp.max_connections", "smtp.max_connections_per_address",
        "smtp.max_messages_per_connection", "smtp.auth_without_tls", "imap.max_connections",
        "imap.max_connections_per_user", "imap.auth_without_tls", "undelete_days", "auth.scram", "auth.max_failures",
        "auth.lock_minutes", "auth.min_length", "smart_host.host", "smart_host.port", "smart_host.tls",
        "smart_host.ca_file", "smart_host.username", "smart_host.password_file", "recipient_not_found",
        "unknown_sender", "relay.allow_private", "relay.allow_secure", "relay.retry_for", "secure.headers",
    } <= set(FIELDS)  # fmt: skip


def test_what_the_directory_keeps_becomes_a_snapshot():
    """Stored texts, unknown keys of a later version among them, give a snapshot."""
    site = site_from({"smtp.max_message_kib": "0", "of.the.future": "x"})
    assert site == changed(SiteSettings(), [("smtp.max_message_kib", "0")])


@pytest.mark.parametrize("kind", CHAPTER)
def test_init_writes_the_chapters_recommendation(kind):
    """Untrusted addresses are let in, but must sign in."""
    site = site_from(CHAPTER[kind])
    assert (site.smtp_allow_untrusted, site.smtp_untrusted_require_auth) == (True, True)
