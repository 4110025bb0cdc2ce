"""Relay the message: through the smart host to the user's relay address, and no copy here."""

from zope.interface import moduleProvides

from unitymail.interfaces.message_action import IMessageAction
from unitymail.people.user import Action, User
from unitymail.policy.relaying import judge_relay
from unitymail.routing.situation import Planned, Situation
from unitymail.routing.steps import RelayToUser

moduleProvides(IMessageAction)

action = Action.RELAY


def act(user: User, to: str, situation: Situation) -> Planned:
    barred = judge_relay(user, situation)
    if barred is not None:
        return Planned((), f"relays {situation.message.category.plural}, but {barred.why}", barred.failure)
    reason = f"relays {situation.message.category.plural} to {user.relay_address}"
    return Planned((RelayToUser(user.id, user.relay_address, to),), reason)
