"""Receiving files and making them durable: the intake, the commit, and the items that wait for the courier."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from zope.interface import Attribute, Interface

from unitymail.mail.envelope import Envelope
from unitymail.routing.decision import Decision
from unitymail.routing.steps import Step

# mypy: disable-error-code="misc,empty-body"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt at a step. `status` is an enhanced code, `why` one sentence.

    later: the step itself asks to wait without counting an attempt (`again_at`, Unix seconds).
    """

    kind: Literal["done", "try-again", "failed", "later"]
    status: str = "2.0.0"
    why: str = ""
    diagnostic: str = ""
    remote_mta: str = ""
    again_at: float = 0.0


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

    def receive(trace: str) -> IIncoming:
        """Begin a message."""

    def commit(incoming: IIncoming, envelope: Envelope, decision: Decision, head: bytes) -> Awaitable[None]:
        """Fires once the message is durable and linked into each mailbox; then a door may answer 250.

        `head` is our own header block, CRLF lines, at most `MAX_HEAD` octets. Messages that are finishing at the
        same time share their flushes. Raises TryAgain when nothing was kept (the incoming message is abandoned).
        A `trace` that was committed before is not stored twice.
        """


MAX_HEAD = 2048
"""Octets reserved for our header block in a message too large for memory."""


class IStepPerformer(Interface):
    """One kind of step. Discovered in `courier.perform`: a new kind is one new file."""

    performs = Attribute("The step class this performer knows.")

    def perform(item: Item, state: StepState) -> Awaitable[Outcome]:
        """Do it once. Expected failures are outcomes; what is raised shunts the item. Twice is harmless."""
