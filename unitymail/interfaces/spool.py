"""Receiving files and making them durable: the intake, the commit, and the items that wait for the courier."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from zope.interface import Attribute, Interface

from unitymail.interfaces.errors import Never
from unitymail.mail.envelope import Envelope
from unitymail.mail.reply import Reply
from unitymail.routing.decision import Decision
from unitymail.routing.steps import Step

# mypy: disable-error-code="misc,empty-body"


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class StepState:
    """A step of an item with what happened so far; `outcome` None while it waits."""

    step: Step
    attempts: int = 0
    next_at: float = 0.0
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A message that waits for the courier: its envelope file, parsed. `path` is the message file.

    `trace` is both the spool id and the message's trace id. `origin_user` is the sender object's id or "".
    `size` counts the whole file, our header block of `head` octets included. `name` is the file name under which it
    goes into every mailbox. `intake` is the file it was received in: the item outlives it (see spool.items). `silent`:
    no report is ever due, since it was sent automatically or by nobody known.
    `fresh` says that nobody can have tried a step yet. Without steps nobody has decided yet what is to happen.
    `received` is our own Received field out of the header block, b"" when nobody has read it yet; it is not stored.
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


class IIncoming(Interface):
    """One message while it is received. Small ones stay in memory until the commit, larger ones go to a file."""

    trace = Attribute("The message's trace id.")
    size = Attribute("Octets written so far, our own header block not counted.")

    def write(block: bytes) -> None:
        """Take octets (reactor thread; no flush). Raises TryAgain (452 4.3.1) when the disk is full."""

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

    def commit(incoming: IIncoming, envelope: Envelope, decision: Decision, head: bytes) -> Awaitable[None]:
        """Fires once the message is durable and linked into each mailbox; then a door may answer 250.

        `head` is our own header block, CRLF lines, at most `MAX_HEAD` octets. Messages that are finishing at the
        same time share their flushes. Raises TryAgain when nothing was kept (the incoming message is abandoned).
        A `trace` that was committed before is not stored twice.
        """


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

    `due`, `next_time` and `listen` look at memory only (reactor thread); the other methods block (any thread).
    """

    def due(now: float) -> str | None:
        """The trace of the most pressing item whose time has come: urgent first, then the longest due.

        It is handed out once; `claim` it next.
        """

    def next_time() -> float | None:
        """When the next item that nobody works on falls due; None for an empty queue."""

    def listen(wake: Callable[[], None]) -> None:
        """Call `wake` (reactor thread) when an item was put by this process."""

    def look() -> int:
        """Notice what other processes put into or took out of the queue; how many items there are."""

    def claim(trace: str) -> Item | None:
        """The item, now ours until `release`, `finish` or `shunt`; None when held, gone, or claimed by another.

        Raises Never when its envelope file cannot be read (then it is ours, to shunt), OSError when nothing is ours.
        """

    def record(item: Item) -> None:
        """Write what has happened to the item's steps; durable on return. Only for who holds the claim."""

    def release(trace: str, next_at: float) -> None:
        """End the claim; the item falls due at `next_at`."""

    def finish(item: Item) -> bool:
        """Remove the item, durably, and end the claim; False when it must stay a little (finish it again when due)."""

    def shunt(trace: str, why: str) -> None:
        """Put the item aside, untouched, with `why` (a traceback) beside it, and end the claim."""

    def items() -> list[Item]:
        """All items, oldest first, for a person to look at."""


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
        """Back into the queue: the courier decides it anew, as mail of our own. Raises NoSuchBadMail."""

    def delete(id: str) -> None:
        """Remove it for good. Raises NoSuchBadMail."""
