"""How the exchanges of AUTHENTICATE look on the wire of IMAP: `+` lines out, base64 lines in, one mechanism at a time.

Refuses to know the mechanisms, which are `policy/sasl`'s, and what a refusal may tell (`sign_in`).
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error, a2b_base64
from collections.abc import Awaitable, Callable

from unitymail.imap.registry import Bad
from unitymail.people.user import User
from unitymail.policy.sasl import BadResponse, Challenge, Exchange

Ask = Callable[[bytes], Awaitable[bytes]]


def decoded(response: bytes) -> bytes:
    """A response without its base64; `*` cancels, `=` is an empty initial response (RFC 4959)."""
    if response == b"*":
        raise Bad("AUTHENTICATE cancelled")
    if response == b"=":
        return b""
    try:
        return a2b_base64(response, strict_mode=True)
    except Error:
        raise Bad("The response is not base64") from None


async def converse(exchange: Exchange, initial: bytes | None, ask: Ask) -> User:
    """Lead the exchange to its user; `ask` sends a challenge in base64 and gives the line that answers it.

    Raises Bad, ActingForAnother and SignInRefused.
    """
    response = None if initial is None else decoded(initial)
    try:
        while isinstance(step := await exchange.answer(response), Challenge):
            response = decoded(await ask(b64encode(step.octets)))
    except BadResponse:
        raise Bad("The response does not fit the mechanism") from None
    return step
