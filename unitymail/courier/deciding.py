"""Deciding inside the node: what becomes of our own reports, and of bad mail that an administrator sent back.

The same reading and deciding as at the doors, as mail of our own. Blocking: run it in a thread.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from unitymail.interfaces.book import IBook
from unitymail.interfaces.quota import IUsage
from unitymail.interfaces.spool import Item
from unitymail.mail.envelope import Envelope
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.routing import categorise
from unitymail.routing.decide import decide
from unitymail.routing.decision import Decision, Origin
from unitymail.routing.steps import BadMail


@dataclass(frozen=True, slots=True)
class Decider:
    """`host` is this node's name."""

    book: IBook
    usage: IUsage
    host: str

    @property
    def origin(self) -> Origin:
        return Origin("internal", client="127.0.0.1", helo=self.host, trust="internal")

    def decide(self, octets: bytes | mmap.mmap, envelope: Envelope, origin: Origin | None = None) -> Decision:
        """What becomes of mail of our own, or of what came from `origin`."""
        site = self.book.site
        message = categorise.read(
            octets, parse_secure_headers(site.secure_headers),
            secure_confidential=site.secure_confidential, host=self.host,
        )
        return decide(message, envelope, origin or self.origin, self.book, self.usage)

    def decide_item(self, item: Item) -> Decision:
        """What is to be done with an item that came back from bad mail; what is refused goes there again."""
        with received(item) as octets:
            decision = self.decide(octets, item.envelope, replace(self.origin, door="bad-mail"))
        if decision.refusal is not None:
            return replace(decision, steps=(BadMail(decision.refusal.text),), refusal=None)
        return decision


@contextmanager
def received(item: Item) -> Iterator[bytes | mmap.mmap]:
    """The message as it was received, without our own header block; large ones are mapped, not read."""
    with open(item.path, "rb") as file:
        if item.head % mmap.ALLOCATIONGRANULARITY == 0 and item.size > item.head:
            with mmap.mmap(file.fileno(), item.size - item.head, access=mmap.ACCESS_READ, offset=item.head) as view:
                yield view
        else:
            file.seek(item.head)
            yield file.read()
