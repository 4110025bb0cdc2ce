"""A message as it goes on to another system: what is sent first, and what only a peer is told.

Refuses to know whom it is for there (`recipients`), hops and connections.

Note *What leaves*. Of our header block only the Received field does (RFC 5321 4.4): Return-Path belongs to a mailbox,
X-Unitymail-Trace is believed in our own files only, and a Subject that we made is not the sender's.

Note *The recipient's own affair*. Where a user relays to a private address, the sender wrote to the user. What the
next hop says of that address is shown with the user's own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace

from unitymail.courier.dispatch import Dispatch
from unitymail.courier.recipients import Recipients
from unitymail.interfaces.book import IBook
from unitymail.interfaces.relay import Outgoing
from unitymail.interfaces.spool import Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.mail.address import split
from unitymail.mail.envelope import Recipient
from unitymail.mail.message import Category, Sensitivity
from unitymail.mail.trace import received_field
from unitymail.people.location import LocationKind
from unitymail.routing.decision import FromPeer, SenderKind
from unitymail.routing.steps import RelayToUser, Step


class Forwarding:
    """Performs the steps that send a message on as it is. A kind of them says what it `performs` and what its group is.

    `node_id` is this node's own id, for the XID that peers remember.
    """

    def __init__(self, *, dispatch: Dispatch, book: IBook, threads: IThreads, node_id: str) -> None:
        self._dispatch = dispatch
        self._book = book
        self._threads = threads
        self._node_id = node_id
        self._recipients = Recipients(threads)

    async def perform(self, item: Item, state: StepState) -> Outcome:
        return (await self.perform_many(item, [state]))[0]

    async def perform_many(self, item: Item, states: Sequence[StepState]) -> list[Outcome]:
        """One transaction for all of them: they go to the same hop."""
        steps = [state.step for state in states]
        hop = self._dispatch.way(item, steps[0])
        if isinstance(hop, Outcome):
            return [hop] * len(steps)
        received = item.received or received_if_cached(item) or await self._threads.run(read_received, item)
        told = told_to_peer(item, self._book, self._node_id) if hop.is_peer else None
        made = outgoing(item, await self._recipients.of(steps, item), received, told)
        return discreet(steps, await self._dispatch.send(hop, item, steps[0], made))


def outgoing(
    item: Item, recipients: tuple[Recipient, ...], received: bytes, told: FromPeer | None = None
) -> Outgoing:
    """The message as it was received, our own Received field before it."""
    envelope = item.envelope
    utf8 = envelope.smtputf8 or not all(recipient.address.isascii() for recipient in recipients)
    return Outgoing(
        item.trace, envelope.sender, recipients, item.path, item.head, len(received) + item.size - item.head,
        received, envelope.body, utf8, envelope.ret, envelope.envid, envelope.require_tls, envelope.deliver_by,
        envelope.deliver_by_mode, told, item.content, envelope.priority, envelope.deliver_by_trace,
    )  # fmt: skip


def received_if_cached(item: Item) -> bytes | None:
    """As `read_received`, where no disk need be waited for; None where one may have to be."""
    file = os.open(item.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        head = bytearray(item.head)
        return received_field(head) if os.preadv(file, [head], 0, os.RWF_NOWAIT) == item.head else None
    except OSError:
        return None
    finally:
        os.close(file)


def read_received(item: Item) -> bytes:
    """Our Received field, out of the message's file (blocking)."""
    with open(item.path, "rb") as file:
        return received_field(file.read(item.head))


def told_to_peer(item: Item, book: IBook, node_id: str) -> FromPeer:
    """What was decided here, for a node that believes it."""
    kind, sender = _sender(item, book)
    return FromPeer(
        f"{node_id}.{item.trace}", item.trace, sender, kind, Category(item.category), Sensitivity(item.sensitivity),
        item.secure,
    )


def _sender(item: Item, book: IBook) -> tuple[SenderKind, str]:
    if item.silent:
        return "unknown", ""
    user = book.user(item.origin_user)
    if user is not None:
        return "user", user.address
    location = book.location(item.origin_user)
    if location is not None and location.kind is LocationKind.VPIM:
        return "vpim", item.envelope.sender
    return ("outside" if item.envelope.sender else "null"), ""


def discreet(steps: Sequence[Step], outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes without the addresses to which users relay: what the next hop said may be shown to senders."""
    if not any(isinstance(step, RelayToUser) for step in steps):
        return outcomes
    return [_discreet(step, outcome) for step, outcome in zip(steps, outcomes, strict=True)]


def _discreet(step: Step, outcome: Outcome) -> Outcome:
    if not isinstance(step, RelayToUser) or outcome.kind == "done":
        return outcome
    return replace(outcome, why=_without(step, outcome.why), diagnostic=_without(step, outcome.diagnostic))


def _without(step: RelayToUser, words: str) -> str:
    hidden = re.sub(re.escape(step.to), step.original, words, flags=re.IGNORECASE)
    domain = split(step.to)[1]
    return re.sub(rf"(?<![\w.-]){re.escape(domain)}(?![\w-])", "…", hidden, flags=re.IGNORECASE) if domain else hidden
