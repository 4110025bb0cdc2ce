"""A message action: what a user wants done with messages of one category. One file each, found by discovery."""

from __future__ import annotations

from zope.interface import Attribute, Interface

from unitymail.people.user import User
from unitymail.routing.situation import Planned, Situation

# mypy: disable-error-code="misc,empty-body"


class IMessageAction(Interface):
    """Provided by each module of `routing.actions`."""

    action = Attribute("The `people.user.Action` that it is.")

    def act(user: User, to: str, situation: Situation) -> Planned:
        """What happens to the message for this user of this node; `to` is the address as the sender wrote it.

        Quota comes after: a `Deliver` step is dropped from the plan when the mailbox is full.
        """
