"""Whether a message can go to a server that offers this: what fails without a word said. Pure.

Knows what each RFC asks of a client whose server lacks an extension; refuses to know how lines are written.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.interfaces.relay import Outgoing
from unitymail.interfaces.spool import Outcome
from unitymail.mail.envelope import Body
from unitymail.relay.envelope import is_sendable
from unitymail.relay.offers import Offers

_ORDER: tuple[Body, ...] = ("7bit", "8bitmime", "binarymime")


@dataclass(frozen=True, slots=True)
class Nature:
    """What a look at the whole message found: the least BODY it needs, and whether its header is ASCII."""

    body: Body
    ascii_header: bool


def needs_a_look(outgoing: Outgoing, offers: Offers) -> bool:
    """Whether the message is declared to need what is not offered, so that only its content can tell."""
    return (outgoing.body != "7bit" and not _carries(outgoing.body, offers)) or (outgoing.smtputf8 and not offers.utf8)


def _carries(body: Body, offers: Offers) -> bool:
    """Of what is more than plain lines of ASCII, which every server takes."""
    return offers.binary if body == "binarymime" else offers.eight_bit


def body_to_declare(outgoing: Outgoing, nature: Nature | None) -> Body:
    if nature is None:
        return outgoing.body
    return min(outgoing.body, nature.body, key=_ORDER.index)


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
    body = outgoing.body if nature is None else body_to_declare(outgoing, nature)
    if body != "7bit" and not _carries(body, offers):
        kind = "8-bit text" if body == "8bitmime" else "binary content"
        return Outcome("failed", "5.6.3", f"The message has {kind}, and {name} takes none.")
    return _too_late(outgoing, offers, name, now) if outgoing.deliver_by_mode == "R" else None


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
