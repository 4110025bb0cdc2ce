"""Credentials in, the user or the reply out: what a client may be told about a refused sign-in.

Refuses to know passwords (the login's) and exchanges (`sasl`).
"""

from __future__ import annotations

from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.login import ILogin, Place, SignInRefused
from unitymail.mail.reply import Reply
from unitymail.people.user import User
from unitymail.smtp import replies
from unitymail.smtp.sasl import Credentials

_REFUSALS = {
    "bad-credentials": replies.BAD_CREDENTIALS,
    "expired": replies.PASSWORD_EXPIRED,
    "not-allowed": replies.MAY_NOT_SEND,
    "busy": replies.SIGN_IN_BUSY,
}


async def sign_in(login: ILogin, credentials: Credentials, place: Place) -> User | Reply:
    """Nobody acts as somebody else here: an authorization identity must be the name itself (RFC 4616 2)."""
    if credentials.acting_as.lower() not in (b"", credentials.name.lower()):
        return replies.BAD_CREDENTIALS
    try:
        user: User = await login.sign_in(credentials.name, credentials.password, place)
    except SignInRefused as refused:
        return _REFUSALS[refused.kind]
    except Trouble as trouble:
        return Reply(454, "4.7.0", trouble.reply.text)
    return user
