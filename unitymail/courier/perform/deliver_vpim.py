"""Deliver, from VPIM: converted once to the form that Outlook plays, then committed as a message of our own.

Knows who takes fax and what a failed conversion means; refuses to know how it is converted (`outlook_form`) and how a
mailbox gets it: that is a delivery like any other, of the message that is committed here.

Note *Performed twice*. The trace of what is committed is derived from the item's (`TRACE-v0`, without fax pages
`TRACE-v1`), its moment is the item's: a second performance, after a crash, stores nothing twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from zope.interface import implementer

from unitymail.courier.deciding import Decider
from unitymail.courier.forwarding import read_received
from unitymail.courier.outlook_form import Conversion, Converted, NoMedia, OutlookForm
from unitymail.courier.scratch import tried_again
from unitymail.interfaces.book import IBook
from unitymail.interfaces.codec import CannotDecode, ICodec, TooLong
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import IManyStepsPerformer, ISpool, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.mail.address import key_of
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Message
from unitymail.mail.trace import head_block
from unitymail.people.user import Action, User
from unitymail.routing.decision import Decision, SenderFinding, SenderKind
from unitymail.routing.steps import Deliver, Step

PIECE = 1 << 18
DELIVERED = Outcome("done", success="delivered")
GONE = Outcome("failed", "5.1.1", "The mailbox is no longer here.")
NO_FAX = Outcome("failed", "5.6.1", "The recipient does not accept fax messages, and the message holds nothing else.")


@implementer(IManyStepsPerformer)
class DeliverFromVpimPerformer:
    performs = Deliver
    together = 0

    def __init__(
        self, *, spool: ISpool, codec: ICodec, book: IBook, decider: Decider, journal: IJournal, threads: IThreads,
        audio_threads: IThreads,
    ) -> None:
        self._spool = spool
        self._form = OutlookForm(codec=codec, book=book, host=decider.host)
        self._book = book
        self._decider = decider
        self._journal = journal
        self._threads = threads
        self._audio_threads = audio_threads

    def takes(self, step: Step) -> bool:
        return isinstance(step, Deliver) and step.from_vpim

    def group(self, step: Deliver) -> Hashable:
        return "from VPIM"

    async def perform(self, item: Item, state: StepState) -> Outcome:
        return (await self.perform_many(item, [state]))[0]

    async def perform_many(self, item: Item, states: Sequence[StepState]) -> list[Outcome]:
        steps = [_delivery(state) for state in states]
        users = [self._book.user(step.account) for step in steps]
        fax = [_takes_fax(user) for user in users if user is not None]
        if not fax:
            return [GONE] * len(steps)
        try:
            conversion: Conversion = await self._audio_threads.run(self._convert, item, fax)
        except (NoMedia, CannotDecode, TooLong) as trouble:
            failed = Outcome("failed", trouble.reply.enhanced, f"{trouble.reply.text}.")
            return [GONE if user is None else failed for user in users]
        try:
            given = [
                None if user is None else conversion.of(takes_fax=_takes_fax(user)) for user in users
            ]
            for made in conversion.made.values():
                await self._commit(item, made, [step for step, one in zip(steps, given, strict=True) if one is made])
        finally:
            conversion.close()
        self._journal.converted(item.trace, "mailbox", conversion.seconds, conversion.removed)
        return [
            GONE if user is None else NO_FAX if made is None else DELIVERED
            for user, made in zip(users, given, strict=True)
        ]

    def _convert(self, item: Item, fax: list[bool]) -> Conversion:
        with tried_again(f"converting {item.trace}"):
            return self._form.convert(item, item.received or read_received(item), fax)

    async def _commit(self, item: Item, made: Converted, steps: list[Deliver]) -> None:
        if not steps:
            return
        envelope = _envelope(item, steps)
        decision = self._decision(item, made, steps)
        head = head_block(
            trace=made.trace, envelope=envelope, origin=self._decider.origin, decision=decision,
            host=self._decider.host, when=item.arrived, subject=None,
        )
        incoming = self._spool.receive(made.trace, item.arrived)
        try:
            while block := await self._threads.run(_read, made, item):
                incoming.write(block)
        except Exception:
            incoming.abandon()
            raise
        # Converted again after a crash it may differ, when somebody was renamed meanwhile: its XID is the same.
        await self._spool.commit(incoming, envelope, decision, head, xid=f"vpim.{made.trace}")

    def _decision(self, item: Item, made: Converted, steps: list[Deliver]) -> Decision:
        """What was decided about the item holds for what it became."""
        message = Message(
            Category(item.category), "R4", made.sensitivity, item.secure, made.importance,
            malformed=False, size=0, subject=made.subject, has_subject=True, message_id=made.message_id,
            asks_receipt=made.asks_receipt and not item.silent,
        )
        kind: SenderKind = "outside" if self._book.location(item.origin_user) is None else "vpim"
        sender = SenderFinding(item.envelope.sender, kind, item.origin_user)
        return Decision(message, sender, (), tuple(replace(step, from_vpim=False) for step in steps), item.secure)


def _read(made: Converted, item: Item) -> bytes:
    with tried_again(f"reading what became of {item.trace}"):
        return made.file.read(PIECE)


def _delivery(state: StepState) -> Deliver:
    assert isinstance(state.step, Deliver)
    return state.step


def _takes_fax(user: User) -> bool:
    return user.actions.of(Category.FAX) is not Action.REJECT


def _envelope(item: Item, steps: list[Deliver]) -> Envelope:
    """The sender's, for these recipients. Success is told of the item itself: here it is nobody's wish any more."""
    wishes = {key_of(recipient.address): recipient for recipient in item.envelope.recipients}
    recipients = (wishes.get(key_of(to), Recipient(to)) for to in dict.fromkeys(step.to for step in steps))
    return replace(item.envelope, recipients=tuple(map(_without_success, recipients)), body="8bitmime", hold_until=None)


def _without_success(recipient: Recipient) -> Recipient:
    if recipient.notify is None or "SUCCESS" not in recipient.notify:
        return recipient
    return replace(recipient, notify=recipient.notify - {"SUCCESS"} or frozenset({"NEVER"}))
