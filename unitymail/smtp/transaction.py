"""One mail transaction: the envelope as it is built, and a message's way from the final dot to 250.

Knows the order: leave out who has it already (where a peer sends it again), read, decide, write our header block,
commit, answer. What is binary is encoded first. Refuses to know who may send what (`policy`), what is to be done with a
message (`routing`), and how it is kept (the spool).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.spool import IIncoming
from unitymail.mail.address import key_of
from unitymail.mail.envelope import Body, Envelope, Recipient
from unitymail.mail.lines import has_long_line
from unitymail.mail.reply import Reply
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.mail.trace import head_block
from unitymail.people.distribution_list import DistributionList
from unitymail.routing import categorise
from unitymail.routing.decide import decide
from unitymail.routing.decision import Decision, FromPeer, Origin
from unitymail.routing.subject import subject_for
from unitymail.settings.site import SiteSettings
from unitymail.smtp.binary import without_binary
from unitymail.smtp.house import House
from unitymail.smtp.reception import Reception

MANY_RECIPIENTS = 100
LONG_MESSAGE = 32_768
LONG_HEADER = 4_096
"""What has more recipients or octets is judged in a thread: a turn of the reactor stays short, whatever is sent."""

SENT_AGAIN = Reply(250, "2.0.0", "Accepted before, for all of these recipients; nothing was stored again")


class Transaction:
    """From MAIL to the final dot. `recipients` grows with each RCPT that was accepted; `told` is what a peer says.

    `begun` is when MAIL was accepted, `refused` how many RCPTs were not; `lowered`: it is less urgent than was asked.
    """

    __slots__ = ("begun", "fields", "lowered", "recipients", "refused", "sender", "told")

    def __init__(
        self, sender: str, fields: dict[str, Any], told: FromPeer | None = None, begun: float = 0.0
    ) -> None:
        self.sender = sender
        self.fields = fields
        self.told = told
        self.begun = begun
        self.refused = 0
        self.lowered = False
        self.recipients: list[Recipient] = []

    @property
    def smtputf8(self) -> bool:
        return "smtputf8" in self.fields

    @property
    def binary(self) -> bool:
        return self.fields.get("body") == "binarymime"

    def envelope(self) -> Envelope:
        return Envelope(self.sender, tuple(self.recipients), **self.fields)


async def settle(
    house: House, site: SiteSettings, origin: Origin, envelope: Envelope, reception: Reception
) -> Reply | None:
    """What becomes of a message received whole: durable (None), or forgotten, with the reply that says why.

    Raises only surprises.
    """
    if reception.refusal is not None:
        return reception.refusal
    told = origin.told
    try:
        if reception.binary:
            text = await _as_text(house, envelope, reception)
            if isinstance(text, Reply):
                return text
            envelope = text
        if told is not None:
            asked = len(envelope.recipients)
            envelope = await _not_here_yet(house, _name_of(origin, told), envelope, reception)
            if not envelope.recipients:
                house.journal.sent_again(reception.trace, xid=told.xid, recipients=asked)
                return SENT_AGAIN
        judged = await _judge_or_abandon(house, site, origin, envelope, reception)
        if isinstance(judged, Reply):
            return judged
        decision, head = judged
        if told is None:
            await house.spool.commit(reception.incoming, envelope, decision, head)
        else:
            await house.spool.commit(reception.incoming, envelope, decision, head, xid=_name_of(origin, told))
    except Trouble as trouble:
        house.journal.trouble(f"message {reception.trace} could not be kept", trouble)
        return trouble.reply
    _journal(house, origin, envelope, reception, decision)
    return None


def _name_of(origin: Origin, told: FromPeer) -> str:
    """The transaction's name here: a peer's own, so that no other can have its messages taken for known ones."""
    return f"{origin.peer}/{told.xid}"


async def _not_here_yet(house: House, xid: str, envelope: Envelope, reception: Reception) -> Envelope:
    """The envelope without the recipients who got the message by an earlier attempt whose reply the peer never saw."""
    left: tuple[Recipient, ...] = ()
    try:
        found = await house.spool.known_recipients(xid, [each.address for each in envelope.recipients])
        known = {key_of(address) for address in found}
        left = tuple(each for each in envelope.recipients if key_of(each.address) not in known)
    finally:
        if not left:
            reception.abandon()
    return replace(envelope, recipients=left) if known else envelope


async def _as_text(house: House, envelope: Envelope, reception: Reception) -> Envelope | Reply:
    """What is kept of a binary message holds none: its envelope, or why that cannot be."""
    encoding = house.threads.run(without_binary, house.spool, reception.incoming, reception.trace)
    found: tuple[IIncoming, Body] | Reply = await encoding
    if isinstance(found, Reply):
        return found
    reception.incoming, body = found
    return replace(envelope, body=body)


async def _judge_or_abandon(
    house: House, site: SiteSettings, origin: Origin, envelope: Envelope, reception: Reception
) -> tuple[Decision, bytes] | Reply:
    """What is not to be committed is forgotten here; once `commit` has it, the spool sees to that."""
    judged: tuple[Decision, bytes] | Reply | None = None
    try:
        judged = await _judge(house, site, origin, envelope, reception)
        return judged
    finally:
        if judged is None or isinstance(judged, Reply):
            reception.abandon()


async def _judge(
    house: House, site: SiteSettings, origin: Origin, envelope: Envelope, reception: Reception
) -> tuple[Decision, bytes] | Reply:
    """In the reactor thread when that is a matter of microseconds, else in another."""
    if _is_light(house, envelope, reception.incoming):
        return judge(house, site, origin, envelope, reception)
    judged: tuple[Decision, bytes] | Reply = await house.threads.run(judge, house, site, origin, envelope, reception)
    return judged


def _is_light(house: House, envelope: Envelope, incoming: IIncoming) -> bool:
    """Whether reading and deciding take well under a turn. A list may have a hundred thousand members."""
    if not incoming.in_memory() or incoming.size > LONG_MESSAGE or len(envelope.recipients) > MANY_RECIPIENTS:
        return False
    if any(isinstance(house.book.find(recipient.address), DistributionList) for recipient in envelope.recipients):
        return False
    with incoming.content() as buffer:
        return bool(buffer.find(b"\r\n\r\n", 0, LONG_HEADER) >= 0 or incoming.size <= LONG_HEADER)


def judge(
    house: House, site: SiteSettings, origin: Origin, envelope: Envelope, reception: Reception
) -> tuple[Decision, bytes] | Reply:
    """The decision and our header block, or the refusal. Safe in any thread."""
    with reception.incoming.content() as buffer:
        message = categorise.read(
            buffer, parse_secure_headers(site.secure_headers), secure_confidential=site.secure_confidential,
            host=house.host, clean_octets=True,
        )
        reception.long_lines = has_long_line(buffer, 0, len(buffer))
    decision = decide(message, envelope, origin, house.book, house.usage)
    if decision.refusal is not None:
        return decision.refusal
    head = head_block(
        trace=reception.trace, envelope=envelope, origin=origin, decision=decision, host=house.host,
        when=house.now(), subject=subject_for(decision, envelope, house.book),
    )
    return decision, head


def _journal(house: House, origin: Origin, envelope: Envelope, reception: Reception, decision: Decision) -> None:
    reception.message = message = decision.message
    house.journal.received(
        reception.trace, door=origin.door, client=origin.client, sender=envelope.sender,
        recipients=len(envelope.recipients), size=reception.size, category=message.category.value, rule=message.rule,
        user=origin.user, message_id=message.message_id, envelope=envelope, origin=origin,
    )
    house.journal.decided(reception.trace, decision)
    if reception.mended:
        house.journal.mended(reception.trace, client=origin.client)
    if reception.binary:
        house.journal.recoded(reception.trace, client=origin.client)
    if reception.long_lines:
        house.journal.long_lines(reception.trace, client=origin.client)
