"""The lines of MAIL and RCPT for a message, with the parameters that this server understands. Pure.

Knows the grammar of RFC 5321, 1870, 6152, 6531, 3461, 8689, 2852, 6710 and of XUNITYMAIL; refuses to know whether the
message may go to this server at all (`relay.fitting`).
"""

from __future__ import annotations

import re

from unitymail.interfaces.relay import Outgoing
from unitymail.mail.envelope import Body, Recipient
from unitymail.mail.value import value
from unitymail.relay.offers import Offers
from unitymail.routing.decision import FromPeer

LONGEST_BY = 999_999_999
"""RFC 2852 4: at most nine digits."""

_atoms = r"[^\x00-\x20\x7f-\xa0<>\"\\\ud800-\udfff]+"
_plain = re.compile(_atoms).fullmatch
_quoted = re.compile(rf'"(?:[^\x00-\x1f\x7f-\x9f"\\\ud800-\udfff]|\\[\x20-\x7e])*"(?:@{_atoms})?').fullmatch
_not_xchar = re.compile(rb"[^!-*,-<>-~]")
_not_qchar = re.compile(r"[^!-*,-<>-\[\]-~]")


@value
class Manner:
    """How this message goes to this server: its reverse-path there, what BODY says, and the seconds left for BY."""

    sender: str
    body: Body = "7bit"
    seconds_left: int | None = None


def is_sendable(address: str) -> bool:
    """Whether the address can stand in a command without ending it, or its brackets."""
    return bool(_plain(address) or _quoted(address))


def mail_line(outgoing: Outgoing, manner: Manner, offers: Offers) -> bytes:
    line = f"MAIL FROM:<{manner.sender}>"
    if offers.sized:
        line += f" SIZE={outgoing.size}"
    if manner.body == "8bitmime" and offers.eight_bit:
        line += " BODY=8BITMIME"
    if outgoing.smtputf8 and offers.utf8:
        line += " SMTPUTF8"
    if offers.dsn and outgoing.ret:
        line += f" RET={outgoing.ret}"
    if offers.dsn and outgoing.envid:
        line += f" ENVID={xtext(outgoing.envid)}"
    if outgoing.require_tls and offers.require_tls:
        line += " REQUIRETLS"
    if manner.seconds_left is not None and offers.deliver_by is not None:
        seconds = max(-LONGEST_BY, min(manner.seconds_left, LONGEST_BY))
        line += f" BY={seconds};{outgoing.deliver_by_mode or 'N'}{'T' if outgoing.deliver_by_trace else ''}"
    if outgoing.priority and offers.priority:
        line += f" MT-PRIORITY={outgoing.priority}"
    if outgoing.told is not None and offers.unitymail:
        line += _told(outgoing.told)
    return line.encode()


def _told(told: FromPeer) -> str:
    facts = {
        "XID": told.xid, "XTRACE": told.trace, "XSENDER": told.sender, "XKIND": told.kind,
        "XCATEGORY": told.category.value, "XSENSITIVITY": told.sensitivity.value,
        "XSECURE": "yes" if told.secure else "no",
    }  # fmt: skip
    return "".join(f" {name}={xtext(fact)}" for name, fact in facts.items() if fact)


def rcpt_line(recipient: Recipient, offers: Offers) -> bytes:
    line = f"RCPT TO:<{recipient.address}>"
    if offers.dsn and recipient.notify:
        line += f" NOTIFY={','.join(sorted(recipient.notify))}"
    if offers.dsn and recipient.orcpt:
        line += f" ORCPT={_orcpt(recipient.orcpt)}"
    return line.encode()


def _orcpt(orcpt: str) -> str:
    kind, _, address = orcpt.partition(";")
    if kind.lower() != "utf-8":
        return f"{kind};{xtext(address)}"
    # RFC 6533 3: the form that passes servers without SMTPUTF8 too.
    return f"{kind};" + _not_qchar.sub(lambda found: f"\\x{{{ord(found[0]):02X}}}", address)


def xtext(text: str) -> str:
    """RFC 3461 4, of the UTF-8 octets."""
    return _not_xchar.sub(lambda found: b"+%02X" % found[0][0], text.encode(errors="replace")).decode()
