"""How much is too much."""

from dataclasses import replace

import pytest

from tests.fakes import ROBIN, FakeUsage
from unitymail.interfaces.ledger import Count, Full
from unitymail.people.user import Quota
from unitymail.policy import limits
from unitymail.policy.verdict import ACCEPT
from unitymail.settings.site import SiteSettings

SITE = replace(
    SiteSettings(), smtp_max_message_kib=1, smtp_max_recipients=2, smtp_max_messages_per_connection=3,
    smtp_max_connections=5, smtp_max_connections_per_address=2,
)
UNLIMITED = replace(SITE, smtp_max_message_kib=0, smtp_max_recipients=0, smtp_max_messages_per_connection=0)


def code(verdict):
    return "250" if verdict == ACCEPT else f"{verdict.reply.code} {verdict.reply.enhanced}"


@pytest.mark.parametrize(
    ("octets", "answer"), [(None, "250"), (0, "250"), (1024, "250"), (1025, "552 5.3.4"), (99_999_999_999, "552 5.3.4")]
)
def test_message_size_in_kib_of_1024(octets, answer):
    """The limit itself passes; one octet more does not; undeclared passes until it is counted."""
    assert code(limits.judge_size(octets, SITE)) == answer
    assert code(limits.judge_size(octets, UNLIMITED)) == "250"


def test_recipients_and_messages_stop_at_their_limit():
    """Each has its own reply, and 0 is unlimited."""
    assert [code(limits.judge_recipients(n, SITE)) for n in (0, 1, 2)] == ["250", "250", "452 4.5.3"]
    assert [code(limits.judge_messages(n, SITE)) for n in (2, 3)] == ["250", "421 4.7.0"]
    assert code(limits.judge_recipients(10**6, UNLIMITED)) == code(limits.judge_messages(10**6, UNLIMITED)) == "250"


@pytest.mark.parametrize(("used", "receives", "sends"), [(0, True, True), (9, True, True), (10, True, False),
                                                          (19, True, False), (20, False, False), (21, False, False)])
def test_quotas_close_at_their_number(used, receives, sends):
    """Below is open, at or above is closed; a message that crosses the limit was still taken."""
    user = replace(ROBIN, quota=Quota(5, 10, 20))
    usage = FakeUsage({user.id: used})
    assert (limits.may_receive(user, usage), limits.may_send(user, usage)) == (receives, sends)


def test_no_quota_never_closes():
    """0 is unlimited."""
    user = replace(ROBIN, quota=Quota(0, 0, 0))
    usage = FakeUsage({user.id: 10**15})
    assert limits.may_receive(user, usage)
    assert limits.may_send(user, usage)


def test_a_connection_needs_a_place_in_total_and_in_those_of_its_address():
    """Both limits are the site's, and the refusal says which one, and what to do."""
    total, own = limits.connection_counts("192.0.2.7", SITE)
    assert (total, own) == (Count("smtp", "", 5), Count("smtp", "192.0.2.7", 2))
    all_taken, yours = limits.no_place(Full(total)), limits.no_place(Full(own))
    assert {(reply.code, reply.enhanced) for reply in (all_taken, yours)} == {(421, "4.3.2")}
    assert "5" in all_taken.text and "try again" in all_taken.text and "192.0.2.7" not in all_taken.text
    assert "2" in yours.text and "192.0.2.7" in yours.text and "close some" in yours.text


@pytest.mark.parametrize(
    ("ip", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_whose_connection_it_is(ip, counted):
    """A host with IPv6 has a /64 to itself, so that is what counts as one address."""
    assert limits.counted_as(ip) == counted
