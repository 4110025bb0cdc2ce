"""The queue for an administrator, from any process: what waits, and what may be done to it while the node runs.

Knows what each verb makes of an item; refuses to know who performs its steps. Works under the claims of some items at a
time, so that it never gets in the way of an attempt, and leaves a nudge for the running node.

Note *First on the disk*. No record stands behind a change: its envelope gets its name only once its octets are flushed.
A flush that fails leaves the items as they were.

Note *Under their revision*. A change keeps the item's revision: a note that the commit journal of a crashed node still
holds counts for it as before. What such a note says was done stays done.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Never, Trouble
from unitymail.interfaces.spool import Busy, Changed, IQueueDesk, Item, NoSuchItem, Outcome, StepState
from unitymail.routing.steps import BadMail, LearnContact, RelayToSmartHost, Report
from unitymail.spool.claim import is_locked, is_still, try_lock, unlock
from unitymail.spool.durable import FLUSHED_ONE_BY_ONE
from unitymail.spool.form import Unreadable
from unitymail.spool.items import Items
from unitymail.spool.nudges import RELEASED, RETRIED, Nudges
from unitymail.spool.places import Places, is_trace, traces_in

BOUNCED = "5.0.0"
DELETED = "deleted"
TOGETHER = 200
"""Items that share their flush and their nudge; each keeps two descriptors until then."""

Change = Callable[[Item], Item | None]
"""What becomes of an item, None when it goes. Raises Never when it cannot be."""


@dataclass(slots=True)
class _Changes:
    """Items that have a new envelope, still under its temporary name, and `flushed` or not; those that go or stay."""

    flushed: bool
    begun: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    claims: dict[str, int] = field(default_factory=dict)


@implementer(IQueueDesk)
class QueueDesk:
    """`root` is DIR/spool, as for the Spool. `now` gives Unix seconds, `who` is at the desk."""

    def __init__(self, root: str, *, disk: IDisk, now: Callable[[], float], who: str) -> None:
        places = Places(root)
        places.make(disk)
        self._places = places
        self._disk = disk
        self._now = now
        self._who = who
        self._items = Items(places, disk)
        self._nudges = Nudges(places.nudges, disk)

    def items(self) -> Iterator[Item]:
        for trace in sorted(traces_in(self._places.items, ".json")):
            try:
                item = self._items.read(trace)
            except (Unreadable, FileNotFoundError):
                continue
            if is_left(item):
                yield item

    def item(self, trace: str) -> Item:
        if not is_trace(trace):
            raise NoSuchItem(why=f"{trace!r} is no id of a message")
        try:
            return self._items.read(trace)
        except FileNotFoundError as error:
            raise _no_such(trace) from error
        except Unreadable as error:
            raise _unreadable(trace, error) from error

    def in_hand(self, trace: str) -> bool:
        try:
            return is_trace(trace) and is_locked(self._items.envelope_path(trace))
        except FileNotFoundError:
            return False

    def retry(self, traces: Iterable[str]) -> Iterator[Changed]:
        return self._change(traces, RETRIED, self._retried)

    def hold(self, traces: Iterable[str]) -> Iterator[Changed]:
        return self._change(traces, "held", _held)

    def unhold(self, traces: Iterable[str]) -> Iterator[Changed]:
        return self._change(traces, RELEASED, self._released)

    def bounce(self, traces: Iterable[str], why: str) -> Iterator[Changed]:
        return self._change(traces, f"bounced ({why})", lambda item: bounced(item, why))

    def delete(self, traces: Iterable[str]) -> Iterator[Changed]:
        return self._change(traces, DELETED, self._deleted)

    def _change(self, traces: Iterable[str], what: str, change: Change) -> Iterator[Changed]:
        rest = iter(traces)
        while some := list(dict.fromkeys(islice(rest, TOGETHER))):
            answers, surprise = self._change_some(some, what, change)
            yield from answers
            if surprise is not None:
                raise surprise

    def _change_some(
        self, traces: Sequence[str], what: str, change: Change
    ) -> tuple[list[Changed], OSError | None]:
        """What became of each, up to one that nobody expected."""
        answers: list[Changed] = []
        surprise: OSError | None = None
        with ExitStack() as locks:
            changes = _Changes(len(traces) <= FLUSHED_ONE_BY_ONE)
            for trace in traces:
                try:
                    answers.append(Changed(trace, self._begin(trace, change, changes, locks)))
                except Trouble as refusal:
                    answers.append(Changed(trace, refusal=refusal))
                except OSError as error:
                    surprise = error
                    break
            self._settle(what, changes)
        return answers, surprise

    def _begin(self, trace: str, change: Change, changes: _Changes, locks: ExitStack) -> Item:
        """The item as it was; it is locked."""
        if not is_trace(trace):
            raise NoSuchItem(why=f"{trace!r} is no id of a message")
        try:
            claim = try_lock(self._items.envelope_path(trace))
        except FileNotFoundError as error:
            raise _no_such(trace) from error
        if claim is None:
            raise Busy(why=f"{trace} is being worked on now; try again in a moment")
        locks.callback(unlock, claim)
        changes.claims[trace] = claim
        try:
            item = self._items.read_locked(claim, trace)
        except Unreadable as error:
            raise _unreadable(trace, error) from error
        if not is_left(item):
            raise NoSuchItem(why=f"nothing is left to do for {trace}; it goes in a moment")
        changed = change(item)
        if changed is None:
            changes.gone.append(trace)
        elif changed is item:
            changes.same.append(trace)
        else:
            locks.callback(unlock, self._items.begin(changed, flushed=changes.flushed))
            changes.begun.append(trace)
        return item

    def _settle(self, what: str, changes: _Changes) -> None:
        """Nothing has changed before all of it is on the disk."""
        if changes.begun or changes.gone:
            self._make_true(changes, deleted=what == DELETED)
        if traces := [*changes.begun, *changes.gone, *changes.same]:
            self._nudges.leave(self._who, what, traces)

    def _make_true(self, changes: _Changes, *, deleted: bool) -> None:
        waiting = list(changes.begun)
        try:
            if waiting and not changes.flushed:
                self._disk.flush_filesystem(self._places.items)
            if deleted:  # that no record brings them back was looked up, but perhaps not durable
                self._disk.flush_directory(self._places.intake)
            self._see_that_all_are_ours(changes)
            while waiting:
                self._items.show(waiting[-1])
                waiting.pop()
        finally:
            for trace in waiting:
                self._items.forgo(trace)
        for trace in changes.gone:
            self._items.unlink(trace)
        self._disk.flush_directory(self._places.items)

    def _see_that_all_are_ours(self, changes: _Changes) -> None:
        """A start does not wait for ever for us, should we have been stopped with our claims."""
        for trace in (*changes.begun, *changes.gone):
            if not is_still(changes.claims[trace], path := self._items.envelope_path(trace)):
                raise OSError(errno.ESTALE, "a start of the node has not waited for this command", path)

    def _retried(self, item: Item) -> Item:
        if item.held:
            raise Never(why=f"{item.trace} is held; `unitymail queue release {item.trace}` lets it go")
        if self._waits_for_its_time(item):
            raise Never(why=f"its sender wants {item.trace} to be sent later; `unitymail queue release` sends it now")
        return due_now(item, self._now())

    def _released(self, item: Item) -> Item:
        if self._waits_for_its_time(item):
            return due_now(replace(item, held=False, envelope=replace(item.envelope, hold_until=None)))
        if not item.held:
            raise Never(why=f"{item.trace} is not held")
        return due_now(replace(item, held=False))

    def _waits_for_its_time(self, item: Item) -> bool:
        return item.envelope.hold_until is not None and item.envelope.hold_until > self._now()

    def _deleted(self, item: Item) -> Item | None:
        """A record that may still come back would bring the item back: then it stays, done, for the node to remove."""
        if not self._items.may_come_back(item):
            return None
        gone = Outcome("done", why=f"Deleted by {self._who}.")
        states = item.steps or _undecided(item)
        return replace(item, held=False, steps=_with_outcomes(states, lambda state: gone))


def is_left(item: Item) -> bool:
    """Whether something of it is still to be done (or to be decided)."""
    return not item.steps or any(state.outcome is None for state in item.steps)


def due_now(item: Item, now: float = 0.0) -> Item:
    """The very same item where nothing waits for a moment after `now`."""
    if all(state.outcome is not None or state.next_at <= now for state in item.steps):
        return item
    return replace(item, steps=tuple(replace(s, next_at=0.0) if s.outcome is None else s for s in item.steps))


def bounced(item: Item, why: str) -> Item:
    """With every recipient failed who does not have it yet. Reports that are due are still sent."""
    failed = Outcome("failed", BOUNCED, f"The administrator of this mail system returned the message: {why}")
    dropped = Outcome("done", why="The message was returned by an administrator.")

    def outcome(state: StepState) -> Outcome | None:
        if isinstance(state.step, Report | BadMail):
            return None
        return dropped if isinstance(state.step, LearnContact) else failed

    return due_now(replace(item, held=False, steps=_with_outcomes(item.steps or _undecided(item), outcome)))


def _held(item: Item) -> Item:
    if item.held:
        raise Never(why=f"{item.trace} is held already")
    return replace(item, held=True)


def _with_outcomes(
    states: Iterable[StepState], outcome: Callable[[StepState], Outcome | None]
) -> tuple[StepState, ...]:
    return tuple(
        replace(state, outcome=given, next_at=0.0)
        if state.outcome is None and (given := outcome(state)) is not None else state
        for state in states
    )  # fmt: skip


def _undecided(item: Item) -> tuple[StepState, ...]:
    """Of an item that nobody has decided yet only the recipients are known: which way they go is no matter here."""
    return tuple(StepState(RelayToSmartHost(recipient.address)) for recipient in item.envelope.recipients)


def _unreadable(trace: str, error: Unreadable) -> NoSuchItem:
    return NoSuchItem(why=f"the envelope of {trace} cannot be read: {error}")


def _no_such(trace: str) -> NoSuchItem:
    return NoSuchItem(why=f"there is no message {trace} in the queue; `unitymail queue list` lists them")
