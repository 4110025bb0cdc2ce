"""The service extensions of SMTP: what EHLO says of each, and what its parameters of MAIL and RCPT mean.

An extension is one value in `EXTENSIONS`; a new one is one more. Refuses to know commands, which are the dialogue's.

Note *Not for everybody*. Parameters of most extensions are understood from whoever uses them, offered or not. Those of
an extension with `barred` are asked about, and only then is it found out what the client is by now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from unitymail.mail.reply import Reply
from unitymail.smtp import moments, xunitymail
from unitymail.smtp.commands import BadSyntax, read_parameters
from unitymail.smtp.dsn import read_envid, read_notify, read_orcpt, read_ret

UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognised")
BAD_VALUE = Reply(501, "5.5.4", "That value of a parameter is not possible")
BAD_PRIORITY = Reply(501, "5.5.4", "Say MT-PRIORITY=N, where N is -9 (not urgent at all) to 9")
NEEDS_TLS = Reply(530, "5.7.0", "REQUIRETLS needs TLS here too; issue a STARTTLS command first")

_one_digit = re.compile(r"-?[0-9]", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether an extension is offered: the session as it is now. Of the numbers 0 is unlimited.

    `peer`: a node of this site, as its certificate proves. `submission`: who is here may ask to send later.
    """

    max_octets: int
    starttls: bool
    auth: bool
    max_recipients: int = 0
    max_messages: int = 0
    tls: bool = False
    peer: bool = False
    submission: bool = False
    now: float = 0.0
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")


NOBODY = Situation(0, starttls=False, auth=False)
"""A client that nothing is known of."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`field` of `Envelope` (MAIL) or `Recipient` (RCPT) that `read` gives the value of; "" keeps nothing.

    `read` takes the text after `=`, None when there is none, and raises BadSyntax.
    """

    field: str
    read: Callable[[str | None], object]


@dataclass(frozen=True, slots=True)
class Extension:
    """`line` is what EHLO says, None when it is not offered now. `barred`: why its parameters of MAIL may not be used.

    Without `barred` they are understood in any case.
    """

    line: Callable[[Situation], str | None]
    mail: Mapping[str, Parameter] = field(default_factory=dict)
    rcpt: Mapping[str, Parameter] = field(default_factory=dict)
    barred: Callable[[Situation], Reply | None] | None = None


def _size(value: str | None) -> int:
    """RFC 1870 3: up to 20 digits."""
    if not value or not value.isascii() or not value.isdigit() or len(value) > 20:
        raise BadSyntax(BAD_VALUE)
    return int(value)


def _body(value: str | None) -> str:
    """RFC 6152 3, RFC 3030 3."""
    body = (value or "").lower()
    if body not in ("7bit", "8bitmime", "binarymime"):
        raise BadSyntax(BAD_VALUE)
    return body


def _priority(value: str | None) -> int:
    """RFC 6710 3: -9 to 9, one digit."""
    if value is None or not _one_digit(value):
        raise BadSyntax(BAD_PRIORITY)
    return int(value)


def _flag(value: str | None) -> bool:
    """RFC 6531 3.4, RFC 8689 2: it takes no value."""
    if value is not None:
        raise BadSyntax(BAD_VALUE)
    return True


def _auth(value: str | None) -> None:
    """RFC 4954 5: who submitted the message first, as the client claims. Nobody here believes it."""
    if value is None:
        raise BadSyntax(BAD_VALUE)


def _limits(now: Situation) -> str | None:
    """RFC 9422: what has no limit is left out."""
    limits = (("MAILMAX", now.max_messages), ("RCPTMAX", now.max_recipients))
    shown = [f"{name}={number}" for name, number in limits if number]
    return " ".join(("LIMITS", *shown)) if shown else None


EXTENSIONS: tuple[Extension, ...] = (
    Extension(lambda now: "PIPELINING"),
    Extension(lambda now: f"SIZE {now.max_octets}", mail={"SIZE": Parameter("declared_size", _size)}),
    Extension(lambda now: "8BITMIME", mail={"BODY": Parameter("body", _body)}),
    Extension(lambda now: "CHUNKING"),
    Extension(lambda now: "BINARYMIME"),
    Extension(lambda now: "SMTPUTF8", mail={"SMTPUTF8": Parameter("smtputf8", _flag)}),
    Extension(
        lambda now: "DSN",
        mail={"RET": Parameter("ret", read_ret), "ENVID": Parameter("envid", read_envid)},
        rcpt={"NOTIFY": Parameter("notify", read_notify), "ORCPT": Parameter("orcpt", read_orcpt)},
    ),
    Extension(
        lambda now: f"DELIVERBY {moments.SHORTEST_BY_S}" if now.submission or now.peer else None,
        mail={"BY": Parameter("by", moments.read_by)},
        barred=lambda now: None if now.submission or now.peer else UNKNOWN_PARAMETER,
    ),
    Extension(
        lambda now: moments.future_release(now.now) if now.submission else None,
        mail={
            "HOLDFOR": Parameter("hold_for", moments.read_hold_for),
            "HOLDUNTIL": Parameter("hold_until", moments.read_hold_until),
        },
        barred=lambda now: None if now.submission else UNKNOWN_PARAMETER,
    ),
    Extension(lambda now: "MT-PRIORITY MIXER", mail={"MT-PRIORITY": Parameter("priority", _priority)}),
    Extension(lambda now: "ENHANCEDSTATUSCODES"),
    Extension(_limits),
    Extension(lambda now: "STARTTLS" if now.starttls else None),
    Extension(
        lambda now: "REQUIRETLS" if now.tls else None,
        mail={"REQUIRETLS": Parameter("require_tls", _flag)},
        barred=lambda now: None if now.tls else NEEDS_TLS,
    ),
    Extension(
        lambda now: " ".join(("AUTH", *now.mechanisms)) if now.auth else None, mail={"AUTH": Parameter("", _auth)}
    ),
    Extension(
        lambda now: "XUNITYMAIL" if now.peer else None,
        mail={
            "XID": Parameter("told_xid", xunitymail.read_xid),
            "XTRACE": Parameter("told_trace", xunitymail.read_trace),
            "XSENDER": Parameter("told_sender", xunitymail.read_sender),
            "XKIND": Parameter("told_kind", xunitymail.read_kind),
            "XCATEGORY": Parameter("told_category", xunitymail.read_category),
            "XSENSITIVITY": Parameter("told_sensitivity", xunitymail.read_sensitivity),
            "XSECURE": Parameter("told_secure", xunitymail.read_secure),
        },
        barred=lambda now: None if now.peer else UNKNOWN_PARAMETER,
    ),
)

_MAIL = {keyword: parameter for extension in EXTENSIONS for keyword, parameter in extension.mail.items()}
_RCPT = {keyword: parameter for extension in EXTENSIONS for keyword, parameter in extension.rcpt.items()}
_BARRED = {
    keyword: extension.barred
    for extension in EXTENSIONS
    if extension.barred is not None
    for keyword in extension.mail
}


def offered(now: Situation) -> list[str]:
    """The lines of EHLO after the first."""
    return [line for extension in EXTENSIONS if (line := extension.line(now))]


def mail_fields(parameters: str, situation: Callable[[], Situation] = lambda: NOBODY) -> dict[str, Any]:
    """Fields of `Envelope` that the parameters of MAIL give; moments and what peers tell still as they were said.

    `situation` tells what the client is, where that is asked. Raises BadSyntax.
    """
    return _fields(parameters, _MAIL, situation)


def rcpt_fields(parameters: str) -> dict[str, Any]:
    """Fields of `Recipient` that the parameters of RCPT give. Raises BadSyntax."""
    return _fields(parameters, _RCPT, lambda: NOBODY)


def _fields(parameters: str, known: Mapping[str, Parameter], situation: Callable[[], Situation]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for keyword, value in read_parameters(parameters).items():
        parameter = known.get(keyword)
        if parameter is None:
            raise BadSyntax(UNKNOWN_PARAMETER)
        if keyword in _BARRED and (why := _BARRED[keyword](situation())) is not None:
            raise BadSyntax(why)
        result = parameter.read(value)
        if parameter.field:
            fields[parameter.field] = result
    return fields
