"""One step of an exchange, and what a client may be told where it ends without a user.

Refuses to know passwords (the login's) and mechanisms (`policy/sasl`).
"""

from __future__ import annotations

from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.login import ActingForAnother, SignInRefused
from unitymail.mail.reply import Reply
from unitymail.people.user import User
from unitymail.policy.sasl import BadResponse, Challenge, Exchange
from unitymail.smtp import replies
from unitymail.smtp.sasl import BAD_EXCHANGE

_REFUSALS = {
    "bad-credentials": replies.BAD_CREDENTIALS,
    "expired": replies.PASSWORD_EXPIRED,
    "not-allowed": replies.MAY_NOT_SEND,
    "busy": replies.SIGN_IN_BUSY,
}


async def step(exchange: Exchange, response: bytes | None) -> Challenge | User | Reply:
    """Nobody acts as somebody else here: an authorization identity must be the name itself (RFC 4616 2)."""
    try:
        return await exchange.answer(response)
    except BadResponse:
        return BAD_EXCHANGE
    except ActingForAnother:
        return replies.BAD_CREDENTIALS
    except SignInRefused as refused:
        return _REFUSALS[refused.kind]
    except Trouble as trouble:
        return Reply(454, "4.7.0", trouble.reply.text)
