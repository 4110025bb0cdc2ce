"""The queue for an administrator, from any process: what waits, and what may be done to it while the node runs.

Knows what each verb makes of an item; refuses to know who performs its steps. Works under the claim of one item at a
time, so that it never gets in the way of an attempt, and leaves a nudge for the running node.

Note *Under their revision*. A change keeps the item's revision: a note that the commit journal of a crashed node still
holds counts for it as before. What such a note says was done stays done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Never, Trouble
from unitymail.interfaces.spool import Busy, Changed, IQueueDesk, Item, NoSuchItem, Outcome, StepState
from unitymail.routing.steps import BadMail, LearnContact, RelayToSmartHost, Report
from unitymail.spool.claim import try_lock, unlock
from unitymail.spool.form import Unreadable
from unitymail.spool.items import Items
from unitymail.spool.nudges import RELEASED, RETRIED, Nudges
from unitymail.spool.places import Places, is_trace, traces_in

BOUNCED = "5.0.0"
DELETED = "deleted"
TOGETHER = 500
"""Items that share their flush and their nudge."""

Change = Callable[[Item], Item | None]
"""What becomes of an item, None when it goes. Raises Never when it cannot be."""


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
            raise NoSuchItem(why=f"the envelope of {trace} cannot be read: {error}") from error

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
        done: list[str] = []
        try:
            for trace in traces:
                try:
                    item = self._change_one(trace, change)
                except Trouble as refusal:
                    yield Changed(trace, refusal=refusal)
                    continue
                done.append(trace)
                if len(done) == TOGETHER:
                    self._settle(what, done)
                yield Changed(trace, item)
        finally:
            self._settle(what, done)

    def _settle(self, what: str, done: list[str]) -> None:
        if done:
            if what == DELETED:  # that no record brings them back was looked up, but perhaps not durable
                self._disk.flush_directory(self._places.intake)
            self._items.make_durable(done)
            self._nudges.leave(self._who, what, done)
            done.clear()

    def _change_one(self, trace: str, change: Change) -> Item:
        """The item as it was."""
        if not is_trace(trace):
            raise NoSuchItem(why=f"{trace!r} is no id of a message")
        try:
            claim = try_lock(self._items.envelope_path(trace))
        except FileNotFoundError as error:
            raise _no_such(trace) from error
        if claim is None:
            raise Busy(why=f"{trace} is being worked on now; try again in a moment")
        try:
            item = self.item(trace)
            if not is_left(item):
                raise NoSuchItem(why=f"nothing is left to do for {trace}; it goes in a moment")
            changed = change(item)
            if changed is None:
                self._items.unlink(trace)
            elif changed is not item:
                self._disk.close(self._items.write(changed))
            return item
        finally:
            unlock(claim)

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


def _no_such(trace: str) -> NoSuchItem:
    return NoSuchItem(why=f"there is no message {trace} in the queue; `unitymail queue list` lists them")
