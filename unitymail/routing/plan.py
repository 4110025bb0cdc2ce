"""From recipients to steps: for each one resolve, search scope, then list or destination. Knows the order; acts on
nothing. Refuses to know who the sender is (`policy.sender` found that) and how a step is performed.

Note *One mailbox, one copy*. A place that is reached twice (two addresses, a list, a list within a list) gets its
steps once. Each recipient's own decision still shows them; the plan holds them under one address: one that the sender
wrote before a list's, and among those the first whose NOTIFY has the sender hear most of what becomes of it.

Note *One report*. Every failure, and every success somebody asked for, goes into one `Report` with a fate per
recipient, last among the steps; where none is due (`routing.reporting`), there is none.

Note *Undeliverable*. Of mail with the null sender nobody is told, nor of what an administrator sent back in although
nobody knows its sender; what fails of it is kept: `routing.undeliverable` says where. Not our own reports: who writes
them knows better what becomes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from unitymail.interfaces.book import Entry
from unitymail.mail.envelope import NULL_SENDER, Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location
from unitymail.routing.decision import RecipientDecision, RecipientKind
from unitymail.routing.destination import destination
from unitymail.routing.expand import MAX_LEVELS, expand, judge_list
from unitymail.routing.reporting import fates_of, report_barred
from unitymail.routing.resolve import Found, is_postmaster, of_entry, resolve, resolve_returned
from unitymail.routing.situation import Destination, Failure, Planned, Situation
from unitymail.routing.steps import Report, Step
from unitymail.routing.undeliverable import kept_by

OUT_OF_SCOPE = Failure("5.7.1", "You are not allowed to send to this address.")
EMPTY_LIST = Failure("5.2.4", "The list has no members who could receive the message.")
TOO_DEEP = Failure("5.2.4", f"Lists nested more than {MAX_LEVELS} deep within the list were left out.")

NOT_MEMBERS = ("list", "out-of-scope")
"""Kinds of a place that stands for the list itself, not for a member."""


def plan(envelope: Envelope, situation: Situation) -> tuple[tuple[RecipientDecision, ...], tuple[Step, ...]]:
    """(a decision per recipient, all steps in order with doubles removed and at most one Report, last)."""
    gathering = _Gathering(envelope.sender, report_barred(envelope, situation))
    vpim = situation.book.location(situation.sender.matched) if situation.sender.kind == "vpim" else None
    decisions = tuple(_decide_one(recipient, vpim, situation, gathering) for recipient in envelope.recipients)
    return decisions, gathering.all_steps(situation)


_Wishes = tuple[bool, bool, bool]


def _wishes(recipient: Recipient, *, listed: bool) -> _Wishes:
    """The lowest is best: not through a list, failures are told, success is told."""
    notify = recipient.notify
    if notify is None:
        return listed, False, True
    return listed, "FAILURE" not in notify, "SUCCESS" not in notify


@dataclass(slots=True)
class _Gathering:
    """What the recipients add up to, in order. `open_lists` are by NOTIFY, since members inherit it.

    `reached`: of each destination how good the address was under which it was found, and the steps to it.
    """

    sender: str
    barred: str
    reached: dict[str, tuple[tuple[bool, ...], tuple[Step, ...]]] = field(default_factory=dict)
    fates: dict[tuple[str, str], Fate] = field(default_factory=dict)
    why_kept: str = ""
    open_lists: dict[frozenset[str] | None, set[str]] = field(default_factory=dict)

    def add(self, place: Destination, wishes: _Wishes) -> None:
        """Once each. Who is named by the sender is not reached as the member of a list: it has wishes of its own."""
        # A full mailbox takes what is for the postmaster, so it may fail under one address and not under another.
        rank = (place.planned.failure is not None, *wishes)
        known = self.reached.get(place.key)
        if known is None or rank < known[0]:
            self.reached[place.key] = (rank, place.planned.steps)

    def tell(self, fates: tuple[Fate, ...]) -> tuple[Step, ...]:
        """Keep what the sender is to hear; the report as one recipient's decision shows it."""
        if self.barred or not fates:
            return ()
        for fate in fates:
            self.fates.setdefault((fate.address, fate.action), fate)
        return (Report(self.sender, fates),)

    def keep(self, places: Sequence[Destination], situation: Situation) -> tuple[Step, ...]:
        """Keep what fails and has no sender who may be told; the keepers as one recipient's decision shows them."""
        failed = [(one.address, one.planned.failure.cause) for one in places if one.planned.failure is not None]
        untold = self.sender == NULL_SENDER or situation.sender.kind == "unknown"
        if not failed or not untold or situation.own_report:
            return ()
        if not self.why_kept:
            self.why_kept = f"{failed[0][0]} cannot be reached, and its sender cannot be told: {failed[0][1]}"
        return self._keepers(situation)

    def _keepers(self, situation: Situation, having: Sequence[Step] = ()) -> tuple[Step, ...]:
        as_bad_mail = situation.message.malformed or situation.sender.kind == "unknown"
        return kept_by(situation.book, self.why_kept, having, as_bad_mail=as_bad_mail)

    def all_steps(self, situation: Situation) -> tuple[Step, ...]:
        steps = tuple(step for _, steps in self.reached.values() for step in steps)
        kept = self._keepers(situation, steps) if self.why_kept else ()
        report = (Report(self.sender, tuple(self.fates.values())),) if self.fates else ()
        return (*steps, *kept, *report)


def _decide_one(
    recipient: Recipient, vpim: Location | None, situation: Situation, gathering: _Gathering
) -> RecipientDecision:
    address = recipient.address
    look = resolve_returned if gathering.sender == NULL_SENDER else resolve
    found = look(address, situation.book, vpim, report=situation.own_report)
    postmaster = is_postmaster(address, situation.book)
    if not postmaster and not in_scope(found, situation):
        place = _refused("out-of-scope", address, "the sender's search scope does not reach it", OUT_OF_SCOPE)
        return _conclude(recipient, found, [place], place.planned.reason, situation, gathering)
    if found.kind == "list" and isinstance(found.entry, DistributionList):
        return _decide_list(recipient, found, found.entry, situation, gathering)
    place = destination(found, address, address, situation, quota=not postmaster)
    return _conclude(recipient, found, [place], place.planned.reason, situation, gathering)


def in_scope(found: Found, situation: Situation) -> bool:
    """Whether the sender's search scope reaches the object; who is nobody here is out of no scope."""
    scope, partition = situation.scope, found.partition
    return scope is None or not partition or scope.reaches(partition)


def _refused(kind: RecipientKind, address: str, reason: str, failure: Failure) -> Destination:
    return Destination(kind, f"{kind} {address}", address, Planned((), reason, failure))


def _decide_list(
    recipient: Recipient, found: Found, addressed: DistributionList, situation: Situation, gathering: _Gathering
) -> RecipientDecision:
    barred = None if is_postmaster(recipient.address, situation.book) else judge_list(addressed, situation)
    if barred is not None:
        place = _refused("list", recipient.address, barred.cause.removesuffix("."), barred)
        return _conclude(recipient, found, [place], place.planned.reason, situation, gathering)
    open_lists = gathering.open_lists.setdefault(recipient.notify, set())
    if addressed.id in open_lists:
        reason = "its members are reached already through another recipient"
        return _conclude(recipient, found, [], reason, situation, gathering)
    expansion = expand(addressed, situation.book, open_lists)
    if not expansion.too_deep:
        open_lists |= expansion.opened
    places = [_member(entry, recipient.address, situation) for entry in expansion.members]
    if expansion.too_deep:
        places.append(_refused("list", recipient.address, "nested too deep", TOO_DEEP))
    elif not places and not expansion.already:
        places.append(_refused("list", recipient.address, "empty", EMPTY_LIST))
    return _conclude(recipient, found, places, expansion.note, situation, gathering)


def _member(entry: Entry, to: str, situation: Situation) -> Destination:
    """A member of a list: its own scope is not asked, everything else is."""
    address = _address_of(entry, situation)
    found = of_entry(entry, address, situation.book)
    return destination(found, found.to or address, to, situation)


def _address_of(entry: Entry, situation: Situation) -> str:
    if not isinstance(entry, Contact):
        return entry.address
    return entry.proxies[0] if entry.proxies else f"{entry.alias}@{situation.book.domain}"


def _conclude(
    recipient: Recipient,
    found: Found,
    places: Sequence[Destination],
    reason: str,
    situation: Situation,
    gathering: _Gathering,
) -> RecipientDecision:
    """Add what was found to the plan, and state it as this recipient's decision."""
    wishes = _wishes(recipient, listed=found.kind == "list")
    for place in places:
        gathering.add(place, wishes)
    through_list = found.kind == "list" and (not places or any(place.kind not in NOT_MEMBERS for place in places))
    fates = fates_of(recipient, places, through_list=through_list)
    report, kept = gathering.tell(fates), gathering.keep(places, situation)
    steps = tuple(step for place in places for step in place.planned.steps)
    kind: RecipientKind = "list" if through_list else places[0].kind
    dropped = _dropped(places) if through_list else ()
    silence = (*dropped, *_silence(places, fates, gathering.barred), *(["kept as undeliverable"] if kept else ()))
    sentence = "; ".join((found.reason, reason, *silence))
    return RecipientDecision(recipient.address, kind, _matched(found), steps + kept + report, sentence)


def _dropped(places: Sequence[Destination]) -> tuple[str, ...]:
    """How many members take nothing of a message that has not failed for them: a receipt that they reject."""
    count = sum(1 for place in places if not place.planned.steps and place.planned.failure is None)
    return (f"{count} of them drop it silently",) if count else ()


def _silence(places: Sequence[Destination], fates: tuple[Fate, ...], barred: str) -> tuple[str, ...]:
    """Why the sender does not hear of what failed, or of the success that was asked for."""
    failed = any(place.planned.failure is not None for place in places)
    if barred and (failed or fates):
        return (f"no report, since {barred}",)
    unasked = failed and not any(fate.action == "failed" for fate in fates)
    return ("no report, since the sender asked for none",) if unasked else ()


def _matched(found: Found) -> str:
    if found.entry is not None:
        return found.entry.id
    return found.location.id if found.location is not None else ""
