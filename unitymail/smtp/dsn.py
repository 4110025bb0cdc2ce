"""What a client asks to be told of its message: the parameters of RFC 3461 4 (and 6533 3), as values.

Knows their grammar; refuses to know which reports are due (`routing.reporting`) and how they look (`mail.report`).
"""

from __future__ import annotations

import re

from unitymail.mail.reply import Reply
from unitymail.smtp.commands import BadSyntax

BAD_DSN = Reply(501, "5.5.4", "That value of a DSN parameter is not possible")

_LONGEST_ENVID = 100
_LONGEST_ORCPT = 500
_EVENTS = frozenset({"SUCCESS", "FAILURE", "DELAY"})
_xtext = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+").fullmatch
_hex = re.compile(r"\+([0-9A-F]{2})")
_kind = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?").fullmatch
_beyond_ascii = re.compile(r"\\x\{([0-9A-F]{2,6})\}")


def read_ret(value: str | None) -> str:
    """RET: how much of the message a report returns."""
    ret = (value or "").upper()
    if ret not in ("FULL", "HDRS"):
        raise BadSyntax(BAD_DSN)
    return ret


def read_envid(value: str | None) -> str:
    """ENVID: the sender's own name for the envelope, decoded."""
    return _decoded(value or "", _LONGEST_ENVID)


def read_notify(value: str | None) -> frozenset[str]:
    """NOTIFY: NEVER, or some of SUCCESS, FAILURE and DELAY."""
    words = (value or "").upper().split(",")
    if words == ["NEVER"] or (_EVENTS.issuperset(words) and len(set(words)) == len(words)):
        return frozenset(words)
    raise BadSyntax(BAD_DSN)


def read_orcpt(value: str | None) -> str:
    """ORCPT: `type;address` as the sender first wrote it, decoded."""
    kind, _, address = (value or "").partition(";")
    if not _kind(kind) or len(value or "") > _LONGEST_ORCPT:
        raise BadSyntax(BAD_DSN)
    if kind.lower() != "utf-8":
        return f"{kind};{_decoded(address, _LONGEST_ORCPT)}"
    # RFC 6533 3: UTF-8 as it is, or as \x{...} where the way is ASCII only.
    plain = _beyond_ascii.sub(_character, address)
    if not plain or not plain.isprintable():
        raise BadSyntax(BAD_DSN)
    return f"{kind};{plain}"


def _decoded(xtext: str, longest: int) -> str:
    """RFC 3461 4; what is not printable ASCII would break a line of the report."""
    if len(xtext) > longest or not _xtext(xtext):
        raise BadSyntax(BAD_DSN)
    text = _hex.sub(_character, xtext)
    if not text.isascii() or not text.isprintable():
        raise BadSyntax(BAD_DSN)
    return text


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return "\0" if number > 0x10FFFF or 0xD800 <= number < 0xE000 else chr(number)
