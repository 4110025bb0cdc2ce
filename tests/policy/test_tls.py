"""Untrusted addresses × authentication × TLS: what is offered, and what is due before MAIL."""

from dataclasses import replace
from itertools import product

import pytest

from unitymail.policy import tls as policy
from unitymail.policy.verdict import ACCEPT
from unitymail.settings.site import SiteSettings

PLAIN = SiteSettings()


def site(untrusted_tls="optional", auth=True, in_clear=False):
    return replace(PLAIN, smtp_untrusted_tls=untrusted_tls, smtp_untrusted_require_auth=auth,
                   smtp_auth_without_tls=in_clear)


@pytest.mark.parametrize(
    ("door", "trust", "tls", "setting", "offered"),
    [
        ("mta", "stranger", False, "disabled", False),
        ("mta", "stranger", False, "optional", True),
        ("mta", "stranger", False, "required", True),
        ("mta", "stranger", True, "required", False),
        ("submission", "stranger", False, "disabled", False),
        ("submission", "stranger", False, "optional", True),
        ("submissions", "stranger", True, "optional", False),
        ("submissions", "trusted", True, "optional", False),
        ("mta", "trusted", False, "disabled", True),
        ("mta", "smart-host", False, "disabled", True),
        ("mta", "trusted", True, "disabled", False),
    ],
)
def test_starttls_is_offered_by_the_setting_to_strangers_and_always_to_the_others(door, trust, tls, setting, offered):
    """Never twice, never on the implicit port, not to strangers where it is disabled."""
    assert policy.starttls_offered(door, trust, tls, site(setting)) is offered


@pytest.mark.parametrize(
    ("ip", "trust", "tls", "setting", "in_clear", "offered"),
    [
        ("10.0.0.9", "stranger", False, "optional", False, False),
        ("10.0.0.9", "stranger", True, "optional", False, True),
        ("10.0.0.9", "stranger", False, "optional", True, True),
        ("10.0.0.9", "stranger", False, "disabled", True, True),
        ("10.0.0.9", "stranger", False, "required", True, False),
        ("10.0.0.9", "stranger", True, "required", False, True),
        ("10.0.0.9", "trusted", False, "required", False, False),
        ("10.0.0.9", "trusted", False, "required", True, True),
        ("127.0.0.1", "stranger", False, "optional", False, True),
        ("::1", "stranger", False, "optional", False, True),
        ("::ffff:127.0.0.1", "stranger", False, "optional", False, True),
        ("127.0.0.2", "stranger", False, "optional", False, False),
        ("127.0.0.1", "stranger", False, "required", True, False),
    ],
)
def test_a_password_in_the_clear(ip, trust, tls, setting, in_clear, offered):
    """AUTH under TLS or from this machine, elsewhere by setting; required TLS is never overridden."""
    where = ("submission", ip, trust, tls, site(setting, in_clear=in_clear))
    assert policy.auth_offered(*where) is offered
    assert policy.judge_auth(*where) == (ACCEPT if offered else policy.AUTH_NEEDS_TLS)


def expected(door, trust, tls, authenticated, setting, auth):
    """The matrix of the issue, written another way."""
    strange = trust == "stranger"
    if strange and setting == "required" and not tls:
        return 530, "STARTTLS"
    if authenticated:
        return 250, ""
    if door != "mta" or (strange and auth):
        return 530, "Authentication"
    return 250, ""


def test_the_whole_matrix_before_mail():
    """Door × trust × TLS × signed in × untrusted_tls × untrusted_require_auth."""
    for case in product(("mta", "submission"), ("stranger", "trusted", "smart-host"), (False, True), (False, True),
                        ("disabled", "optional", "required"), (False, True)):
        door, trust, tls, authenticated, setting, auth = case
        verdict = policy.judge_mail(door, trust, tls, authenticated, site(setting, auth))
        code, word = expected(*case)
        if code == 250:
            assert verdict == ACCEPT, case
        else:
            assert (verdict.reply.code, verdict.reply.enhanced) == (530, "5.7.0"), case
            assert word in verdict.reply.text, case


def test_submission_doors_always_want_a_sign_in():
    """Even from a trusted address; the implicit port counts as TLS."""
    assert policy.judge_mail("submissions", "trusted", True, False, site()) == policy.AUTH_FIRST
    assert policy.judge_mail("submissions", "stranger", True, True, site("required")) == ACCEPT
    assert policy.judge_mail("mta", "peer", True, False, site("required")) == ACCEPT


def test_the_refusal_says_what_to_do_first():
    """A client that cannot sign in before TLS is told so."""
    assert policy.judge_mail("submission", "stranger", False, False, site()) == policy.TLS_AND_AUTH_FIRST
    assert policy.judge_mail("submission", "stranger", True, False, site()) == policy.AUTH_FIRST
    assert policy.judge_mail("submission", "stranger", False, False, site("disabled")) == policy.AUTH_FIRST


def test_who_may_sign_in_in_the_clear_is_not_told_to_start_tls():
    """From this machine, or where the site takes passwords without TLS, AUTH is the next thing to do."""
    cases = (("submission", "trusted", True), ("submission", "stranger", False), ("mta", "stranger", True))
    for door, trust, auth in cases:
        for ip, settings, first in (
            ("127.0.0.1", site(auth=auth), policy.AUTH_FIRST),
            ("192.0.2.7", site(auth=auth, in_clear=True), policy.AUTH_FIRST),
            ("192.0.2.7", site(auth=auth), policy.TLS_AND_AUTH_FIRST),
        ):
            assert policy.judge_mail(door, trust, False, False, settings, ip) == first


@pytest.mark.parametrize("setting", ["disabled", "optional", "required"])
def test_starttls_at_the_address_of_a_peers_host(setting):
    """It is how a peer proves itself, so it is always there; never twice."""
    assert policy.starttls_offered("mta", "stranger", False, site(setting), at_peer=True)
    assert not policy.starttls_offered("mta", "stranger", True, site(setting), at_peer=True)


def test_a_peer_never_signs_in():
    """Its key is its name, under TLS as it must be."""
    for ip in ("10.0.0.9", "127.0.0.1"):
        assert not policy.auth_offered("mta", ip, "peer", True, site(in_clear=True))
        assert policy.judge_auth("mta", ip, "peer", True, site(in_clear=True)) == policy.NO_NEED_TO_SIGN_IN


def test_who_may_only_prove_to_be_a_peer_hears_how():
    """Before TLS: use it. Under TLS: your certificate is no peer's."""
    assert policy.judge_unproven(False).reply.code == 530
    assert policy.judge_unproven(True).reply.enhanced == "5.7.1"
