"""The service extensions of SMTP: what EHLO says of each, and what its parameters of MAIL and RCPT mean.

An extension is one value in `EXTENSIONS`; a new one is one more. Refuses to know commands, which are the dialogue's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from unitymail.mail.reply import Reply
from unitymail.smtp.commands import BadSyntax, read_parameters
from unitymail.smtp.dsn import read_envid, read_notify, read_orcpt, read_ret

UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognised")
BAD_VALUE = Reply(501, "5.5.4", "That value of a parameter is not possible")


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether an extension is offered: the session as it is now. Of the numbers 0 is unlimited."""

    max_octets: int
    starttls: bool
    auth: bool
    max_recipients: int = 0
    max_messages: int = 0


@dataclass(frozen=True, slots=True)
class Parameter:
    """`field` of `Envelope` (MAIL) or `Recipient` (RCPT) that `read` gives the value of; "" keeps nothing.

    `read` takes the text after `=`, None when there is none, and raises BadSyntax.
    """

    field: str
    read: Callable[[str | None], object]


@dataclass(frozen=True, slots=True)
class Extension:
    """`line` is what EHLO says, None when it is not offered now. Parameters are understood in any case."""

    line: Callable[[Situation], str | None]
    mail: Mapping[str, Parameter] = field(default_factory=dict)
    rcpt: Mapping[str, Parameter] = field(default_factory=dict)


def _size(value: str | None) -> int:
    """RFC 1870 3: up to 20 digits."""
    if not value or not value.isascii() or not value.isdigit() or len(value) > 20:
        raise BadSyntax(BAD_VALUE)
    return int(value)


def _body(value: str | None) -> str:
    """RFC 6152 3."""
    body = (value or "").lower()
    if body not in ("7bit", "8bitmime"):
        raise BadSyntax(BAD_VALUE)
    return body


def _smtputf8(value: str | None) -> bool:
    """RFC 6531 3.4: it takes no value."""
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
    Extension(lambda now: "SMTPUTF8", mail={"SMTPUTF8": Parameter("smtputf8", _smtputf8)}),
    Extension(
        lambda now: "DSN",
        mail={"RET": Parameter("ret", read_ret), "ENVID": Parameter("envid", read_envid)},
        rcpt={"NOTIFY": Parameter("notify", read_notify), "ORCPT": Parameter("orcpt", read_orcpt)},
    ),
    Extension(lambda now: "ENHANCEDSTATUSCODES"),
    Extension(_limits),
    Extension(lambda now: "STARTTLS" if now.starttls else None),
    Extension(lambda now: "AUTH PLAIN LOGIN" if now.auth else None, mail={"AUTH": Parameter("", _auth)}),
)

_MAIL = {keyword: parameter for extension in EXTENSIONS for keyword, parameter in extension.mail.items()}
_RCPT = {keyword: parameter for extension in EXTENSIONS for keyword, parameter in extension.rcpt.items()}


def offered(now: Situation) -> list[str]:
    """The lines of EHLO after the first."""
    return [line for extension in EXTENSIONS if (line := extension.line(now))]


def mail_fields(parameters: str) -> dict[str, Any]:
    """Fields of `Envelope` that the parameters of MAIL give. Raises BadSyntax."""
    return _fields(parameters, _MAIL)


def rcpt_fields(parameters: str) -> dict[str, Any]:
    """Fields of `Recipient` that the parameters of RCPT give. Raises BadSyntax."""
    return _fields(parameters, _RCPT)


def _fields(parameters: str, known: Mapping[str, Parameter]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for keyword, value in read_parameters(parameters).items():
        parameter = known.get(keyword)
        if parameter is None:
            raise BadSyntax(UNKNOWN_PARAMETER)
        result = parameter.read(value)
        if parameter.field:
            fields[parameter.field] = result
    return fields
