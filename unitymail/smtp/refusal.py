"""How a command of SMTP stops: with the reply that says why. Refuses to know which commands there are."""

from __future__ import annotations

from unitymail.mail.reply import Reply
from unitymail.policy.verdict import ACCEPT, Reject, Verdict
from unitymail.smtp.commands import NO_ARGUMENT


class Refused(Exception):
    """A command stops here with this reply. Only the dialogue catches it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


def require(verdict: Verdict) -> None:
    """Go on when the policy accepts. Raises Refused."""
    if verdict is not ACCEPT and isinstance(verdict, Reject):
        raise Refused(verdict.reply)


def refuse_argument(argument: str) -> None:
    """Raises Refused when something follows a verb that stands alone."""
    if argument:
        raise Refused(NO_ARGUMENT)
