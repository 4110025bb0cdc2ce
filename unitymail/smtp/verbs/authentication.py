"""AUTH and the responses that follow it (RFC 4954). Knows when one may sign in, and how often one may fail.

Refuses to know mechanisms (`policy/sasl`) and what a refusal tells (`sign_in`).
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from unitymail.interfaces.login import Place
from unitymail.mail.reply import Reply
from unitymail.policy.sasl import Challenge, Exchange
from unitymail.policy.tls import judge_auth
from unitymail.smtp import replies
from unitymail.smtp.refusal import Refused, require
from unitymail.smtp.sasl import BAD_EXCHANGE, begin, line_of, read_response
from unitymail.smtp.sign_in import step

if TYPE_CHECKING:
    from unitymail.smtp.dialogue import Dialogue

MAX_FAILURES = 3


def auth(dialogue: Dialogue, argument: str) -> Coroutine[Any, Any, bytes]:
    if not dialogue.greeted:
        raise Refused(replies.SAY_HELLO_FIRST)
    if dialogue.origin.user:
        raise Refused(replies.ALREADY_SIGNED_IN)
    if dialogue.transaction is not None:
        raise Refused(replies.NOT_IN_A_TRANSACTION)
    house = dialogue.house
    require(judge_auth(house.door, dialogue.ip, dialogue.who.trust, dialogue.secure, dialogue.site))
    place = Place("smtp", house.door, dialogue.ip, dialogue.secure)
    exchange, response = begin(argument, house.login, place, dialogue.site)
    dialogue.who.signs_in()
    return _take(dialogue, exchange, response)


def respond(dialogue: Dialogue, exchange: Exchange, line: bytes) -> Coroutine[Any, Any, bytes]:
    """The client's response to the last challenge. Raises BadSyntax; then the exchange is over."""
    return _take(dialogue, exchange, read_response(line))


async def _take(dialogue: Dialogue, exchange: Exchange, response: bytes | None) -> bytes:
    try:
        result = await step(exchange, response)
    except Exception as error:
        return dialogue.surprised("signing in", error)
    if isinstance(result, Challenge):
        dialogue.expect_response(exchange)
        return line_of(result)
    if isinstance(result, Reply):
        return _refuse(dialogue, result)
    dialogue.who.signed_in(result)
    return replies.SIGNED_IN.octets()


def _refuse(dialogue: Dialogue, reply: Reply) -> bytes:
    octets = dialogue.refuse("AUTH", reply)
    dialogue.sign_in_failures += reply is not BAD_EXCHANGE and not reply.temporary
    if dialogue.sign_in_failures >= MAX_FAILURES and not dialogue.closing:
        octets += dialogue.close(replies.TOO_MANY_FAILURES)
    return octets
