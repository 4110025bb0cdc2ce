"""How private, how secure and how urgent a message says it is (message-formats.md section 3).

Knows the header fields and their spellings; refuses to know what follows from them, which is policy's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unitymail.mail.headers import decode
from unitymail.mail.lexical import unfold, without_comments
from unitymail.mail.message import Importance, Sensitivity

SecureHeaders = tuple[tuple[str, str], ...]
"""(name, value), both in lower case. Value "true" stands for true, yes and 1; "" for any value."""

_TRUE = frozenset({"true", "yes", "1"})
_SENSITIVITIES = {
    "private": Sensitivity.PRIVATE,
    "personal": Sensitivity.PERSONAL,
    "company-confidential": Sensitivity.CONFIDENTIAL,
}
_IMPORTANCE = {"high": Importance.HIGH, "normal": Importance.NORMAL, "low": Importance.LOW}
_PRIORITY = {"urgent": Importance.HIGH, "high": Importance.HIGH, "normal": Importance.NORMAL,
             "non-urgent": Importance.LOW, "low": Importance.LOW}
_NUMBERS = {"1": Importance.HIGH, "2": Importance.HIGH, "3": Importance.NORMAL, "4": Importance.LOW,
            "5": Importance.LOW}
_FIRST_TO_LAST = (
    (b"importance", _IMPORTANCE | {"urgent": Importance.HIGH}),
    (b"x-priority", _NUMBERS | _PRIORITY),
    (b"priority", _PRIORITY),
    (b"x-msmail-priority", _PRIORITY),
)

FIELDS = frozenset({b"sensitivity", b"importance", b"x-priority", b"priority", b"x-msmail-priority"})
"""Lower-case names of the fields read here, the configured secure ones apart."""

NamedFields = Mapping[bytes, Sequence[bytes]]
"""Field bodies as stored, by lower-case name, in the order of the message."""


def parse_secure_headers(text: str) -> SecureHeaders:
    """The site setting `secure_headers`: `X-Unity-Secure: true; X-Other: confidential`. Pieces without a name go."""
    found = []
    for piece in text.split(";"):
        name, _, value = piece.partition(":")
        if name := name.strip().lower():
            found.append((name, value.strip().lower()))
    return tuple(found)


def plain_word(raw: bytes) -> str:
    """A one-word field body, forgiving comments, blanks and case."""
    return decode(without_comments(unfold(raw))).strip().lower()


def sensitivity_of(fields: NamedFields) -> Sensitivity:
    """The first Sensitivity field counts; unknown values are normal."""
    raws = fields.get(b"sensitivity")
    return _SENSITIVITIES.get(plain_word(raws[0]), Sensitivity.NORMAL) if raws else Sensitivity.NORMAL


def importance_of(fields: NamedFields) -> Importance:
    """Importance wins over X-Priority, that over Priority and X-MSMail-Priority; a value unknown is as if absent."""
    for name, meanings in _FIRST_TO_LAST:
        for raw in fields.get(name, ())[:1]:
            words = plain_word(raw).split()
            if words and words[0] in meanings:
                return meanings[words[0]]
    return Importance.NORMAL


def asks_for_security(fields: NamedFields, secure_headers: SecureHeaders) -> bool:
    """Whether any copy of a configured field has its value: one true among several is enough."""
    for name, wanted in secure_headers:
        for raw in fields.get(name.encode("utf-8", "replace"), ()):
            value = plain_word(raw)
            if not wanted or value == wanted or (wanted in _TRUE and value in _TRUE):
                return True
    return False
