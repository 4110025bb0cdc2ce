"""Who may send as whom. Knows primary and proxy addresses and delegation; refuses to know about sessions."""

from __future__ import annotations

from unitymail.people.user import User


def may_send_as(sender: User, owner: User) -> bool:
    """Whether `sender` may use an address of `owner`: their own, or of one who made them a delegate."""
    return sender.id == owner.id or sender.id in owner.delegates
