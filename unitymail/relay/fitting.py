"""Whether a message can go to a server that offers this: what fails without a word said. Pure.

Knows what each RFC asks of a client whose server lacks an extension; refuses to know how lines are written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from unitymail.interfaces.relay import Outgoing
from unitymail.interfaces.spool import Outcome
from unitymail.mail.envelope import Body
from unitymail.mail.recoding import Hindrance, Plan
from unitymail.relay.envelope import is_sendable
from unitymail.relay.offers import Offers


@dataclass(frozen=True, slots=True)
class Nature:
    """What a look at the whole message found: the BODY it needs, and whether its header is ASCII.

    `seven_bit`: how it is written for a server that takes no 8-bit text, where that was asked and is needed.
    """

    body: Body
    ascii_header: bool
    seven_bit: Plan | Hindrance | None = None


def needs_a_look(outgoing: Outgoing, offers: Offers) -> bool:
    """Whether the message is declared to need what is not offered, so that only its content can tell."""
    return (outgoing.body != "7bit" and not offers.eight_bit) or (outgoing.smtputf8 and not offers.utf8)


def plan_for(offers: Offers, nature: Nature | None) -> Plan | None:
    """How the message must be written to go there; None where it goes as it is, or not at all."""
    found = None if nature is None or offers.eight_bit else nature.seven_bit
    return found if isinstance(found, Plan) else None


def as_planned(outgoing: Outgoing, plan: Plan | None) -> Outgoing:
    """What the server is told of the message: of its size and BODY."""
    return outgoing if plan is None else replace(outgoing, size=len(outgoing.head) + plan.size, body="7bit")


def body_to_declare(outgoing: Outgoing, nature: Nature | None) -> Body:
    return "7bit" if outgoing.body == "7bit" or (nature is not None and nature.body == "7bit") else "8bitmime"


def misfit(outgoing: Outgoing, offers: Offers, nature: Nature | None, *, name: str, now: float) -> Outcome | None:
    """Why the message cannot go there at all; None when it can. `name` is the hop's, for people."""
    if offers.size and outgoing.size > offers.size:
        why = f"The message has {outgoing.size:,} octets; {name} takes {offers.size:,}."
        return Outcome("failed", "5.3.4", why)
    if outgoing.require_tls and not offers.require_tls:
        return no_promise(name)
    if not offers.utf8 and not outgoing.sender.isascii():
        return Outcome("failed", "5.6.7", f"The sender's address is not ASCII, and {name} takes no such addresses.")
    if nature is not None and outgoing.smtputf8 and not offers.utf8 and not nature.ascii_header:
        return Outcome("failed", "5.6.9", f"The message's header is not ASCII, and {name} takes no such messages.")
    if outgoing.sender and not is_sendable(outgoing.sender):
        return Outcome("failed", "5.1.7", "The sender's address cannot be written in an SMTP command.")
    if body_to_declare(outgoing, nature) != "7bit" and not offers.eight_bit:
        return _eight_bit(nature, name)
    return _too_late(outgoing, offers, name, now) if outgoing.deliver_by_mode == "R" else None


def _eight_bit(nature: Nature | None, name: str) -> Outcome:
    why = f"The message has 8-bit text, and {name} takes none"
    if nature is not None and isinstance(nature.seven_bit, Hindrance):
        why += f"; it cannot be rewritten, for it has {nature.seven_bit.value}"
    return Outcome("failed", "5.6.3", f"{why}.")


def no_promise(name: str) -> Outcome:
    """For who wants TLS all the way of a hop that does not offer to see to that (RFC 8689 4.2.1)."""
    return Outcome("failed", "5.7.30", f"The sender requires TLS all the way, and {name} cannot promise it.")


def _too_late(outgoing: Outgoing, offers: Offers, name: str, now: float) -> Outcome | None:
    """RFC 2852 4.1.4: who asked for return must not have the message passed on late, or without the request.

    `BY=0;R` is no request (RFC 2852 4): less than a second is none.
    """
    if outgoing.deliver_by is None:
        return None
    left = outgoing.deliver_by - now
    if left < 1:
        return Outcome("failed", "5.4.7", "The sender's time for delivering the message is over.")
    if offers.deliver_by is None:
        return Outcome("failed", "5.3.3", f"The sender set a time for delivery, and {name} knows no such request.")
    if left < offers.deliver_by:
        return Outcome("failed", "5.4.7", f"The sender's time for delivery is shorter than {name} can promise.")
    return None


def misfit_address(address: str, offers: Offers, name: str) -> Outcome | None:
    """Why nothing can go to this recipient there; None when it can."""
    if not is_sendable(address):
        return Outcome("failed", "5.1.3", "The recipient's address cannot be written in an SMTP command.")
    if not offers.utf8 and not address.isascii():
        return Outcome("failed", "5.6.7", f"The recipient's address is not ASCII, and {name} takes no such addresses.")
    return None
