"""Whose urgency is believed."""

import pytest

from unitymail.policy.priority import granted_priority
from unitymail.routing.decision import Origin


@pytest.mark.parametrize(("origin", "up", "down"), [
    (Origin("mta"), 0, -4), (Origin("mta", trust="trusted"), 6, -4), (Origin("mta", trust="smart-host"), 6, -4),
    (Origin("peer", trust="peer", peer="l-b"), 6, -4), (Origin("internal", trust="internal"), 6, -4),
    (Origin("submission", user="u-robin", trust="authenticated"), 6, -4),
])  # fmt: skip
def test_who_may_be_urgent(origin, up, down):
    """Users, trusted addresses, the smart host and peers; a stranger may only step back."""
    assert [granted_priority(asked, origin) for asked in (6, 0, -4)] == [up, 0, down]
