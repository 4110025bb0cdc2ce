"""What went wrong with a hop, and what that means for the recipients whose message it was to take. Pure.

Knows statuses (RFC 3463) and sentences for people; refuses to know how trouble is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unitymail.interfaces.spool import Outcome
from unitymail.mail.reply import Reply
from unitymail.routing.next_hop import NextHop

_BARE = {
    421: "4.3.2", 450: "4.2.0", 451: "4.3.0", 452: "4.3.1", 454: "4.7.0", 500: "5.5.2", 501: "5.5.4", 502: "5.5.1",
    503: "5.5.1", 504: "5.5.4", 521: "5.3.2", 530: "5.7.0", 535: "5.7.8", 538: "5.7.11", 551: "5.1.6", 553: "5.1.3",
    555: "5.5.4", 556: "5.1.10",
}  # fmt: skip

_OF_A_RECIPIENT = ("1.1", "1.2", "1.3", "1.4", "1.6", "1.10")
"""What may be wrong with the address of a recipient (RFC 3463 3.2, RFC 7505)."""

ABOUT_US = (421, 530, 538)
"""Codes that say nothing of the message: the server closes, wants TLS, or wants a sign-in."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The hop cannot be used, or stopped being usable. `status` and `why` as in Outcome.

    `elsewhere`: another address of the hop may do better. `in_the_clear`: the same one may, without TLS. `silent`: it
    did not answer in time. `no_tls`: it offers none.
    """

    status: str
    why: str
    diagnostic: str = ""
    kind: Literal["try-again", "failed"] = "try-again"
    elsewhere: bool = True
    in_the_clear: bool = False
    silent: bool = False
    no_tls: bool = False

    def outcome(self, remote_mta: str = "") -> Outcome:
        return Outcome(self.kind, self.status, self.why, self.diagnostic, remote_mta)


def sentence(hop: NextHop, rest: str) -> str:
    """`the smart host mail.example refused it.` with a capital letter."""
    return f"{hop.name[:1].upper()}{hop.name[1:]} {rest}"


def diagnostic(reply: Reply) -> str:
    """The hop's own words, one line."""
    words = " ".join(f"{reply.code} {reply.enhanced} {reply.text}".split())
    return words[:1_000]


def status_of(reply: Reply) -> str:
    """The enhanced code of a refusal, or the one that fits the bare code."""
    return reply.enhanced or _BARE.get(reply.code, f"{reply.code // 100}.0.0")


def passing(status: str) -> str:
    """The same status as a passing one: what was said of us may be set right, and the message can wait for it."""
    return "4" + status[1:]


def of_order(reply: Reply) -> bool:
    """Whether a refusal is of the moment at which a command came, or may be, and not of what it says."""
    return reply.code == 503 or (reply.code in (500, 502, 554) and reply.enhanced in ("", "5.5.0", "5.5.1"))


def of_some_address(status: str) -> str:
    """The status of a refusal that is not certainly about this recipient: none that says what is wrong with it.

    Others would pass for unknown, too, and the sender would look for a misspelling where there is none.
    """
    return f"{status[0]}.1.0" if status[2:] in _OF_A_RECIPIENT else status


def of_reply(
    reply: Reply, hop: NextHop, what: str, remote_mta: str, success: Literal["", "relayed"], *, names_recipient: bool
) -> Outcome:
    """What a reply about a message or a recipient means. `what` is `the message` or `this recipient`.

    `names_recipient`: if it is about an address, it is this recipient's.
    """
    if reply.code < 400:
        return Outcome("done", reply.enhanced or "2.0.0", "", diagnostic(reply), remote_mta, success=success)
    status = status_of(reply) if names_recipient else of_some_address(status_of(reply))
    if reply.temporary:
        why = sentence(hop, f"would not take {what} now, and asked to try again later.")
        return Outcome("try-again", status, why, diagnostic(reply), remote_mta)
    return Outcome("failed", status, sentence(hop, f"refused {what}."), diagnostic(reply), remote_mta)


def unusable(reply: Reply, hop: NextHop, doing: str) -> Trouble:
    """The hop answered, but not so that mail can be sent. `doing` ends the sentence: `when it was greeted`."""
    said = "asked to come back later" if reply.temporary else "refused"
    return Trouble(passing(status_of(reply)), sentence(hop, f"{said} {doing}."), diagnostic(reply))
