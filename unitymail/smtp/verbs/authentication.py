"""AUTH and the responses that follow it (RFC 4954). Knows when one may sign in, and how often one may fail.

Refuses to know mechanisms (`sasl`) and passwords (`sign_in`).
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from unitymail.interfaces.login import Place
from unitymail.people.user import User
from unitymail.policy.tls import judge_auth
from unitymail.smtp import replies
from unitymail.smtp.refusal import Refused, require
from unitymail.smtp.sasl import Challenge, Credentials, Exchange, begin, read_response
from unitymail.smtp.sign_in import sign_in

if TYPE_CHECKING:
    from unitymail.smtp.dialogue import Dialogue

MAX_FAILURES = 3


def auth(dialogue: Dialogue, argument: str) -> bytes | Coroutine[Any, Any, bytes]:
    if not dialogue.greeted:
        raise Refused(replies.SAY_HELLO_FIRST)
    if dialogue.origin.user:
        raise Refused(replies.ALREADY_SIGNED_IN)
    if dialogue.transaction is not None:
        raise Refused(replies.NOT_IN_A_TRANSACTION)
    house = dialogue.house
    require(judge_auth(house.door, dialogue.ip, dialogue.trust, dialogue.secure, dialogue.site))
    exchange, response = begin(argument)
    return _take(dialogue, exchange, response)


def respond(dialogue: Dialogue, exchange: Exchange, line: bytes) -> bytes | Coroutine[Any, Any, bytes]:
    """The client's response to the last challenge. Raises BadSyntax; then the exchange is over."""
    return _take(dialogue, exchange, read_response(line))


def _take(dialogue: Dialogue, exchange: Exchange, response: bytes | None) -> bytes | Coroutine[Any, Any, bytes]:
    step = exchange.answer(response)
    if isinstance(step, Challenge):
        dialogue.expect_response(exchange)
        return step.line()
    return _sign_in(dialogue, step)


async def _sign_in(dialogue: Dialogue, credentials: Credentials) -> bytes:
    place = Place("smtp", dialogue.house.door, dialogue.ip, dialogue.secure)
    try:
        result = await sign_in(dialogue.house.login, credentials, place)
    except Exception as error:
        return dialogue.surprised("signing in", error)
    if isinstance(result, User):
        dialogue.signed_in(result)
        return replies.SIGNED_IN.octets()
    octets = dialogue.refuse("AUTH", result)
    dialogue.sign_in_failures += not result.temporary
    if dialogue.sign_in_failures >= MAX_FAILURES and not dialogue.closing:
        octets += dialogue.close(replies.TOO_MANY_FAILURES)
    return octets
