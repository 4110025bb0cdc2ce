"""One mail transaction: which line is due, which reply answers which, and what became of each recipient. Pure.

Octets of the body are the client's; refuses to know transports, timers and files.

*Note: unknown state.* After anything but a positive last reply the server may be in the middle of something: `clean` is
False, and the next transaction begins with RSET. After a reply that fits no command, the connection is not used again:
so too where DATA is accepted after MAIL was not, since somebody else's message is open there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum, auto

from unitymail.mail.reply import Reply
from unitymail.relay.trouble import ABOUT_US


class Awaited(Enum):
    """What the next reply answers."""

    __hash__ = object.__hash__  # Enum's own is Python, and each reply looks one up

    RSET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    CHUNK = auto()
    END = auto()


class Move(Enum):
    """What the client does next."""

    WAIT = auto()
    LINE = auto()
    BODY = auto()
    DOT = auto()
    OVER = auto()


class OutOfStep(Exception):
    """The reply fits no command: nothing that follows can be trusted."""


class Transaction:
    """`lines` gives what to send, first and when a move is LINE. With `chunking` the body goes by BDAT, without DATA.

    `accepted`: a recipient was, so that a body is worth sending. `closing` is the reply that ended more than this.
    """

    def __init__(
        self, mail: bytes, recipients: Sequence[bytes], *, pipelining: bool, chunking: bool, reset: bool
    ) -> None:
        self._chunking = chunking
        self._lines = [mail, *recipients]
        self._kinds = [Awaited.MAIL, *[Awaited.RCPT] * len(recipients)]
        if not chunking:
            self._lines.append(b"DATA")
            self._kinds.append(Awaited.DATA)
        if reset:
            self._lines.insert(0, b"RSET")
            self._kinds.insert(0, Awaited.RSET)
        self._next = 0
        self._at_once = len(self._lines) if pipelining else 1
        self._awaited: deque[Awaited] = deque()
        self._body = False
        self.accepted = False
        self.mail: Reply | None = None
        self.recipients: list[Reply] = []
        self.data: Reply | None = None
        self.end: Reply | None = None
        self.closing: Reply | None = None

    def lines(self) -> list[bytes]:
        """What to send now; each will be answered."""
        start, self._next = self._next, self._next + self._at_once
        self._awaited += self._kinds[start : self._next]
        return self._lines[start : self._next]

    def sent_chunk(self, *, last: bool) -> None:
        """A BDAT command with its octets was sent."""
        self._body = True
        self._awaited.append(Awaited.END if last else Awaited.CHUNK)

    def began_data(self) -> None:
        """The octets after DATA are being sent, or the dot alone."""
        self._awaited.append(Awaited.END)

    @property
    def awaited(self) -> Awaited | None:
        return self._awaited[0] if self._awaited else None

    @property
    def unanswered(self) -> int:
        return len(self._awaited)

    @property
    def clean(self) -> bool:
        return self.end is not None and self.end.positive and not self._awaited

    def take(self, reply: Reply) -> Move:
        """The next reply. Raises OutOfStep."""
        if not self._awaited:
            raise OutOfStep
        kind = self._awaited.popleft()
        if reply.code == 421 or (kind is Awaited.MAIL and reply.code in ABOUT_US):
            self.closing = reply
            return Move.OVER
        if 300 <= reply.code < 400 and kind is not Awaited.DATA:
            raise OutOfStep
        if kind is Awaited.RCPT:
            self.recipients.append(reply)
            self.accepted = self.accepted or reply.code < 400
        elif kind is Awaited.MAIL:
            self.mail = reply
        elif kind is Awaited.DATA:
            return self._took_data(reply)
        elif kind is Awaited.RSET:
            if reply.code >= 400:
                raise OutOfStep
        elif kind is Awaited.END or reply.code >= 400:
            self.end = reply
            return Move.OVER
        return Move.WAIT if self._awaited else self._go_on()

    def _took_data(self, reply: Reply) -> Move:
        self.data = reply
        if reply.code == 354:
            if self._refused:
                raise OutOfStep
            return Move.BODY if self.accepted else Move.DOT
        if reply.positive:
            raise OutOfStep
        return Move.OVER

    def _go_on(self) -> Move:
        """Everything sent was answered: what is next?"""
        if self._refused:
            return Move.OVER
        if self._next < len(self._lines):
            is_data = self._kinds[self._next] is Awaited.DATA
            return Move.OVER if is_data and not self.accepted else Move.LINE
        if not self._chunking or not self.accepted:
            return Move.OVER
        return Move.WAIT if self._body else Move.BODY

    @property
    def _refused(self) -> bool:
        return self.mail is not None and self.mail.code >= 400

    @property
    def may_be_accepted(self) -> bool:
        """Whether the server had no reason to refuse the message for everybody, as far as it answered."""
        answered_all = Awaited.MAIL not in self._awaited and Awaited.RCPT not in self._awaited
        return self.accepted or not answered_all
