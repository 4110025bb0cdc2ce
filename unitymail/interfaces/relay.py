"""Sending a message to another system: one attempt, with what became of each recipient and what was said."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Literal

from zope.interface import Interface

from unitymail.interfaces.spool import Outcome
from unitymail.mail.envelope import Body, Recipient
from unitymail.mail.value import value
from unitymail.routing.decision import FromPeer
from unitymail.routing.next_hop import NextHop

# mypy: disable-error-code="misc,empty-body"


@value
class Outgoing:
    """A message for one next hop. What is sent is `head`, then the file at `path` from `offset` on, CRLF lines.

    `size` counts both. `content` is what the file would give, where that is known already; b"" says nothing. `told` is
    what only a peer is told, None for everybody else. `deliver_by` is Unix seconds; its `mode` and `trace`, and
    `priority`, are those of the envelope.
    """

    trace: str
    sender: str
    recipients: tuple[Recipient, ...]
    path: str
    offset: int
    size: int
    head: bytes = b""
    body: Body = "7bit"
    smtputf8: bool = False
    ret: Literal["FULL", "HDRS"] | None = None
    envid: str | None = None
    require_tls: bool = False
    deliver_by: float | None = None
    deliver_by_mode: Literal["", "N", "R"] = ""
    told: FromPeer | None = None
    content: bytes = b""
    priority: int = 0
    deliver_by_trace: bool = False


@value
class Attempt:
    """What came of it: an outcome for each recipient, in order, and the SMTP dialogue for `unitymail trace`.

    `hop_down`: nothing was said about this message, the hop itself could not be used (refused, timed out, TLS, sign-in,
    421): whoever waits for it may as well wait together. `remote` is the host and address that answered, "" when none
    did. `sent_dot` tells that the connection ended after the final dot and before its reply: the hop may have it.
    `dialogue` has lines as `C: MAIL FROM:<...>` and `S: 250 ...`, without secrets and bodies, at most 200; it is made
    when it is read, for which a thread is better. `began` is when its turn came (Unix seconds), 0.0 when not known.
    An outcome says 5.1.1, or what else may be wrong with a recipient's address, only where the hop said so of that one.
    """

    outcomes: tuple[Outcome, ...]
    dialogue: Sequence[str] = ()
    remote: str = ""
    hop_down: bool = False
    sent_dot: bool = False
    began: float = 0.0


class IRelay(Interface):
    """The relaying client. Reactor thread only."""

    def send(hop: NextHop, outgoing: Outgoing) -> Awaitable[Attempt | None]:
        """Send it once. Every failure of the hop is in the outcomes; only surprises are raised.

        None when nothing was tried: it was still waiting for its turn when the hop turned out to be down, or the relay
        was closed. Connections are kept for the next message of the same hop. `Outcome.success` is `relayed` for a
        recipient whose hop does not speak DSN (RFC 3461 5.2.2), "" when the hop itself will tell the sender.
        """

    def most(hop: NextHop) -> int:
        """How many messages may be handed over for this hop at once: one under way and one behind it on each
        connection.
        """

    def close() -> Awaitable[None]:
        """Begin nothing more; fires when every message under way has its outcome and every connection is closed."""
