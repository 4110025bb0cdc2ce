"""A message as it goes on to another system: whom it is for there, with which wishes, and what is sent first.

Knows RFC 3461 5.2 (relaying, forwarding, lists) and what only a peer is told; refuses to know hops and connections.

Note *What leaves*. Of our header block only the Received field does (RFC 5321 4.4): Return-Path belongs to a mailbox,
X-Unitymail-Trace is believed in our own files only, and a Subject that we made is not the sender's.

Note *The recipient's own affair*. Where a user relays to a private address, the sender wrote to the user: ORCPT says
so, and our reports name the user. A copy that goes on while the mailbox has its own is not reported at all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

from unitymail.courier.dispatch import Dispatch
from unitymail.courier.reports import addressed_as, expanded, wishes_of
from unitymail.interfaces.book import IBook
from unitymail.interfaces.relay import Outgoing
from unitymail.interfaces.spool import Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.mail.address import key_of, split
from unitymail.mail.envelope import Recipient
from unitymail.mail.message import Category, Sensitivity
from unitymail.mail.trace import received_field
from unitymail.people.location import LocationKind
from unitymail.routing.decision import FromPeer, SenderKind
from unitymail.routing.steps import Convert, HandOver, RelayToSmartHost, RelayToUser, Step

NEVER = frozenset({"NEVER"})
MANY = 100
"""Of an item with more steps recipients are found in a thread."""


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



Wishes = tuple[dict[str, Recipient], frozenset[str]]
"""What a sender wants to hear of whom, by address key; and the keys of the lists that have answered for their members.
"""


class Recipients:
    """As `recipients_of`, in a thread for an item with many steps, in however many transactions it leaves.

    What its sender wants is found once: it is remembered of one item.
    """

    def __init__(self, threads: IThreads) -> None:
        self._threads = threads
        self._lock = Lock()
        self._item: Item | None = None
        self._wishes: Wishes = {}, frozenset()

    async def of(self, steps: Sequence[Step], item: Item) -> tuple[Recipient, ...]:
        if len(item.steps) <= MANY:
            return recipients_of(steps, item)
        found: tuple[Recipient, ...] = await self._threads.run(self._of_many, steps, item)
        return found

    def _of_many(self, steps: Sequence[Step], item: Item) -> tuple[Recipient, ...]:
        with self._lock:
            if self._item is not item:
                self._item, self._wishes = item, _wishes(item)
            wishes = self._wishes
        return recipients_of(steps, item, wishes)


def recipients_of(steps: Sequence[Step], item: Item, known: Wishes | None = None) -> tuple[Recipient, ...]:
    """Whom these steps are for at the next hop, with what the sender wants to hear of each."""
    asked = item.envelope.recipients
    if len(asked) == 1 and len(steps) == 1 and _goes_on_as_it_came(asked[0], steps[0]):
        return asked
    wishes, lists = known or _wishes(item)
    return tuple(_recipient(step, wishes, lists) for step in steps)


def _wishes(item: Item) -> Wishes:
    return wishes_of(item.envelope), expanded(item)


def _goes_on_as_it_came(asked: Recipient, step: Step) -> bool:
    """Most do: one recipient, whose sender asked for nothing."""
    if asked.notify is not None or not isinstance(step, RelayToSmartHost | HandOver):
        return False
    return asked.address == step.to and not step.original


def recipient_of(step: Step, item: Item) -> Recipient:
    return recipients_of([step], item)[0]


def _recipient(step: Step, wishes: dict[str, Recipient], lists: frozenset[str]) -> Recipient:
    assert isinstance(step, RelayToSmartHost | RelayToUser | HandOver | Convert)
    written = addressed_as(step)
    wish = wishes.get(key_of(written), Recipient(written))
    if isinstance(step, RelayToUser) and step.kept:
        return Recipient(step.to, NEVER, wish.orcpt)
    notify = wish.notify
    if notify is not None and key_of(written) in lists:
        # RFC 3461 5.2.7.3: the list has answered for the success of its members.
        notify = notify - {"SUCCESS"} or NEVER
    orcpt = wish.orcpt if written == step.to else wish.orcpt or original(written)
    return Recipient(step.to, notify, orcpt)


def original(address: str) -> str:
    """An address as the value of ORCPT (RFC 3461 4.2, RFC 6533 3)."""
    return f"{'rfc822' if address.isascii() else 'utf-8'};{address}"


def outgoing(
    item: Item, recipients: tuple[Recipient, ...], received: bytes, told: FromPeer | None = None
) -> Outgoing:
    """The message as it was received, our own Received field before it."""
    envelope = item.envelope
    utf8 = envelope.smtputf8 or not all(recipient.address.isascii() for recipient in recipients)
    return Outgoing(
        item.trace, envelope.sender, recipients, item.path, item.head, len(received) + item.size - item.head,
        received, envelope.body, utf8, envelope.ret, envelope.envid, envelope.require_tls, envelope.deliver_by,
        envelope.deliver_by_mode, told, item.content,
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
