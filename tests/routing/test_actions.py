"""Message actions: one file each, found by discovery."""

from dataclasses import replace

import pytest

from tests.fakes import ROBIN, FakeUsage
from tests.routing.letters import RELAYING, ROBIN_AT, SITE, STRANGER, book, message
from unitymail.mail.message import Category, Sensitivity
from unitymail.people.user import Action
from unitymail.routing.actions import discover
from unitymail.routing.decision import SenderFinding
from unitymail.routing.situation import Situation
from unitymail.routing.steps import Deliver, RelayToUser

OUT = "robin@phone.example.net"
USER = replace(ROBIN, relay_address=OUT)
KEEPS_PRIVATE = replace(RELAYING, relay_allow_private=False)
KEPT, SENT = Deliver("u-robin", ROBIN_AT), RelayToUser("u-robin", OUT, ROBIN_AT)


def act(action, user=USER, site=RELAYING, secure=False, **facts):
    situation = Situation(
        message(**facts), STRANGER, SenderFinding("x", "outside"), secure, book(site=site), FakeUsage(), site
    )
    planned = discover()[action].act(user, ROBIN_AT, situation)
    return planned.steps, planned.failure.status if planned.failure else ""


def test_every_action_has_its_file():
    """What is found is what a user can choose."""
    assert set(discover()) == set(Action)


@pytest.mark.parametrize(
    ("category", "status"),
    [(Category.VOICE, "5.6.1"), (Category.EMAIL, "5.6.1"), (Category.FAX, "5.6.1"), (Category.RECEIPT, "")],
)
def test_reject_tells_the_sender_but_drops_receipts(category, status):
    """No report about a report."""
    assert act(Action.REJECT, category=category) == ((), status)


def test_accept_and_both_ways_of_relaying():
    """A copy here, one there, or both."""
    assert act(Action.ACCEPT) == ((KEPT,), "")
    assert act(Action.RELAY) == ((SENT,), "")
    assert act(Action.ACCEPT_AND_RELAY) == ((KEPT, replace(SENT, kept=True)), "")


@pytest.mark.parametrize(
    ("why", "changes", "status"),
    [
        ("no smart host", {"site": SITE}, "5.3.5"),
        ("no relay address", {"user": ROBIN}, "5.3.5"),
        ("own address", {"user": replace(USER, relay_address=ROBIN_AT)}, "5.4.6"),
        ("own address, other case", {"user": replace(USER, relay_address=ROBIN_AT.upper())}, "5.4.6"),
        ("own address with a tag", {"user": replace(USER, relay_address="robin+x@vm1.example.com")}, "5.4.6"),
        ("another user's proxy", {"user": replace(USER, relay_address="chris.jones@example.com")}, "5.4.6"),
        ("the postmaster's", {"user": replace(USER, relay_address="Postmaster@VM1.example.com")}, "5.4.6"),
        ("a list's", {"user": replace(USER, relay_address="team@vm1.example.com")}, "5.4.6"),
        ("secure", {"secure": True}, "5.7.1"),
        ("private", {"sensitivity": Sensitivity.PRIVATE, "site": KEEPS_PRIVATE}, "5.7.1"),
        ("secure and no smart host", {"secure": True, "site": SITE}, "5.7.1"),
    ],
)
def test_what_bars_a_relay_is_reported_unless_a_copy_is_kept(why, changes, status):
    """Relay: a report. Accept and relay: the local copy, no relay, no report."""
    assert act(Action.RELAY, **changes) == ((), status), why
    assert act(Action.ACCEPT_AND_RELAY, **changes) == ((KEPT,), ""), why


def test_gates_that_are_open_let_it_out():
    """Private by default, secure where the site allows it."""
    allowed = replace(RELAYING, relay_allow_secure=True)
    assert act(Action.RELAY, sensitivity=Sensitivity.PRIVATE) == ((SENT,), "")
    assert act(Action.RELAY, secure=True, site=allowed) == ((SENT,), "")


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("action", [Action.ACCEPT, Action.RELAY, Action.ACCEPT_AND_RELAY])
def test_what_they_say_is_plain(category, action):
    """The words of `explain` and `trace`: voice messages, but receipts."""
    situation = Situation(
        message(category=category), STRANGER, SenderFinding("x", "outside"), False, book(site=RELAYING), FakeUsage(),
        RELAYING,
    )  # fmt: skip
    named = {"voice": "voice messages", "email": "email messages", "fax": "fax messages", "receipt": "receipts"}
    verbs = {Action.ACCEPT: "accepts {}", Action.RELAY: f"relays {{}} to {OUT}",
             Action.ACCEPT_AND_RELAY: f"accepts {{}} and relays them to {OUT}"}  # fmt: skip
    reason = discover()[action].act(USER, ROBIN_AT, situation).reason
    assert reason == verbs[action].format(named[category.value])
