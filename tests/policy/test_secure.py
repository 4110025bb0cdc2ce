"""What marks a message private or secure, and what may not leave."""

from dataclasses import replace

import pytest

from tests.routing.letters import LONDON, PARIS, SITE, message
from unitymail.mail.message import Sensitivity
from unitymail.people.class_of_service import ClassOfService, RequireSecure
from unitymail.policy.secure import is_secure, relay_gate, vpim_gate

PRIVATE = message(sensitivity=Sensitivity.PRIVATE)
NORMAL = message()


@pytest.mark.parametrize(
    ("rule", "normal", "private"),
    [(RequireSecure.ALWAYS, True, True), (RequireSecure.NEVER, False, False), (RequireSecure.ASK, False, False),
     (RequireSecure.PRIVATE, False, True), (None, False, False)],
)
def test_the_class_of_service_adds_to_the_header(rule, normal, private):
    """Always, never, ask, private; the secure header makes any message secure."""
    cos = None if rule is None else ClassOfService("c", "C", secure=rule)
    assert is_secure(NORMAL, cos) is normal
    assert is_secure(PRIVATE, cos) is private
    assert is_secure(message(secure=True), cos)


@pytest.mark.parametrize("allow_private", [True, False])
@pytest.mark.parametrize("allow_secure", [True, False])
def test_the_gates_of_relaying(allow_private, allow_secure):
    """Private and secure each have their switch; a message that is both needs both."""
    site = replace(SITE, relay_allow_private=allow_private, relay_allow_secure=allow_secure)
    assert relay_gate(NORMAL, False, site) == ""
    assert (relay_gate(PRIVATE, False, site) == "") is allow_private
    assert (relay_gate(NORMAL, True, site) == "") is allow_secure
    assert (relay_gate(PRIVATE, True, site) == "") is (allow_private and allow_secure)


def test_the_gate_of_a_vpim_location():
    """Secure messages go only where the location allows it."""
    assert vpim_gate(False, LONDON) == ""
    assert "London" in vpim_gate(True, LONDON)
    assert vpim_gate(True, PARIS) == ""
