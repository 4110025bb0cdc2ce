"""Who may connect, and as what."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.people.access import AccessRule
from unitymail.policy import access
from unitymail.policy.access import (
    EXACT,
    PROXY_ITSELF,
    REFUSED_ADDRESS,
    AccessList,
    Client,
    is_this_machine,
    judge_client,
    plain_address,
    read_pattern,
)
from unitymail.settings.site import SiteSettings

CLOSED = SiteSettings()
OPEN = replace(CLOSED, smtp_allow_untrusted=True)
REFUSED = Client("stranger", refusal=REFUSED_ADDRESS)
TRUSTED = Client("trusted")


def rules(*lines):
    return [AccessRule(line.lstrip("+-~"), allow=line[0] != "-", legacy=line[0] == "~") for line in lines]


@pytest.mark.parametrize(
    ("ip", "lines", "expected"),
    [
        ("10.1.2.3", [], REFUSED),
        ("10.1.2.3", ["+10.1.2.3"], TRUSTED),
        ("10.1.2.3", ["+10.1.2.4"], REFUSED),
        ("10.1.2.3", ["-10.1.2.3"], REFUSED),
        ("10.1.2.3", ["+*"], TRUSTED),
        ("10.1.2.3", ["-*"], REFUSED),
        ("10.1.2.3", ["-*", "+10.0.0.0/8"], TRUSTED),
        ("10.1.2.3", ["+*", "-10.0.0.0/8"], REFUSED),
        ("10.1.2.3", ["-10.0.0.0/8", "+10.1.0.0/16"], TRUSTED),
        ("10.1.2.3", ["-10.1.0.0/16", "+10.0.0.0/8"], REFUSED),
        ("10.1.2.3", ["-10.1.0.0/16", "+10.1.2.3"], TRUSTED),
        ("10.1.2.3", ["+10.1.0.0/16", "-10.1.2.3"], REFUSED),
        ("10.1.2.3", ["+10.1.2.3", "-10.1.2.3"], REFUSED),
        ("10.1.2.3", ["-10.1.2.3/32", "+10.1.2.3"], TRUSTED),
        ("10.1.2.3", ["+10.1.*.*", "-10.1.0.0/16"], REFUSED),
        ("10.1.2.3", ["+10.1.*.*", "-10.0.0.0/15"], TRUSTED),
        ("10.1.2.3", ["-10.*", "+10.1.*"], TRUSTED),
        ("10.1.2.3", ["+0.0.0.0/0", "-*"], TRUSTED),
        ("10.1.2.3", ["+10.*.2.*", "-10.0.0.0/8"], TRUSTED),
        ("10.2.3.3", ["+10.*.2.*"], REFUSED),
        ("10.1.2.3", ["~10.1.2.3"], Client("trusted", legacy=True)),
        ("10.1.2.3", ["~10.0.0.0/8", "+10.1.2.3"], TRUSTED),
        ("10.1.2.3", ["+nonsense", "+10.1.2.300", "+10.1.2.0/33"], REFUSED),
        ("2001:db8::1", ["+2001:db8::/32"], TRUSTED),
        ("2001:db8::1", ["+2001:0DB8:0:0:0:0:0:1"], TRUSTED),
        ("2001:db8::1", ["+2001:db8:*"], TRUSTED),
        ("2001:db8::1", ["+2001:db8:*", "-2001:db8::/64"], REFUSED),
        ("2001:db8::1", ["+10.0.0.0/8", "+0.0.0.0/0"], REFUSED),
        ("2001:db8::1", ["+*"], TRUSTED),
        ("fe80::1%eth0", ["+fe80::/10"], TRUSTED),
        ("::ffff:10.1.2.3", ["+10.1.2.3"], TRUSTED),
        ("10.1.2.3", ["+::ffff:10.1.2.3"], TRUSTED),
        ("10.1.2.3", ["+::ffff:10.0.0.0/104"], TRUSTED),
        ("::ffff:10.1.2.3", ["+::/0"], REFUSED),
        ("not an address", ["+10.0.0.0/8"], REFUSED),
        ("not an address", ["+*"], TRUSTED),
    ],
)
def test_the_longest_match_wins_and_deny_wins_a_tie(ip, lines, expected):
    """Exact address, then the longest block or pattern, then *; of two alike the one that denies, in either order."""
    assert judge_client(ip, rules(*lines), CLOSED) == expected
    assert judge_client(ip, rules(*reversed(lines)), CLOSED) == expected


def test_an_unlisted_address_is_a_stranger_where_the_site_lets_strangers_in():
    """Untrusted addresses connect only when the site says so, and then without trust."""
    assert judge_client("10.1.2.3", [], OPEN) == Client("stranger")
    assert judge_client("10.1.2.3", rules("-10.0.0.0/8"), OPEN) == REFUSED


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], Client("smart-host")),
        (["+10.1.2.3"], Client("smart-host")),
        (["~10.1.2.3"], Client("smart-host", legacy=True)),
        (["-*"], Client("smart-host")),
        (["-10.0.0.0/8"], Client("smart-host")),
        (["-10.1.2.3/32"], Client("smart-host")),
        (["-10.1.2.3"], REFUSED),
    ],
)
def test_the_smart_host_is_trusted_by_its_address(lines, expected):
    """It gets in unless its very address is denied, and stays the smart host even when a rule trusts it too."""
    assert judge_client("10.1.2.3", rules(*lines), CLOSED, ["relay.example.net", "10.1.2.3"]) == expected
    assert judge_client("::ffff:10.1.2.3", rules(*lines), CLOSED, ["10.1.2.3"]) == expected


def first_match(address, lines):
    """The rule that wins, found the slow way: (length, rule)."""
    best = (-2, None)
    for rule in lines:
        pattern = read_pattern(rule.pattern)
        if pattern.matches(address) and (
            pattern.length > best[0] or (pattern.length == best[0] and best[1].allow and not rule.allow)
        ):
            best = (pattern.length, rule)
    return best


PATTERNS = ("*", "0.0.0.0/0", "10.0.0.0/8", "10.*", "*.1.*.*", "10.1.*.*", "*.1.2.*", "10.*.2.*", "10.1.0.0/16",
            "10.1.2.0/24", "10.1.2.*", "10.1.*.3", "10.1.2.3", "10.1.2.3/32", "2001:db8::/32", "2001:*", "2001:db8::1")


@given(
    st.lists(st.builds(AccessRule, st.sampled_from(PATTERNS), st.booleans()), max_size=12),
    st.sampled_from(["10.1.2.3", "10.1.2.4", "10.9.2.3", "11.1.2.3", "2001:db8::1", "2001:db8::2", "192.0.2.1"]),
)
def test_the_list_asks_few_and_finds_what_asking_all_finds(lines, ip):
    """Which rule decides does not depend on how it is looked for."""
    length, rule = AccessList(lines).best(ip_address(ip))
    expected_length, expected = first_match(ip_address(ip), lines)
    assert (length, rule and rule.allow) == (expected_length, expected and expected.allow)


def test_ten_thousand_rules(monkeypatch):
    """Who has that many lets clients in as quickly as anybody: rules are read when the list is made, never again."""
    lines = AccessList(AccessRule(f"10.{n >> 8}.{n & 255}.7", n % 2 == 0) for n in range(12_000))
    assert len(lines) == 12_000 and lines == tuple(lines)
    monkeypatch.setattr(access, "_known", None)
    monkeypatch.setattr(access.Pattern, "matches", None)
    assert judge_client("10.46.222.7", lines, CLOSED) == TRUSTED
    assert judge_client("10.46.223.7", lines, OPEN) == REFUSED
    assert judge_client("10.46.224.7", lines, OPEN) == Client("stranger")
    assert len(lines._tables) == 1


@pytest.mark.parametrize(
    "text",
    ["", "10.1.2", "10.1.2.3.4", "10.1.*.*.*", "300.*", "10.1.2.3/33", "1:2:*:g", "*.example.com", "fe80::1%eth0", "**",
     "12345:*", "10..*", "1::*", "2001:db8::/129", "1.2.3.4/x"],
)
def test_a_pattern_that_cannot_be_read_is_refused_with_a_reason(text):
    """What `unitymail access add` must not take."""
    with pytest.raises(ValueError, match=r"\S"):
        read_pattern(text)


@given(st.ip_addresses())
def test_an_address_is_the_longest_pattern_of_itself(address):
    """Whatever the family, an exact address matches itself and outranks every block."""
    pattern = read_pattern(str(address))
    assert pattern.matches(plain_address(str(address)))
    assert pattern.length == EXACT > read_pattern(f"{address}/{address.max_prefixlen}").length


@given(st.text(max_size=40), st.text(max_size=40))
def test_garbage_is_never_trusted(ip, pattern):
    """Neither a strange client address nor a strange rule opens the door, but for the rule *."""
    found = judge_client(ip, [AccessRule(pattern, True)], CLOSED)
    if found.trust == "trusted" and pattern.strip() != "*":
        assert ip_address(ip.partition("%")[0]) is not None
        assert read_pattern(pattern)


@pytest.mark.parametrize(
    ("lines", "site", "expected"),
    [
        ([], CLOSED, Client("stranger", at_peer=True, must_prove=True)),
        ([], OPEN, Client("stranger", at_peer=True)),
        (["-10.0.0.0/8"], OPEN, Client("stranger", at_peer=True, must_prove=True)),
        (["-*"], CLOSED, Client("stranger", at_peer=True, must_prove=True)),
        (["-10.1.2.3"], CLOSED, REFUSED),
        (["-10.1.2.3"], OPEN, REFUSED),
        (["+10.0.0.0/8"], CLOSED, Client("trusted", at_peer=True)),
        (["~10.1.2.3"], CLOSED, Client("trusted", legacy=True, at_peer=True)),
    ],
)
def test_the_address_of_a_peers_host_lets_it_in_to_prove_itself(lines, site, expected):
    """Where it would be turned away it may come in, trusted with nothing; its very address may still be denied."""
    assert judge_client("10.1.2.3", rules(*lines), site, (), ["10.1.2.3", "2001:db8::1"]) == expected
    assert not judge_client("10.1.2.4", rules(*lines), site, (), ["10.1.2.3"]).at_peer


def test_a_smart_host_on_the_machine_of_a_peer():
    """It is the smart host without proof, and the peer with it."""
    found = judge_client("10.1.2.3", [], CLOSED, ["10.1.2.3"], ["10.1.2.3"])
    assert found == Client("smart-host", at_peer=True)


@pytest.mark.parametrize("ip", ["10.1.2.3", "127.0.0.1", "::1", "2001:db8::1"])
@pytest.mark.parametrize(
    ("lines", "site", "expected"),
    [
        (["+{}"], CLOSED, REFUSED),
        (["~{}"], OPEN, Client("stranger")),
        (["+*"], CLOSED, REFUSED),
        (["-{}"], OPEN, REFUSED),
        (["-*"], OPEN, REFUSED),
        ([], OPEN, Client("stranger")),
    ],
)
def test_a_balancer_that_names_nobody_is_never_trusted(ip, lines, site, expected):
    """Rules that deny its address hold; none that allows it, nor the smart host's address, makes it more."""
    lines = [line.format(ip) for line in lines]
    assert judge_client(ip + PROXY_ITSELF, rules(*lines), site, [ip]) == expected
    assert not is_this_machine(ip + PROXY_ITSELF)
