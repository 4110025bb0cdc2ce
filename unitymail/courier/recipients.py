"""Whom a message is for at its next hop, with what the sender wants to hear of each (RFC 3461 5.2).

Knows relaying, forwarding and lists; refuses to know what else is sent, and where to.

Note *The recipient's own affair*. Where a user relays to a private address, the sender wrote to the user: ORCPT says
so, and our reports name the user. A copy that goes on while the mailbox has its own is not reported at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from unitymail.courier.reports import addressed_as, expanded, wishes_of
from unitymail.interfaces.spool import Item
from unitymail.interfaces.threads import IThreads
from unitymail.mail.address import key_of
from unitymail.mail.envelope import Recipient
from unitymail.routing.steps import Convert, HandOver, RelayToSmartHost, RelayToUser, Step

NEVER = frozenset({"NEVER"})
MANY = 100
"""Of an item with more steps recipients are found in a thread."""

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
