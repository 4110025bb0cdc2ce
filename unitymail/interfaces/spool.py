"""Receiving files and making them durable: the intake, the commit, and the items that wait for the courier."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Container, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from zope.interface import Attribute, Interface

from unitymail.interfaces.errors import Never, Trouble, TryAgain
from unitymail.mail.envelope import Envelope
from unitymail.mail.reply import Reply
from unitymail.mail.value import value
from unitymail.routing.decision import Decision
from unitymail.routing.steps import Step

# mypy: disable-error-code="misc,empty-body"


@value
class Outcome:
    """What became of one attempt at a step. `status` is an enhanced code, `why` one sentence.

    later: the step itself asks to wait without counting an attempt (`again_at`, Unix seconds).
    `success` is what a sender who asked with NOTIFY=SUCCESS is told of a step that is done, "" for nothing (yet).
    """

    kind: Literal["done", "try-again", "failed", "later"]
    status: str = "2.0.0"
    why: str = ""
    diagnostic: str = ""
    remote_mta: str = ""
    again_at: float = 0.0
    success: Literal["", "delivered", "relayed"] = ""


DONE = Outcome("done")


@value
class StepState:
    """A step of an item with what happened so far; `outcome` None while it waits, `last` its newest failed attempt."""

    step: Step
    attempts: int = 0
    next_at: float = 0.0
    outcome: Outcome | None = None
    last: Outcome | None = None


@value
class Item:
    """A message that waits for the courier: its envelope file, parsed. `path` is the message file.

    `trace` is both the spool id and the message's trace id. `origin_user` is the sender object's id or "".
    `size` counts the whole file, our header block of `head` octets included. `name` is the file name under which it
    goes into every mailbox. `intake` is the file it was received in: the item outlives it (see spool.items). `silent`:
    no report is ever due, since nobody known sent it. `malformed`: not built as mail should be.
    `priority` is positive for urgent, negative for low. `xid` is what a peer calls the transaction it came in, "" for
    none. `revision` grows with every change that is written.
    `fresh` says that nobody can have tried a step yet. Without steps nobody has decided yet what is to happen.
    `received` is our own Received field out of the header block, b"" when that is not known without a look there.
    `content` is what follows that block, when it is small and was read with the envelope; b"" says nothing.
    """

    trace: str
    path: str
    arrived: float
    envelope: Envelope
    category: str
    sensitivity: str
    secure: bool
    subject: str
    message_id: str
    origin_user: str
    size: int
    head: int
    steps: tuple[StepState, ...]
    priority: int = 0
    held: bool = False
    name: str = ""
    sha256: str = ""
    intake: str = ""
    silent: bool = False
    fresh: bool = False
    received: bytes = b""
    xid: str = ""
    revision: int = 0
    content: bytes = b""
    malformed: bool = False


class IIncoming(Interface):
    """One message while it is received. Small ones stay in memory until the commit, larger ones go to a file."""

    trace = Attribute("The message's trace id.")
    size = Attribute("Octets written so far, our own header block not counted.")

    def write(block: bytes) -> None:
        """Take octets (one thread at a time; no flush). Raises TryAgain (452 4.3.1) when the disk is full."""

    def content() -> AbstractContextManager[Any]:
        """The octets received, as bytes or mmap (len, slicing, find). Open it after the last write."""

    def in_memory() -> bool:
        """Whether `content` costs no disk: then it may be read in the reactor thread."""

    def abandon() -> None:
        """Forget it; nothing stays on disk."""


class ISpool(Interface):
    """What a door needs to turn octets into durable mail."""

    def receive(trace: str, arrived: float | None = None) -> IIncoming:
        """Begin a message. `arrived` (Unix seconds) is the moment of the commit when not given.

        A message made twice, of one trace, must be given the same moment: it is part of its name in mailboxes.
        """

    def commit(
        incoming: IIncoming, envelope: Envelope, decision: Decision, head: bytes, *, xid: str = ""
    ) -> Awaitable[None]:
        """Fires once the message is durable and linked into each mailbox; then a door may answer 250.

        `head` is our own header block, CRLF lines, at most `MAX_HEAD` octets. Messages that are finishing at the
        same time share their flushes. Raises TryAgain when nothing was kept (the incoming message is abandoned).
        A `trace` that was committed before is not stored twice. With the `xid` of a peer's transaction the recipients
        of the envelope are remembered with the message; when all of them had it before nothing is stored, when only
        some had (a transaction that ran beside this one) it is TryAgain, and BeingReceived while another process of the
        node is at it.
        """

    def known_recipients(xid: str, addresses: Collection[str]) -> Awaitable[set[str]]:
        """Those of these addresses that have the message of this transaction already: not to be stored again.

        Waits for a commit of the same transaction that is under way. Raises TryAgain when nobody can know now.
        """


class BeingReceived(TryAgain):
    """Another process of the node is receiving the same transaction: nothing is wrong, it will be known soon."""


MAX_HEAD = 2048
"""Octets reserved for our header block in a message too large for memory."""


class IStepPerformer(Interface):
    """One kind of step. Discovered in `courier.perform`: a new kind is one new file.

    Steps of one item are performed side by side. Of two performers for one class, the one whose `takes(step)` says so
    is asked; the other has no such method.
    """

    performs = Attribute("The step class this performer knows.")

    def perform(item: Item, state: StepState) -> Awaitable[Outcome]:
        """Do it once. Expected failures are outcomes; what is raised shunts the item. Twice is harmless."""


class IManyStepsPerformer(IStepPerformer):
    """A performer that does several steps of one item in one go: 15,000 mailboxes, or one SMTP transaction."""

    together = Attribute("At most so many steps in one go; 0 for no bound.")

    def group(step: Any) -> Hashable:
        """Steps of equal groups go together, those of several classes too where their performers agree."""

    def perform_many(item: Item, states: Sequence[StepState]) -> Awaitable[list[Outcome]]:
        """As `perform` for each, in order. Their outcomes are written together: twice must be harmless."""


class IQueue(Interface):
    """The items that wait for the courier. A claim is exclusive among all processes and ends with its process.

    Reactor thread only, but `look`. What is awaited is done in threads for many items at once, with shared flushes.
    """

    def due(now: float, closed: Container[str] = ()) -> str | None:
        """The trace of an item whose time has come; handed out once, `claim` it next.

        Items known to wait for a next hop in `closed` are passed over. Urgent ones first, yet lower levels get their
        share; the next hops of a level in turn; of one hop the longest due.
        """

    def next_time(closed: Container[str] = ()) -> float | None:
        """When the next item that nobody works on falls due, closed hops left out; None for never."""

    def hop_of(trace: str) -> str:
        """The key of the next hop that an item is known to wait for; "" for unknown, none or several."""

    def listen(wake: Callable[[], None], asked: Callable[[Iterable[str]], None] = ...) -> None:
        """Call `wake` when there is something new to do, `asked` with items that an administrator wants tried now.

        From now on new items are handed over in memory.
        """

    def look() -> int:
        """Notice what other processes changed in the queue; how many items there are. Blocks: any thread."""

    def claim(trace: str) -> Awaitable[Item | None]:
        """The item, now ours until `release`, `finish` or `shunt`; None when held, gone, or claimed by another.

        `path` stays valid as long as the claim. Raises Never when its envelope file cannot be read (then it is ours,
        to shunt), OSError when nothing is ours.
        """

    def record(item: Item) -> Awaitable[None]:
        """Write what has happened to the item's steps; durable when it fires. Only for who holds the claim.

        Raises OSError when that is not possible now: the claim stays, and this process goes on knowing it.
        """

    def release(trace: str, next_at: float, hop: str = "", at_latest: float = 0.0) -> Awaitable[None]:
        """End the claim; the item falls due at `next_at`, waiting for the next hop with the key `hop` when given.

        At `at_latest`, if given, it is due even while that hop is closed.
        """

    def finish(item: Item) -> Awaitable[None]:
        """Remove the item, durably, and end the claim. Raises OSError as `record` does."""

    def shunt(trace: str, why: str) -> Awaitable[None]:
        """Put the item aside, untouched, with `why` (a traceback) beside it, and end the claim."""


class NoSuchItem(Never):
    default = Reply(550, "5.2.0", "No such message in the queue")


class Busy(TryAgain):
    default = Reply(450, "4.2.0", "The message is being worked on now")


@dataclass(frozen=True, slots=True)
class Changed:
    """What an administrator did to one item: nothing, when there is a `refusal`. `item` is what it was before."""

    trace: str
    item: Item | None = None
    refusal: Trouble | None = None


class IQueueDesk(Interface):
    """The queue for an administrator. Blocking; any process may call, a running node takes it up within seconds.

    The verbs do one item after the other while they are iterated over; refusals (NoSuchItem, Busy, or Never with the
    reason) are in what they yield. All is durable when the iteration ends.
    """

    def items() -> Iterator[Item]:
        """All items that something is left of to do, oldest first, read one by one."""

    def item(trace: str) -> Item:
        """One item. Raises NoSuchItem."""

    def in_hand(trace: str) -> bool:
        """Whether somebody has its claim at this moment: most likely it is being tried."""

    def retry(traces: Iterable[str]) -> Iterator[Changed]:
        """Whatever waits for its next attempt is due now."""

    def hold(traces: Iterable[str]) -> Iterator[Changed]:
        """Nobody works on it until it is let go."""

    def unhold(traces: Iterable[str]) -> Iterator[Changed]:
        """Let go what was held, or what its sender wanted to be sent later; it is due now."""

    def bounce(traces: Iterable[str], why: str) -> Iterator[Changed]:
        """Every recipient who does not have it yet fails, and the sender is told `why`."""

    def delete(traces: Iterable[str]) -> Iterator[Changed]:
        """It is gone, and nobody is told."""


class NoSuchBadMail(Never):
    default = Reply(550, "5.2.0", "No such bad mail")


@dataclass(frozen=True, slots=True)
class BadMailEntry:
    """One message in bad mail. `path` is its file, `kept` when it went there (Unix seconds)."""

    id: str
    path: str
    reason: str
    kept: float
    item: Item


class IBadMail(Interface):
    """The messages that nobody can be told about, for an administrator to look at. Blocking; any process may call."""

    def keep(item: Item, reason: str) -> None:
        """Keep a copy (a link) of the item's message; durable on return, harmless twice."""

    def entries() -> list[BadMailEntry]:
        """All of them, oldest first; unreadable ones are left out."""

    def entry(id: str) -> BadMailEntry:
        """One of them. Raises NoSuchBadMail."""

    def requeue(id: str) -> None:
        """Back into the queue: the courier decides it anew, as mail of our own.

        Raises NoSuchBadMail, and Busy while the item that was kept is not gone from the queue.
        """

    def delete(id: str) -> None:
        """Remove it for good. Raises NoSuchBadMail."""
