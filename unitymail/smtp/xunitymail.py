"""XUNITYMAIL: what one node of a site tells another of a message, in parameters of MAIL (decisions.md, On the wire).

Knows their grammar and which belong together; refuses to know who may use them (`extensions` offers them to peers
only). Values are xtext of UTF-8::

    XID=NODE.TRACE       names the message for all attempts to hand it over
    XTRACE=TRACE         its trace id there
    XSENDER=ADDRESS      the primary address of the sender object there; left out when it is nobody's
    XKIND=KIND           what the sender is: user, vpim, peer, outside, null or unknown
    XCATEGORY=CATEGORY   voice, email, fax or receipt
    XSENSITIVITY=WORD    normal, personal, private or confidential
    XSECURE=yes|no
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, TypeVar, get_args

from unitymail.mail.message import Category, Sensitivity
from unitymail.mail.reply import Reply
from unitymail.routing.decision import FromPeer, SenderKind
from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.xtext import from_xtext

BAD_VALUE = Reply(501, "5.5.4", "That value of an XUNITYMAIL parameter is not possible")
NOT_ALONE = Reply(501, "5.5.4", "XID, XTRACE, XKIND, XCATEGORY, XSENSITIVITY and XSECURE go together; one is missing")

_LONGEST = 1_536
_LONGEST_ADDRESS = 512
_xid = re.compile(r"[A-Za-z0-9_-]{1,100}\.[A-Za-z0-9._-]{1,100}").fullmatch
_trace = re.compile(r"[A-Za-z0-9._-]{1,100}").fullmatch
_KINDS = get_args(SenderKind)
Word = TypeVar("Word", bound=Enum)


def _text(value: str | None) -> str:
    text = from_xtext(value or "", _LONGEST)
    if text is None:
        raise BadSyntax(BAD_VALUE)
    return text


def read_xid(value: str | None) -> str:
    xid = _text(value)
    if not _xid(xid):
        raise BadSyntax(BAD_VALUE)
    return xid


def read_trace(value: str | None) -> str:
    trace = _text(value)
    if not _trace(trace):
        raise BadSyntax(BAD_VALUE)
    return trace


def read_sender(value: str | None) -> str:
    address = _text(value)
    if "@" not in address or len(address) > _LONGEST_ADDRESS:
        raise BadSyntax(BAD_VALUE)
    return address


def read_kind(value: str | None) -> str:
    kind = _text(value)
    if kind not in _KINDS:
        raise BadSyntax(BAD_VALUE)
    return kind


def read_category(value: str | None) -> Category:
    return _one_of(Category, value)


def read_sensitivity(value: str | None) -> Sensitivity:
    return _one_of(Sensitivity, value)


def read_secure(value: str | None) -> bool:
    word = _text(value)
    if word not in ("yes", "no"):
        raise BadSyntax(BAD_VALUE)
    return word == "yes"


def _one_of(words: type[Word], value: str | None) -> Word:
    try:
        return words(_text(value))
    except ValueError:
        raise BadSyntax(BAD_VALUE)


_NEEDED = ("told_xid", "told_trace", "told_kind", "told_category", "told_sensitivity", "told_secure")
_FIELDS = (*_NEEDED, "told_sender")


def take_told(fields: dict[str, Any]) -> FromPeer | None:
    """What the peer tells, taken out of the fields that its MAIL gave; None for plain mail. Raises BadSyntax."""
    told = {name.removeprefix("told_"): fields.pop(name) for name in _FIELDS if name in fields}
    if not told:
        return None
    if any(name.removeprefix("told_") not in told for name in _NEEDED):
        raise BadSyntax(NOT_ALONE)
    return FromPeer(**{"sender": "", **told})
