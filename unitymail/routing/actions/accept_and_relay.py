"""Accept and relay the message: a copy here, and one to the relay address where nothing bars it.

A closed gate costs the relayed copy only, and nobody is told: the recipient has the message (decisions.md).
"""

from zope.interface import moduleProvides

from unitymail.interfaces.message_action import IMessageAction
from unitymail.people.user import Action, User
from unitymail.policy.relaying import judge_relay
from unitymail.routing.situation import Planned, Situation
from unitymail.routing.steps import Deliver, RelayToUser

moduleProvides(IMessageAction)

action = Action.ACCEPT_AND_RELAY


def act(user: User, to: str, situation: Situation) -> Planned:
    kept = Deliver(user.id, to, situation.message.vpim)
    does = f"accepts {situation.message.category.plural}"
    barred = judge_relay(user, situation)
    if barred is not None:
        return Planned((kept,), f"{does}; not relayed: {barred.why}")
    relayed = RelayToUser(user.id, user.relay_address, to, kept=True)
    return Planned((kept, relayed), f"{does} and relays them to {user.relay_address}")
