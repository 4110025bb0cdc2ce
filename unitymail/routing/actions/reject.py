"""Reject the message: the sender is told; a receipt is dropped, since nobody waits to hear of a receipt's fate."""

from zope.interface import moduleProvides

from unitymail.interfaces.message_action import IMessageAction
from unitymail.mail.message import Category
from unitymail.people.user import Action, User
from unitymail.routing.situation import Failure, Planned, Situation

moduleProvides(IMessageAction)

action = Action.REJECT


def act(user: User, to: str, situation: Situation) -> Planned:
    category = situation.message.category
    if category is Category.RECEIPT:
        return Planned((), "rejects receipts, so this one is dropped silently")
    reason = f"does not accept {category.value} messages"
    return Planned((), reason, Failure("5.6.1", f"The recipient {reason}."))
