"""Report: one delivery status notification, committed as a message of our own.

Knows how a report gets on its way, and who gets it when it cannot; refuses to know how it looks (`mail.report`) and
whether it is due (`reports`).

Note *Performed twice*. The report's trace is derived from the item and its place among the item's reports, and its
date is the step's, so that a second performance, after a crash, commits the same message: it is not stored twice.
"""

from __future__ import annotations

from dataclasses import replace

from zope.interface import implementer

from unitymail.courier.deciding import Decider, received
from unitymail.courier.patience import tried_until
from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import DONE, ISpool, IStepPerformer, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.mail.duration import seconds_of
from unitymail.mail.envelope import NULL_SENDER, Envelope, Recipient
from unitymail.mail.message import Category
from unitymail.mail.report import Original, build_report, returns_all
from unitymail.mail.structure import scan
from unitymail.mail.trace import head_block
from unitymail.people.user import Action, User
from unitymail.routing.decision import Decision
from unitymail.routing.steps import Report
from unitymail.routing.undeliverable import keeper_of, kept_by

HEADER_ONLY = 64 * 1024


@implementer(IStepPerformer)
class ReportPerformer:
    performs = Report

    def __init__(
        self, *, spool: ISpool, decider: Decider, book: IBook, journal: IJournal, threads: IThreads
    ) -> None:
        self._spool = spool
        self._decider = decider
        self._book = book
        self._journal = journal
        self._threads = threads

    async def perform(self, item: Item, state: StepState) -> Outcome:
        step = state.step
        assert isinstance(step, Report)
        reports = [other for other in item.steps if isinstance(other.step, Report)]
        trace = f"{item.trace}-r{reports.index(state)}"
        when = state.next_at or item.arrived
        envelope = envelope_of(step.to, item.envelope)
        octets, decision, kept = await self._threads.run(self._write, item, step, trace, when, envelope)
        head = head_block(
            trace=trace, envelope=envelope, origin=self._decider.origin, decision=decision, host=self._decider.host,
            when=when, subject=None,
        )
        incoming = self._spool.receive(trace, when)
        incoming.write(octets)
        await self._spool.commit(incoming, envelope, decision, head)
        self._journal.reported(item.trace, trace, step.to, len(step.fates))
        self._journal.decided(trace, decision)
        if kept and (keeper := keeper_of(decision.steps)):
            self._journal.undeliverable(trace, kept, keeper)
        return DONE

    def _write(
        self, item: Item, step: Report, trace: str, when: float, envelope: Envelope
    ) -> tuple[bytes, Decision, str]:
        """The report, what becomes of it, and why it must be kept, "" when it can be delivered."""
        octets = build_report(
            to=step.to, fates=step.fates, envelope=item.envelope, original=original_of(item, step),
            host=self._decider.host, domain=self._book.domain, trace=trace, when=when,
            retry_until=tried_until(item, self._book.site), names=self._names(step),
        )
        decision = self._decider.decide(octets, envelope)
        why = "" if self._wants_no_receipts(step.to) else why_kept(decision)
        return octets, (_kept(decision, why, self._book) if why else without_reports(decision)), why

    def _wants_no_receipts(self, to: str) -> bool:
        """A report is a receipt: who rejects those does not miss it, and nobody need keep it (decisions.md, Reject)."""
        owner = self._book.find(to)
        return isinstance(owner, User) and owner.actions.of(Category.RECEIPT) is Action.REJECT

    def _names(self, step: Report) -> dict[str, str]:
        found = ((fate.address, self._book.find(fate.address)) for fate in step.fates)
        return {address: entry.display_name for address, entry in found if entry is not None and entry.display_name}


def envelope_of(to: str, about: Envelope | None = None) -> Envelope:
    """The null sender, and nobody is told about the report itself (RFC 3464 2); as urgent as what it is about."""
    return Envelope(
        NULL_SENDER, (Recipient(to, notify=frozenset({"NEVER"})),), body="8bitmime", smtputf8=not to.isascii(),
        priority=0 if about is None else about.priority,
    )


def original_of(item: Item, step: Report) -> Original:
    """The message that the report is about; a large one's header block only, when nothing else goes back."""
    whole = item.size - item.head
    with received(item) as octets:
        all_of_it = returns_all(step.fates, item.envelope, secure=item.secure, size=whole)
        content = bytes(octets[:whole] if all_of_it else octets[:HEADER_ONLY])
        seconds = seconds_of(octets, scan(octets).root) if item.category == Category.VOICE.value else None
    return Original(
        item.trace, item.category, item.subject, item.message_id, item.arrived, whole, item.secure, content, seconds
    )


def why_kept(decision: Decision) -> str:
    """Why a report can be delivered to nobody; "" when it can."""
    if decision.refusal is not None:
        return f"a report that cannot be delivered: {decision.refusal.text}"
    if all(isinstance(step, Report) for step in decision.steps):
        reasons = "; ".join(recipient.reason for recipient in decision.recipients)
        return f"a report that cannot be delivered: {reasons}"
    return ""


def without_reports(decision: Decision) -> Decision:
    """Nothing is ever reported about a report."""
    return replace(decision, steps=tuple(step for step in decision.steps if not isinstance(step, Report)))


def _kept(decision: Decision, why: str, book: IBook) -> Decision:
    return replace(decision, steps=kept_by(book, why), refusal=None)
