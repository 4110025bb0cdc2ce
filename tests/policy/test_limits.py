"""How much is too much."""

from dataclasses import replace

import pytest

from tests.fakes import ROBIN, FakeUsage
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


def test_recipients_messages_and_connections_stop_at_their_limit():
    """Each has its own reply, and 0 is unlimited."""
    assert [code(limits.judge_recipients(n, SITE)) for n in (0, 1, 2)] == ["250", "250", "452 4.5.3"]
    assert [code(limits.judge_messages(n, SITE)) for n in (2, 3)] == ["250", "421 4.7.0"]
    assert code(limits.judge_recipients(10**6, UNLIMITED)) == code(limits.judge_messages(10**6, UNLIMITED)) == "250"
    assert code(limits.judge_connections(4, 1, SITE)) == "250"
    assert code(limits.judge_connections(5, 0, SITE)) == "421 4.3.2"
    assert code(limits.judge_connections(4, 2, SITE)) == "421 4.3.2"


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
