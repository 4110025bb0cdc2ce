"""MAIL, RCPT, DATA and RSET: the envelope of one message, up to its first octet (RFC 5321 3.3).

Knows the order and whom to ask; refuses to know the message itself (`transaction`).

*Note: what counts when.* Limits, TLS and AUTH are those of the session's snapshot of the site. Whose an address is,
and what becomes of the message, is asked of the address book as it is now, its rules of the site included.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from unitymail.interfaces.errors import Trouble
from unitymail.mail.envelope import Recipient
from unitymail.policy.limits import judge_messages, judge_recipients, judge_size, judge_space
from unitymail.policy.priority import granted_priority
from unitymail.policy.recipient import judge_recipient
from unitymail.policy.sender import judge_envelope_sender
from unitymail.policy.tls import NO_MORE_A_PEER, judge_mail
from unitymail.smtp import commands, replies
from unitymail.smtp.extensions import mail_fields, rcpt_fields
from unitymail.smtp.moments import settle_moments
from unitymail.smtp.reception import Reception
from unitymail.smtp.refusal import Refused, refuse_argument, require
from unitymail.smtp.transaction import Transaction
from unitymail.smtp.verbs.greeting import situation_of
from unitymail.smtp.xunitymail import take_told

if TYPE_CHECKING:
    from unitymail.smtp.dialogue import Dialogue

_SENDER_OK = replies.SENDER_OK.octets()
_RECIPIENT_OK = replies.RECIPIENT_OK.octets()
_START_MESSAGE = replies.START_MESSAGE.octets()
_MOMENTS = frozenset(("hold_for", "hold_until", "by"))


def mail(dialogue: Dialogue, argument: str) -> bytes:
    if not dialogue.greeted:
        raise Refused(replies.SAY_HELLO_FIRST)
    if dialogue.transaction is not None:
        raise Refused(replies.ALREADY_A_SENDER)
    dialogue.mail_refused = True
    house, site, origin = dialogue.house, dialogue.site, dialogue.origin
    require(judge_messages(dialogue.messages, site))
    if origin.peer and not dialogue.who.still_a_peer():
        raise Refused(NO_MORE_A_PEER.reply)
    if origin.user and not dialogue.who.still_signed_in():
        raise Refused(replies.SIGN_IN_AGAIN)
    require(judge_mail(house.door, dialogue.who.trust, bool(origin.tls), bool(origin.user), site, dialogue.ip))
    path = commands.read_mail(argument)
    fields = mail_fields(path.parameters, partial(situation_of, dialogue)) if path.parameters else {}
    if not path.address.isascii() and "smtputf8" not in fields:
        raise Refused(replies.NEEDS_SMTPUTF8)
    if "declared_size" in fields:
        require(judge_size(fields["declared_size"], site))
    require(judge_space(house.free(), fields.get("declared_size", 0)))
    require(judge_envelope_sender(path.address, origin, house.book, house.usage))
    told = take_told(fields) if origin.peer else None
    if not _MOMENTS.isdisjoint(fields):
        settle_moments(fields, house.now())
    dialogue.transaction = transaction = Transaction(path.address, fields, told, house.clock.seconds())
    if "priority" in fields:
        asked = fields["priority"]
        fields["priority"] = granted_priority(asked, origin)
        transaction.lowered = fields["priority"] < asked
    dialogue.mail_refused = dialogue.chunk_refused = False
    return _SENDER_OK


def rcpt(dialogue: Dialogue, argument: str) -> bytes:
    transaction = dialogue.transaction
    if transaction is None:
        return _without_sender(dialogue)
    if dialogue.receiving:
        raise Refused(replies.CHUNKS_BEGAN)
    path = commands.read_rcpt(argument)
    address = path.address
    if not address.isascii() and not transaction.smtputf8:
        raise Refused(replies.NEEDS_SMTPUTF8)
    house = dialogue.house
    if "@" not in address:
        # RFC 5321 4.5.1: <postmaster> without a domain is ours.
        address = f"{address}@{house.book.domain}"
    fields: dict[str, Any] = rcpt_fields(path.parameters) if path.parameters else {}
    require(judge_recipients(len(transaction.recipients), dialogue.site))
    require(judge_recipient(address, dialogue.origin, house.book, house.usage, sender=transaction.sender))
    transaction.recipients.append(Recipient(address, **fields))
    return _RECIPIENT_OK


def data(dialogue: Dialogue, argument: str) -> bytes:
    refuse_argument(argument)
    transaction = dialogue.transaction
    if transaction is None:
        return _without_sender(dialogue)
    if dialogue.receiving:
        raise Refused(replies.CHUNKS_BEGAN)
    if transaction.binary:
        raise Refused(replies.BINARY_BY_CHUNKS)
    if not transaction.recipients:
        raise Refused(replies.NO_RECIPIENTS)
    try:
        reception = Reception(dialogue.house, dialogue.site, dialogue.who.client.legacy)
    except Trouble as trouble:
        raise Refused(trouble.reply)
    dialogue.expect_message(reception)
    return _START_MESSAGE


def rset(dialogue: Dialogue, argument: str) -> bytes:
    refuse_argument(argument)
    dialogue.begin_again()
    return replies.RESET.octets()


def _without_sender(dialogue: Dialogue) -> bytes:
    """Behind a refused MAIL the rest of a pipelined group is no mistake of the client's (RFC 2920 3.1)."""
    if not dialogue.mail_refused:
        raise Refused(replies.NO_SENDER)
    return replies.NO_SENDER.octets()
