"""Who hears what about an item: the report, or the keeper of the undeliverable, that follows from its steps. Pure.

Knows NOTIFY (RFC 3461), the delay notice and the senders that get none; refuses to know how a report looks.

Note *Told once*. What was told is read from the item's own Report steps, so a run that is interrupted and done again
tells neither twice nor never. The report planned on entry takes up what happens in the first run: one report, not two.
Later runs make their own, since an earlier report may have been sent although its outcome was not written.

Note *Success is what happened*. A report planned on entry says `delivered` of what the door was about to link. What
was left to the courier is taken out of it before it is sent, and told by its outcome.

Note *A copy kept is a delivery*. Of accept-and-relay the sender hears what became of the mailbox's copy, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from unitymail.courier.outcomes import is_cause
from unitymail.courier.patience import UNTOLD, notices_at
from unitymail.interfaces.book import IBook
from unitymail.interfaces.spool import DONE, Item, Outcome, StepState
from unitymail.mail.address import key_of
from unitymail.mail.envelope import NULL_SENDER, Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.mail.status import explain
from unitymail.people.distribution_list import DistributionList
from unitymail.people.user import User
from unitymail.routing.hops import next_hop
from unitymail.routing.next_hop import NextHop
from unitymail.routing.steps import BadMail, Convert, Deliver, LearnContact, RelayToUser, Report, Step
from unitymail.routing.undeliverable import kept_by

DELAYED = "The way to the recipient is blocked at present."
DELIVERED = "The message is in the recipient's mailbox."
RELAYED = "That system may still tell you when something goes wrong there."
MEMBER = {"failed": "Not every member of this list was reached.",
          "delayed": "Not every member of this list has been reached yet."}
"""What is said before the cause when the sender wrote to a list and a member's own step is told of."""
NEXT = "the next mail system"
REMOVED = "2.6.4"
"""Delivered, with parts left out in the conversion."""


def owes_nothing(item: Item) -> bool:
    """Whether all is done, and there is nobody who can want to hear of it: so it is with most messages."""
    for state in item.steps:
        outcome = state.outcome
        if outcome is None or outcome.kind != "done" or outcome.status == REMOVED:
            return False
    return not _asks_for_success(item.envelope)


def _asks_for_success(envelope: Envelope) -> bool:
    if envelope.deliver_by_mode == "N" or envelope.deliver_by_trace:
        return True
    return any(recipient.notify is not None and "SUCCESS" in recipient.notify for recipient in envelope.recipients)


def with_reports(item: Item, now: float, book: IBook, *, first_run: bool = False) -> Item:
    """The item with what is due added to its steps: fates to a report, or its message to who keeps such mail."""
    if item.envelope.sender == NULL_SENDER or item.silent:
        return _with_keepers(item, book)
    item = _corrected(item)
    fates = () if _wants_none(item, book) else tuple(_news(item, now, book))
    if not fates:
        return item
    planned = _planned_report(item) if first_run else None
    if planned is None:
        # A step's time says when it was made: the report is dated by it, however often it is performed.
        return replace(item, steps=(*item.steps, StepState(Report(item.envelope.sender, fates), next_at=now)))
    number, step = planned
    return _with_step(item, number, replace(step, fates=step.fates + fates))


def _with_step(item: Item, number: int, step: Step) -> Item:
    changed = replace(item.steps[number], step=step)
    return replace(item, steps=(*item.steps[:number], changed, *item.steps[number + 1 :]))


def _planned_report(item: Item) -> tuple[int, Report] | None:
    for number, state in enumerate(item.steps):
        if isinstance(state.step, Report) and state.outcome is None and not state.attempts:
            return number, state.step
    return None


def _corrected(item: Item) -> Item:
    """The report to come without successes that the courier has not brought about."""
    planned = _planned_report(item)
    if planned is None:
        return item
    number, step = planned
    open_ones = {key_of(state.step.to) for state in item.steps if isinstance(state.step, Deliver) and not _done(state)}
    fates = tuple(fate for fate in step.fates if fate.action != "delivered" or key_of(fate.address) not in open_ones)
    if len(fates) == len(step.fates):
        return item
    item = _with_step(item, number, replace(step, fates=fates))
    return item if fates else _ended(item, number)


def _ended(item: Item, number: int) -> Item:
    """With nothing left to tell the report is done."""
    changed = replace(item.steps[number], outcome=DONE)
    return replace(item, steps=(*item.steps[:number], changed, *item.steps[number + 1 :]))


def _with_keepers(item: Item, book: IBook) -> Item:
    """A report about a report is never made: what cannot be delivered with the null sender is kept here.

    So is what an administrator sent back in, of a sender nobody knows. That is bad mail again, as is what is malformed:
    the mail program of a keeper is spared it (decisions.md, Undeliverable NDR).
    """
    reason = why_undeliverable(item)
    if not reason or any(isinstance(state.step, BadMail) for state in item.steps):
        return item
    as_bad_mail = item.malformed or item.silent
    keepers = kept_by(book, reason, as_bad_mail=as_bad_mail)
    asked = [state for state in item.steps if state.step in keepers]
    if any(not _has_failed(state) for state in asked):
        return item
    having = [state.step for state in item.steps if not _has_failed(state)]
    keepers = kept_by(book, reason, having, as_bad_mail=as_bad_mail or bool(asked))
    return replace(item, steps=(*item.steps, *map(StepState, keepers))) if keepers else item


def why_undeliverable(item: Item) -> str:
    """What failed of a message whose sender cannot be told; "" when nothing has."""
    for state in item.steps:
        if _has_failed(state) and state.outcome is not None:
            to, why = addressed_as(state.step), state.outcome.why
            return f"{to} cannot be reached, and its sender cannot be told: {why}"
    return ""


def _wants_none(item: Item, book: IBook) -> bool:
    owner = book.find(item.envelope.sender)
    return isinstance(owner, User) and not owner.route_ndr


@dataclass(frozen=True, slots=True)
class _Hearing:
    """What there is to know about an item's sender: `told` are (address, action)."""

    item: Item
    now: float
    book: IBook
    wishes: dict[str, Recipient]
    lists: frozenset[str]

    def wish(self, step: Step) -> Recipient:
        address = addressed_as(step)
        return self.wishes.get(key_of(address), Recipient(address))


def _news(item: Item, now: float, book: IBook) -> Iterator[Fate]:
    """The fates that are due and not told yet, one an address and action."""
    told = {(fate.address, fate.action) for fate in _fates(item)}
    hearing = _Hearing(item, now, book, wishes_of(item.envelope), expanded(item))
    for state in item.steps:
        if isinstance(state.step, UNTOLD) or (isinstance(state.step, RelayToUser) and state.step.kept):
            continue
        fate = _fate_of(state, hearing)
        if fate is not None and (fate.address, fate.action) not in told:
            told.add((fate.address, fate.action))
            yield fate


def _fate_of(state: StepState, hearing: _Hearing) -> Fate | None:
    wish = hearing.wish(state.step)
    if state.outcome is None:
        return _delay(state, wish, hearing)
    if state.outcome.kind == "failed":
        return _fate(state, "failed", wish, _cause(state, "failed", hearing)) if _hears(wish, "FAILURE") else None
    return _success(state, state.outcome, wish, hearing)


def _success(state: StepState, outcome: Outcome, wish: Recipient, hearing: _Hearing) -> Fate | None:
    """A list has answered for its members already (RFC 3461 5.2.7.3)."""
    removed = outcome.status == REMOVED
    action = outcome.success or ("relayed" if removed else "")
    if not action or key_of(addressed_as(state.step)) in hearing.lists:
        return None
    asked = wish.notify is not None and "SUCCESS" in wish.notify
    notice = removed and hearing.book.site.relay_notice_removed and _hears(wish, "FAILURE")
    # RFC 2852: a next hop that cannot be told the time of delivery ends what this system can promise; who wants a trace
    # hears of each hop.
    envelope = hearing.item.envelope
    by = action == "relayed" and (envelope.deliver_by_mode == "N" or envelope.deliver_by_trace) and not _never(wish)
    if not (asked or notice or by):
        return None
    cause = outcome.why if removed else DELIVERED if action == "delivered" else RELAYED
    return _fate(state, action, wish, cause)


def _delay(state: StepState, wish: Recipient, hearing: _Hearing) -> Fate | None:
    """One notice a recipient: at the sender's own moment (RFC 2852, mode N) even without NOTIFY=DELAY."""
    item, site = hearing.item, hearing.book.site
    if not any(moment <= hearing.now for moment in notices_at(item, state.step, site)):
        return None
    by = item.envelope.deliver_by if item.envelope.deliver_by_mode == "N" else None
    wanted = not _never(wish) if by is not None and hearing.now >= by else _hears(wish, "DELAY")
    if not wanted:
        return None
    last = state.last or Outcome("later")
    status = last.status if is_cause(last) and last.status[0] == "4" else "4.4.7"
    waiting = replace(state, outcome=replace(last, status=status, why=last.why or DELAYED))
    return _fate(waiting, "delayed", wish, _cause(waiting, "delayed", hearing))


def _cause(state: StepState, action: str, hearing: _Hearing) -> str:
    """Why, for the sender; of a list, that it is about some of its members."""
    outcome = state.outcome
    assert outcome is not None
    why = _without_names(state.step, outcome.why, hearing.book)
    if not isinstance(hearing.book.find(addressed_as(state.step)), DistributionList):
        return why
    return f"{MEMBER[action]} {why or explain(outcome.status).why}"


def _without_names(step: Step, why: str, book: IBook) -> str:
    """The cause as a sender may know it: which hosts and files this system uses is nobody else's business."""
    hop = next_hop(step, book)
    if not isinstance(hop, NextHop):
        return why
    if hop.password_file:
        why = why.replace(f" from {hop.password_file}", "")
    for named, unnamed in ((hop.name, NEXT), (hop.name[:1].upper() + hop.name[1:], NEXT.capitalize())):
        why = re.sub(rf"{re.escape(named)}(?![\w.-]*\w)", unnamed, why)
    return why


def _fate(state: StepState, action: str, wish: Recipient, cause: str) -> Fate:
    outcome = state.outcome
    assert outcome is not None
    return Fate(
        addressed_as(state.step), action, outcome.status, cause, outcome.diagnostic, outcome.remote_mta,  # type: ignore[arg-type]
        wish.orcpt or "",
    )  # fmt: skip


def _fates(item: Item) -> Iterator[Fate]:
    for state in item.steps:
        if isinstance(state.step, Report):
            yield from state.step.fates


def _hears(recipient: Recipient, of: str) -> bool:
    """Without NOTIFY the sender hears of failures and, at our choice, of delays."""
    return recipient.notify is None or of in recipient.notify


def _never(recipient: Recipient) -> bool:
    return recipient.notify is not None and "NEVER" in recipient.notify


def _has_failed(state: StepState) -> bool:
    return state.outcome is not None and state.outcome.kind == "failed" and not isinstance(state.step, UNTOLD)


def _done(state: StepState) -> bool:
    return state.outcome is not None and state.outcome.kind == "done"


def wishes_of(envelope: Envelope) -> dict[str, Recipient]:
    """The recipients as the sender wrote them, by address key."""
    return {key_of(recipient.address): recipient for recipient in envelope.recipients}


def expanded(item: Item) -> frozenset[str]:
    """Keys of the lists that have answered for their members."""
    return frozenset(key_of(fate.address) for fate in _fates(item) if fate.action == "expanded")


def addressed_as(step: Step) -> str:
    """The recipient of a step as the sender wrote it."""
    if isinstance(step, Convert | RelayToUser):
        return step.original
    if isinstance(step, BadMail | LearnContact):
        return ""
    return step.to if isinstance(step, Deliver | Report) else step.original or step.to

