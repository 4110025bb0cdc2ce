"""Accept the message: into the user's INBOX."""

from zope.interface import moduleProvides

from unitymail.interfaces.message_action import IMessageAction
from unitymail.people.user import Action, User
from unitymail.routing.situation import Planned, Situation
from unitymail.routing.steps import Deliver

moduleProvides(IMessageAction)

action = Action.ACCEPT


def act(user: User, to: str, situation: Situation) -> Planned:
    return Planned((Deliver(user.id, to),), f"accepts {situation.message.category.value} messages")
