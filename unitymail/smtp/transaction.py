"""One mail transaction: the envelope as it is built, the message as it comes in, and the way from the final dot to 250.

Knows the order: leave out who has it already (where a peer sends it again), read, decide, write our header block,
commit, answer. What is binary is encoded first. Refuses to know who may send what (`policy`), what is to be done with a
message (`routing`), and how it is kept (the spool).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.spool import IIncoming
from unitymail.mail.address import key_of
from unitymail.mail.envelope import Body, Envelope, Recipient
from unitymail.mail.lines import has_long_line
from unitymail.mail.message import Message
from unitymail.mail.reply import Reply
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.mail.trace import head_block, new_trace
from unitymail.people.distribution_list import DistributionList
from unitymail.policy.limits import judge_size, largest_message
from unitymail.policy.verdict import Reject, Verdict
from unitymail.routing import categorise
from unitymail.routing.decide import decide
from unitymail.routing.decision import Decision, FromPeer, Origin
from unitymail.routing.subject import subject_for
from unitymail.settings.site import SiteSettings
from unitymail.smtp.binary import without_binary
from unitymail.smtp.framing import Flaws, Pieces, with_crlf
from unitymail.smtp.house import House

MANY_RECIPIENTS = 100
LONG_MESSAGE = 32_768
LONG_HEADER = 4_096
"""What has more recipients or octets is judged in a thread: a turn of the reactor stays short, whatever is sent."""

BARE = Reply(550, "5.6.0", "The message holds a carriage return or line feed that is not part of a line end")
NUL = Reply(554, "5.6.0", "The message holds a NUL octet")
SENT_AGAIN = Reply(250, "2.0.0", "Accepted before, for all of these recipients; nothing was stored again")


_NO_FLAWS = Flaws()


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


class Reception:
    """A message on its way in. The first thing wrong with it becomes its `refusal`, and nothing more is kept.

    `mended`: its line ends were put right, for a sender whom the access list calls legacy; `bare`: they are wrong, and
    nobody forgives that; `long_lines`: some are longer than others may take. `message` is what it was found to be,
    once it is durable.
    """

    __slots__ = (
        "_legacy", "_limit", "_pieces", "_site", "bare", "binary", "incoming", "long_lines", "mended", "message",
        "refusal", "size", "trace",
    )  # fmt: skip

    def __init__(self, house: House, site: SiteSettings, legacy: bool, *, binary: bool = False) -> None:
        """A `binary` one may hold any octets, and is received under another name: what is kept is made of it.

        Raises Trouble when the spool takes nothing now.
        """
        self.trace = new_trace(house.clock.seconds(), os.urandom(8))
        self.incoming: IIncoming = house.spool.receive(f"{self.trace}-raw" if binary else self.trace)
        self.binary = binary
        self.size = 0
        self.refusal: Reply | None = None
        self.message: Message | None = None
        self._site = site
        self._limit = largest_message(site)
        self._legacy = legacy
        self._pieces = Pieces()
        self.bare = self.mended = self.long_lines = False

    def expect(self, octets: int) -> None:
        """So many are to come: too many are not kept, not even the first of them."""
        if self.refusal is None:
            self._refuse_by(judge_size(self.size + octets, self._site))

    def take_piece(self, octets: bytes) -> None:
        """The next octets of a message that may be cut anywhere."""
        if self.binary:
            self.take(octets, _NO_FLAWS)
        elif octets := self._pieces.take(octets):
            self.take(octets, self._pieces.flaws)

    def end(self) -> None:
        """No piece follows; the last line has an end, whether the client sent it or not."""
        if not self.binary and (octets := self._pieces.end()):
            self.take(octets, self._pieces.flaws)

    def take(self, octets: bytes, flaws: Flaws) -> None:
        """The next octets of the message, with the flaws seen so far."""
        self.size += len(octets)
        self.bare = flaws.bare and not self._legacy
        if self.refusal is not None:
            return
        if self._limit and self.size > self._limit:
            self._refuse_by(judge_size(self.size, self._site))
        elif flaws.nul:
            self.refuse(NUL)
        elif self.bare:
            self.refuse(BARE)
        else:
            self._keep(with_crlf(octets) if flaws.bare else octets)
            self.mended = flaws.bare

    def _keep(self, octets: bytes) -> None:
        try:
            self.incoming.write(octets)
        except Trouble as trouble:
            self.refuse(trouble.reply)

    def refuse(self, reply: Reply) -> None:
        """Keep nothing; the rest is passed over and answered with `reply`."""
        self.abandon()
        self.refusal = reply

    def abandon(self) -> None:
        """Forget what came; once is enough."""
        if self.refusal is None:
            self.incoming.abandon()

    def _refuse_by(self, verdict: Verdict) -> None:
        if isinstance(verdict, Reject):
            self.refuse(verdict.reply)


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
    raw = reception.incoming
    try:
        encoding = house.threads.run(without_binary, house.spool, raw, reception.trace)
        found: tuple[IIncoming, Body] | Reply = await encoding
    finally:
        raw.abandon()
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
        when=house.clock.seconds(), subject=subject_for(decision, envelope, house.book),
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
