"""Who hears what about an item: the report, or the bad mail, that follows from what has become of its steps. Pure.

Knows NOTIFY (RFC 3461), the delay notice and the senders that get none; refuses to know how a report looks.

Note *Told once*. What was told is read from the item's own Report steps, so a run that is interrupted and done again
tells neither twice nor never. The report planned on entry takes up what fails in the first run: one report, not two.
Later runs make their own, since an earlier report may have been sent although its outcome was not written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from unitymail.interfaces.book import IBook
from unitymail.interfaces.spool import Item, StepState
from unitymail.mail.address import key_of
from unitymail.mail.envelope import NULL_SENDER, Recipient
from unitymail.mail.fate import Fate
from unitymail.people.user import User
from unitymail.routing.steps import BadMail, Convert, HandOver, LearnContact, RelayToUser, Report, Step

DELAYED = "The message has not reached this recipient yet; this mail system keeps trying."


def with_reports(item: Item, now: float, book: IBook, *, first_run: bool = False) -> Item:
    """The item with what is due added to its steps: fates to a report, or its message to bad mail."""
    if item.envelope.sender == NULL_SENDER:
        return _with_bad_mail(item)
    fates = () if _wants_none(item, book) else tuple(_news(item, now, book))
    if not fates:
        return item
    planned = _planned_report(item) if first_run else None
    if planned is None:
        # A step's time says when it was made: the report is dated by it, however often it is performed.
        return replace(item, steps=(*item.steps, StepState(Report(item.envelope.sender, fates), next_at=now)))
    number, step = planned
    fuller = replace(item.steps[number], step=replace(step, fates=step.fates + fates))
    return replace(item, steps=(*item.steps[:number], fuller, *item.steps[number + 1 :]))


def _planned_report(item: Item) -> tuple[int, Report] | None:
    for number, state in enumerate(item.steps):
        if isinstance(state.step, Report) and state.outcome is None and not state.attempts:
            return number, state.step
    return None


def _with_bad_mail(item: Item) -> Item:
    """A report about a report is never made: what cannot be delivered with the null sender is kept here."""
    failed = next((state for state in item.steps if _has_failed(state)), None)
    if failed is None or failed.outcome is None or any(isinstance(state.step, BadMail) for state in item.steps):
        return item
    reason = f"{addressed_as(failed.step)} cannot be reached, and its sender cannot be told: {failed.outcome.why}"
    return replace(item, steps=(*item.steps, StepState(BadMail(reason))))


def _wants_none(item: Item, book: IBook) -> bool:
    owner = book.find(item.envelope.sender)
    return item.silent or (isinstance(owner, User) and not owner.route_ndr)


def _news(item: Item, now: float, book: IBook) -> Iterable[Fate]:
    """The fates that are due and not told yet, one an address and action."""
    told = {(fate.address, fate.action) for state in item.steps for fate in _fates(state.step)}
    wishes = {key_of(recipient.address): recipient for recipient in item.envelope.recipients}
    notice_after = book.site.relay_delay_notice
    late = bool(notice_after) and now >= item.arrived + notice_after
    for state in item.steps:
        if (fate := _fate_of(state, wishes, late)) is not None and (fate.address, fate.action) not in told:
            told.add((fate.address, fate.action))
            yield fate


def _fates(step: Step) -> tuple[Fate, ...]:
    return step.fates if isinstance(step, Report) else ()


def _fate_of(state: StepState, wishes: dict[str, Recipient], late: bool) -> Fate | None:
    address = addressed_as(state.step)
    recipient = wishes.get(key_of(address), Recipient(address))
    if _has_failed(state) and state.outcome is not None and _hears(recipient, "FAILURE"):
        outcome = state.outcome
        return Fate(
            address, "failed", outcome.status, outcome.why, outcome.diagnostic, outcome.remote_mta,
            recipient.orcpt or "",
        )
    waits = state.outcome is None and state.attempts > 0 and not isinstance(state.step, Report | BadMail)
    if late and waits and _hears(recipient, "DELAY"):
        return Fate(address, "delayed", "4.4.7", DELAYED, orcpt=recipient.orcpt or "")
    return None


def _hears(recipient: Recipient, of: str) -> bool:
    """Without NOTIFY the sender hears of failures and, at our choice, of delays."""
    return recipient.notify is None or of in recipient.notify


def _has_failed(state: StepState) -> bool:
    return (
        state.outcome is not None
        and state.outcome.kind == "failed"
        and not isinstance(state.step, Report | BadMail)
    )


def addressed_as(step: Step) -> str:
    """The recipient of a step as the sender wrote it."""
    if isinstance(step, Convert | RelayToUser):
        return step.original
    if isinstance(step, HandOver):
        return step.original or step.to
    return "" if isinstance(step, BadMail | LearnContact) else step.to

