"""The journal's line about a transaction: what the client said, what came of it, and how long that took.

Knows which facts of a transaction a postmaster looks for; refuses to know why it ended as it did.
"""

from __future__ import annotations

from unitymail.mail.reply import Reply
from unitymail.routing.decision import Origin
from unitymail.smtp.house import House
from unitymail.smtp.reception import Reception
from unitymail.smtp.transaction import Transaction

NAMED = 5
"""Recipients whose addresses stand in the line; the history has them all."""


def tell_end(
    house: House, origin: Origin, session: str, transaction: Transaction, reception: Reception | None, reply: Reply
) -> None:
    """The whole message came in, or no more of it is wanted, and this is what the client is told."""
    message = reception.message if reception is not None else None
    found = {}
    if message is not None:
        found = {"message_id": message.message_id, "category": message.category.value, "rule": message.rule}
    _tell(house, origin, session, transaction, reception, "accepted" if reply.positive else "refused", reply, **found)


def tell_abandoned(
    house: House, origin: Origin, session: str, transaction: Transaction, reception: Reception | None, why: str
) -> None:
    """It ended before the message was whole."""
    _tell(house, origin, session, transaction, reception, "abandoned", None, why=why)


def _tell(
    house: House, origin: Origin, session: str, transaction: Transaction, reception: Reception | None, outcome: str,
    reply: Reply | None, **more: str,
) -> None:
    recipients = transaction.recipients
    user = house.book.user(origin.user) if origin.user else None
    house.journal.transaction(
        outcome, door=origin.door, client=origin.client, session=session, helo=origin.helo, tls=origin.tls,
        user=user.alias if user is not None else origin.user, sender=transaction.sender, recipients=len(recipients),
        refused=transaction.refused, to=tuple(each.address for each in recipients[:NAMED]),
        size=reception.size if reception is not None else 0, reply=reply,
        trace=reception.trace if reception is not None else "",
        seconds=max(house.clock.seconds() - transaction.begun, 0.0), **more,
    )  # fmt: skip
