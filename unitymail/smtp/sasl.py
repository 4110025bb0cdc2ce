"""How the exchanges of AUTH look on the wire of SMTP (RFC 4954): 334 lines out, base64 lines in.

Sans-IO. Refuses to know the mechanisms, which are `policy/sasl`'s.
"""

from __future__ import annotations

import base64

from unitymail.interfaces.login import ILogin, Place
from unitymail.mail.reply import Reply
from unitymail.policy import sasl
from unitymail.policy.sasl import Challenge, Exchange
from unitymail.settings.site import SiteSettings
from unitymail.smtp.commands import BadSyntax, from_base64, read_auth

UNKNOWN_MECHANISM = Reply(504, "5.5.4", "That mechanism is not offered")
CANCELLED = Reply(501, "5.7.0", "Cancelled")
BAD_EXCHANGE = Reply(501, "5.5.2", "The response does not fit the mechanism")


def begin(argument: str, login: ILogin, place: Place, site: SiteSettings) -> tuple[Exchange, bytes | None]:
    """The exchange that an AUTH command asks for, and its initial response. Raises BadSyntax."""
    name, response = read_auth(argument)
    exchange = sasl.begin(name, login, place, site)
    if exchange is None:
        raise BadSyntax(UNKNOWN_MECHANISM)
    return exchange, response


def read_response(line: bytes) -> bytes:
    """A later response. Raises BadSyntax, for `*` too, which cancels."""
    if line == b"*":
        raise BadSyntax(CANCELLED)
    return from_base64(line.decode("ascii", "replace"))


def line_of(challenge: Challenge) -> bytes:
    return b"334 " + base64.b64encode(challenge.octets) + b"\r\n"
