"""The SMTP envelope as frozen values. Knows the parameters of MAIL and RCPT; refuses to know their grammar."""

from __future__ import annotations

from typing import Literal

from unitymail.mail.value import value

Body = Literal["7bit", "8bitmime", "binarymime"]
NULL_SENDER = ""


@value
class Recipient:
    """A forward-path. `notify` and `orcpt` as in RFC 3461 4.1-4.2: None when the client did not say.

    `orcpt` is `type;address`, xtext decoded. `notify` holds of NEVER, SUCCESS, FAILURE, DELAY.
    """

    address: str
    notify: frozenset[str] | None = None
    orcpt: str | None = None


@value
class Envelope:
    """What the client said before DATA. `sender` is the reverse-path without brackets, "" for the null one.

    `hold_until` (RFC 4865) and `deliver_by` (RFC 2852) are Unix seconds; mode N asks for a notice, R for return;
    `deliver_by_trace` asks each system on the way to tell that it has relayed the message.
    `priority` (RFC 6710) is -9 to 9.
    """

    sender: str
    recipients: tuple[Recipient, ...]
    body: Body = "7bit"
    smtputf8: bool = False
    ret: Literal["FULL", "HDRS"] | None = None
    envid: str | None = None
    declared_size: int | None = None
    require_tls: bool = False
    hold_until: float | None = None
    deliver_by: float | None = None
    deliver_by_mode: Literal["", "N", "R"] = ""
    deliver_by_trace: bool = False
    priority: int = 0
