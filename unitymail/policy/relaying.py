"""Whether a user's relay may happen: smart host, relay address, loop, private and secure gates.

Knows what bars a relay and the status that tells so; refuses to know whether a copy is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.people.user import User
from unitymail.policy.secure import relay_gate
from unitymail.routing.resolve import is_postmaster
from unitymail.routing.situation import Failure, Situation


@dataclass(frozen=True, slots=True)
class Barred:
    """`why` is for the trace, `failure` for the sender where the message has no other way."""

    why: str
    failure: Failure


NO_SMART_HOST = Barred("no smart host is set", Failure("5.3.5", "This system cannot relay the message at present."))
NO_ADDRESS = Barred("the relay address is empty", Failure("5.3.5", "The recipient's relay address is not set."))
LOOP = Barred(
    "the relay address belongs to this system", Failure("5.4.6", "The recipient's relay address leads back here.")
)


def judge_relay(user: User, situation: Situation) -> Barred | None:
    """What bars the relay of this message to the user's relay address, None when nothing does.

    Gates come first: they hold whatever the address (decisions.md: private/secure gates, then actions).
    """
    closed = relay_gate(situation.message, situation.secure, situation.site)
    if closed:
        return Barred(closed, Failure("5.7.1", f"The message could not be passed on: {closed}."))
    if not situation.site.smart_host_host:
        return NO_SMART_HOST
    if not user.relay_address:
        return NO_ADDRESS
    # Whoever has the address here would relay it again, or keep what should have left.
    book, out = situation.book, user.relay_address
    return LOOP if book.find(out) is not None or is_postmaster(out, book) else None
