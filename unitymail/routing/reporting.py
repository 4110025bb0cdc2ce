"""Which fates the sender hears of: RFC 3461 NOTIFY, and the cases where no report is ever due.

Knows what was planned; refuses to know how a report looks (`mail.report`).
"""

from __future__ import annotations

from collections.abc import Iterable

from unitymail.mail.envelope import NULL_SENDER, Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.people.user import User
from unitymail.routing.situation import Destination, Situation
from unitymail.routing.steps import Deliver, Step

DELIVERED = "The message is in the recipient's mailbox."
EXPANDED = "You will hear only of members whom it does not reach."


def report_barred(envelope: Envelope, situation: Situation) -> str:
    """Why this message never gets a report (RFC 3464 2, decisions.md NDR), "" when one may be due.

    Who sends automatically but can be told is told (RFC 5321 6.1): a telephone system's message must not vanish.
    """
    if envelope.sender == NULL_SENDER:
        return "it has the null sender"
    if situation.sender.kind == "unknown":
        return "its sender is not identified"
    owner = situation.book.find(envelope.sender)
    if isinstance(owner, User) and not owner.route_ndr:
        return "its sender wants none"
    return ""


def fates_of(recipient: Recipient, reached: Iterable[Destination], *, through_list: bool) -> tuple[Fate, ...]:
    """What the sender asked to hear: failures unless NOTIFY says otherwise, successes only where it says so.

    A list answers for its members' success with one `expanded` (RFC 3461 5.2.7). `delivered` is planned only where
    the door links the message as it is; what the courier does is told by its outcome (`courier.reports`).
    """
    orcpt = recipient.orcpt or ""
    failures = recipient.notify is None or "FAILURE" in recipient.notify
    successes = recipient.notify is not None and "SUCCESS" in recipient.notify
    fates = []
    if successes and through_list:
        fates.append(Fate(recipient.address, "expanded", "2.0.0", EXPANDED, orcpt=orcpt))
    for place in reached:
        failure = place.planned.failure
        if failure is not None:
            if failures:
                fates.append(Fate(place.address, "failed", failure.status, failure.cause, orcpt=orcpt))
        elif successes and not through_list and any(map(_linked_at_once, place.planned.steps)):
            fates.append(Fate(place.address, "delivered", "2.0.0", DELIVERED, orcpt=orcpt))
    return tuple(fates)


def _linked_at_once(step: Step) -> bool:
    return isinstance(step, Deliver) and not step.from_vpim
