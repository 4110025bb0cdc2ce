"""Access × untrusted × authentication × TLS × door × address: every row of the matrix, held against the policies."""

from dataclasses import replace
from itertools import product

import pytest

from tests.policy.matrix import STRANGER, TRUSTED, listed, matrix
from unitymail.people.access import AccessRule
from unitymail.policy.access import REFUSED_ADDRESS, judge_client
from unitymail.policy.tls import AUTH_NEEDS_TLS, judge_auth, judge_mail, starttls_offered
from unitymail.policy.verdict import ACCEPT
from unitymail.settings.site import SiteSettings

PLACES = {
    "here": ("127.0.0.1", "::1"),
    "elsewhere": ("127.0.0.2", "192.0.2.7", "2001:db8::7"),
}
NAMES = (
    {"a": "10.1.2.3", "other": "10.1.2.4", "far": "10.2.0.1", "block": "10.1.2.0/24", "pattern": "10.1.2.*",
     "wide": "10.1.0.0/16"},
    {"a": "127.0.5.3", "other": "127.0.5.4", "far": "127.0.6.1", "block": "127.0.5.0/24", "pattern": "127.0.5.*",
     "wide": "127.0.0.0/16"},
    {"a": "2001:db8:1:2::3", "other": "2001:db8:1:2::4", "far": "2001:db8:2::1", "block": "2001:db8:1:2::/64",
     "pattern": "2001:db8:1:2:*", "wide": "2001:db8:1::/48"},
)  # fmt: skip


def site(allow, require, tls):
    return replace(
        SiteSettings(), smtp_allow_untrusted=allow == "yes", smtp_untrusted_require_auth=require == "yes",
        smtp_untrusted_tls=tls,
    )


def rules(entries):
    return [AccessRule(entry[1:], allow=entry[0] != "-", legacy=entry[0] == "~") for entry in entries]


def outcome(verdict):
    if verdict == ACCEPT:
        return "250"
    assert (verdict.reply.code, verdict.reply.enhanced) == (530, "5.7.0")
    return "TLS" if verdict.reply.text.startswith("Must issue a STARTTLS") else "AUTH"


def becomes_of(door, ip, trust, tls, auth, settings):
    """What a client hears at MAIL that goes this way, as the table has it."""
    if door == "submissions" and not tls:
        return "-"
    if door != "submissions" and tls and not starttls_offered(door, trust, False, settings):
        return "none"
    if auth and (verdict := judge_auth(door, ip, trust, tls, settings)) != ACCEPT:
        assert verdict == AUTH_NEEDS_TLS
        return "none"
    return outcome(judge_mail(door, trust, tls, auth, settings))


def assert_row(row, ip, trust, settings):
    ways = [(False, False), (False, True), (True, False), (True, True)]
    found = [becomes_of(row.door, ip, trust, tls, auth, settings) for tls, auth in ways]
    assert found == [row.clear, row.clear_auth, row.under_tls, row.under_tls_auth], (row, ip)


@pytest.mark.parametrize("row", matrix(STRANGER), ids=lambda row: "-".join(row[:4]))
def test_untrusted_addresses(row):
    """Where they may connect: TLS and AUTH as the settings say, on the submission doors always AUTH."""
    settings = site("yes", row.require, row.tls)
    for ip in PLACES[row.place]:
        client = judge_client(ip, [], settings)
        assert (client.trust, client.refusal) == ("stranger", None)
        assert_row(row, ip, client.trust, settings)


@pytest.mark.parametrize("row", matrix(TRUSTED), ids=lambda row: "-".join(row[2:4]))
def test_trusted_addresses(row):
    """Nothing that is said of untrusted addresses touches them, and `*` is as good an entry as any."""
    for allow, require, tls in product(("yes", "no"), ("yes", "no"), ("disabled", "optional", "required")):
        settings = site(allow, require, tls)
        for ip, entry in product(PLACES[row.place], ("+*", "~*", "+{ip}")):
            client = judge_client(ip, rules([entry.format(ip=ip)]), settings)
            assert (client.trust, client.refusal) == ("trusted", None)
            assert_row(row, ip, client.trust, settings)
            assert judge_client(ip, [], settings, [ip]).trust == "smart-host"
            assert_row(row, ip, "smart-host", settings)


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names["a"])
@pytest.mark.parametrize(("entries", "address", "standing"), listed())
def test_what_the_list_makes_of_an_address(entries, address, standing, names):
    """In any order of the entries, whatever is said of untrusted addresses; who is denied or not allowed gets 554."""
    ip = address.format(**names)
    entries = [entry.format(**names) for entry in entries]
    for allow, require, tls in product(("yes", "no"), ("yes", "no"), ("disabled", "optional", "required")):
        for order in (entries, entries[::-1]):
            client = judge_client(ip, rules(order), site(allow, require, tls))
            refused = standing == "denied" or (standing == "untrusted" and allow == "no")
            assert client.refusal == (REFUSED_ADDRESS if refused else None)
            assert client.trust == ("trusted" if standing in ("trusted", "legacy") else "stranger")
            assert client.legacy == (standing == "legacy")


def test_the_table_is_whole():
    """Every combination has its row, once."""
    assert [row[:4] for row in matrix(STRANGER)] == list(
        product(("yes", "no"), ("disabled", "optional", "required"), ("mta", "submission", "submissions"),
                ("here", "elsewhere"))
    )
    assert [row[2:4] for row in matrix(TRUSTED)] == list(
        product(("mta", "submission", "submissions"), ("here", "elsewhere"))
    )
