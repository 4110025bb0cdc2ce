"""Accept the message: into the user's INBOX."""

from zope.interface import moduleProvides

from unitymail.interfaces.message_action import IMessageAction
from unitymail.people.user import Action, User
from unitymail.routing.situation import Planned, Situation
from unitymail.routing.steps import Deliver

moduleProvides(IMessageAction)

action = Action.ACCEPT


def act(user: User, to: str, situation: Situation) -> Planned:
    message = situation.message
    return Planned((Deliver(user.id, to, message.vpim),), f"accepts {message.category.plural}")
