"""Who may send as whom."""

from dataclasses import replace

from tests.fakes import CHRIS, ROBIN, TERRY
from unitymail.people.rights import may_send_as


def test_a_user_sends_as_themselves_and_as_who_made_them_a_delegate():
    """Delegation goes one way and no further."""
    boss = replace(CHRIS, delegates=("u-robin",))
    assert may_send_as(ROBIN, ROBIN)
    assert may_send_as(ROBIN, boss)
    assert not may_send_as(boss, ROBIN)
    assert not may_send_as(TERRY, boss)
