"""A decision as a value: what a message is, who sent it, and the steps for each recipient with their reasons.

`unitymail explain --json` prints it as it is. Knows no rule: those are in categorise, resolve, plan and the actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unitymail.mail.message import Category, Message, Sensitivity
from unitymail.mail.reply import Reply
from unitymail.routing.steps import Report, Step

RecipientKind = Literal["user", "remote-user", "vpim-contact", "list", "unknown", "out-of-scope"]
SenderKind = Literal["user", "vpim", "peer", "outside", "null", "unknown"]


Door = Literal["mta", "submission", "submissions", "peer", "internal", "bad-mail"]
Trust = Literal["stranger", "authenticated", "trusted", "smart-host", "peer", "internal"]


@dataclass(frozen=True, slots=True)
class FromPeer:
    """What a peer says of a message, in parameters of MAIL that only peers may use (decisions.md, On the wire).

    `xid` is `NODE.TRACE`, the same for every attempt. `sender` is the primary address of the sender object
    there, "" for nobody's, `kind` what it is. `category`, `sensitivity` and `secure` were decided where it came in.
    """

    xid: str
    trace: str
    sender: str
    kind: SenderKind
    category: Category
    sensitivity: Sensitivity
    secure: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """Who hands a message in, as the door established it.

    `door` is mta, submission, submissions, peer, internal (our own reports), or bad-mail (requeued from there).
    `user` is the id of the authenticated user, "" for none. `trust`: strangers may not reach the smart host.
    `peer` is the id of the peer's location, `told` what it says of this message.
    """

    door: Door
    client: str = ""
    helo: str = ""
    user: str = ""
    trust: Trust = "stranger"
    tls: str = ""
    protocol: str = "ESMTP"
    legacy: bool = False
    peer: str = ""
    told: FromPeer | None = None


@dataclass(frozen=True, slots=True)
class SenderFinding:
    """`address` is what was matched (header From, else envelope), `matched` the object's id ("" for none)."""

    address: str
    kind: SenderKind
    matched: str = ""
    verdict: Literal["accept", "bad-mail", "reject"] = "accept"


@dataclass(frozen=True, slots=True)
class RecipientDecision:
    address: str
    kind: RecipientKind
    matched: str
    steps: tuple[Step, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`steps` is what is to be done, in order: each recipient's, doubles removed, and at most one `Report`.

    `secure` is the message's own mark and what the sender's class of service adds. `refusal` is set when the door
    must refuse the whole message after the final dot (then there are no steps).
    """

    message: Message
    sender: SenderFinding
    recipients: tuple[RecipientDecision, ...]
    steps: tuple[Step, ...]
    secure: bool = False
    refusal: Reply | None = None

    @property
    def report(self) -> Report | None:
        return next((step for step in self.steps if isinstance(step, Report)), None)
