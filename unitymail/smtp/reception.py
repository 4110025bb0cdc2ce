"""A message as it comes in, by DATA or in chunks: counted, looked at for what no message may hold, and kept.

Knows limits and flaws; refuses to know what the message says, and what becomes of it (`transaction`).
"""

from __future__ import annotations

import os
from typing import Any

from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.spool import IIncoming
from unitymail.mail.message import Message
from unitymail.mail.reply import Reply
from unitymail.mail.trace import new_trace
from unitymail.policy.limits import judge_size, largest_message
from unitymail.policy.verdict import Reject, Verdict
from unitymail.settings.site import SiteSettings
from unitymail.smtp.framing import Flaws, Pieces, with_crlf
from unitymail.smtp.house import House

BARE = Reply(550, "5.6.0", "The message holds a carriage return or line feed that is not part of a line end")
NUL = Reply(554, "5.6.0", "The message holds a NUL octet")
_NO_FLAWS = Flaws()


class Reception:
    """A message on its way in. The first thing wrong with it becomes its `refusal`, and nothing more is kept.

    `mended`: its line ends were put right, for a sender whom the access list calls legacy; `bare`: they are wrong, and
    nobody forgives that; `long_lines`: some are longer than others may take. `message` is what it was found to be,
    once it is durable.
    """

    __slots__ = (
        "_legacy", "_limit", "_pieces", "_site", "_threads", "bare", "binary", "incoming", "long_lines", "mended",
        "message", "refusal", "size", "trace",
    )  # fmt: skip

    def __init__(self, house: House, site: SiteSettings, legacy: bool, *, binary: bool = False) -> None:
        """A `binary` one may hold any octets, and is received under another name: what is kept is made of it.

        Raises Trouble when the spool takes nothing now.
        """
        self.trace = new_trace(house.now(), os.urandom(8))
        self.incoming: IIncoming = house.spool.receive(f"{self.trace}-raw" if binary else self.trace)
        self.binary = binary
        self.size = 0
        self.refusal: Reply | None = None
        self.message: Message | None = None
        self._site = site
        self._limit = largest_message(site)
        self._legacy = legacy
        self._threads = house.threads
        self._pieces = Pieces()
        self.bare = self.mended = self.long_lines = False

    def expect(self, octets: int) -> None:
        """So many are to come: too many are not kept, not even the first of them."""
        if self.refusal is None:
            self._refuse_by(judge_size(self.size + octets, self._site))

    def take_piece(self, octets: bytes) -> None:
        """The next octets of a message that may be cut anywhere."""
        if self.binary:
            self.take(octets, _NO_FLAWS)
        elif octets := self._pieces.take(octets):
            self.take(octets, self._pieces.flaws)

    def end(self) -> None:
        """No piece follows; the last line has an end, whether the client sent it or not."""
        if not self.binary and (octets := self._pieces.end()):
            self.take(octets, self._pieces.flaws)

    def take(self, octets: bytes, flaws: Flaws) -> None:
        """The next octets of the message, with the flaws seen so far."""
        self.size += len(octets)
        self.bare = flaws.bare and not self._legacy
        if self.refusal is not None:
            return
        if self._limit and self.size > self._limit:
            self._refuse_by(judge_size(self.size, self._site))
        elif flaws.nul:
            self.refuse(NUL)
        elif self.bare:
            self.refuse(BARE)
        else:
            self._keep(with_crlf(octets) if flaws.bare else octets)
            self.mended = flaws.bare

    def _keep(self, octets: bytes) -> None:
        try:
            self.incoming.write(octets)
        except Trouble as trouble:
            self.refuse(trouble.reply)

    def refuse(self, reply: Reply) -> None:
        """Keep nothing; the rest is passed over and answered with `reply`."""
        self.abandon()
        self.refusal = reply

    def abandon(self) -> None:
        """Forget what came; once is enough."""
        if self.refusal is not None:
            return
        incoming = self.incoming
        if incoming.in_memory():
            incoming.abandon()
        else:
            # What a large file held is given back page by page: in a thread, as long as there are any.
            giving_back: Any = self._threads.run(incoming.abandon)
            giving_back.addErrback(lambda _: incoming.abandon())

    def _refuse_by(self, verdict: Verdict) -> None:
        if isinstance(verdict, Reject):
            self.refuse(verdict.reply)
