"""Voice, fax, receipt or e-mail: what a message is, by the rules R1 to R7 of message-formats.md section 2.

Knows the rules and their order; refuses to know what users want done with each category. `read` is the one look a
message gets on entry; what it says is stored with the message and never decided again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from unitymail.mail.audio import is_tiff
from unitymail.mail.automatic import automatic_word
from unitymail.mail.encoded_words import on_one_line
from unitymail.mail.flaws import content_flaws
from unitymail.mail.headers import addresses, decode, readable
from unitymail.mail.lexical import LONGEST_FIELD, LONGEST_HEADER, unfold
from unitymail.mail.message import Category, Message, Sensitivity
from unitymail.mail.part import Octets, Part, leaves, walk
from unitymail.mail.sensitivity import (
    FIELDS,
    SecureHeaders,
    asks_for_security,
    importance_of,
    sensitivity_of,
)
from unitymail.mail.structure import Structure, scan
from unitymail.routing.enclosed import encloses_private
from unitymail.routing.evidence import ASTERISK, HINT_FIELDS, Evidence

_REPORTS = frozenset({
    "message/delivery-status", "message/global-delivery-status",
    "message/disposition-notification", "message/global-disposition-notification",
})
_REPORT_TYPES = frozenset({"", "delivery-status", "disposition-notification"})
_OPAQUE = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_HEARD = (Category.VOICE, Category.FAX)
_READ_HERE = FIELDS | HINT_FIELDS | frozenset(
    b"from sender to subject message-id date auto-submitted received disposition-notification-to".split()
)


def read(
    buffer: Octets, secure_headers: SecureHeaders, *, secure_confidential: bool = False, host: str = "",
    clean_octets: bool = False,
) -> Message:
    """Everything deciding needs to know of a message, from its octets (without our own header block). Never raises.

    `host` is this node's name in Received fields. A message over a limit of `structure` is e-mail. `clean_octets`:
    the door has let no NUL and no bare CR or LF in.
    """
    structure = scan(buffer)
    root = structure.root
    fields = _fields(buffer, root, secure_headers)
    category, rule = categorise(buffer, structure, fields)
    sensitivity = sensitivity_of(fields)
    authors = [mailbox for raw in fields.get(b"from", ()) for mailbox in addresses(raw)]
    received = fields.get(b"received", [])
    return Message(
        category=category,
        rule=rule,
        sensitivity=sensitivity,
        secure=asks_for_security(fields, secure_headers)
        or (secure_confidential and sensitivity is Sensitivity.CONFIDENTIAL),
        importance=importance_of(fields),
        malformed=structure.malformed or bool(content_flaws(buffer, structure, clean_octets=clean_octets)),
        size=structure.size,
        header_from=_whole([author.address for author in authors]),
        header_sender=_whole([m.address for raw in fields.get(b"sender", ()) for m in addresses(raw)]),
        authors_cut=_authors_cut(root, fields),
        display_from=next((author.name or on_one_line(author.address) for author in authors), ""),
        subject=_decoded(fields, b"subject", root),
        has_subject=b"subject" in fields,
        message_id=_decoded(fields, b"message-id", root),
        date=_decoded(fields, b"date", root),
        received=len(received),
        hops_here=sum(1 for raw in received if _by(host).search(unfold(raw))) if host else 0,
        encloses_private=encloses_private(buffer, root),
        asks_receipt=b"disposition-notification-to" in fields and category in _HEARD and not automatic_word(fields),
    )


def categorise(
    buffer: Octets, structure: Structure, fields: dict[bytes, list[bytes]]
) -> tuple[Category, str]:
    """(category, rule). `R4/R7` says that a hint was there, failed its check, and R7 decided."""
    if structure.beyond_limits:
        return Category.EMAIL, "R7"
    evidence = Evidence(buffer, structure.root, fields)
    if evidence.is_plain_text:
        return Category.EMAIL, "R7"
    dropped = ""
    for rule, judge in RULES:
        category = judge(evidence)
        if category is not None:
            return category, dropped + rule
        if rule == "R4" and evidence.hint is not None:
            dropped = "R4/"
    return Category.EMAIL, dropped + "R7"


def receipt(evidence: Evidence) -> Category | None:
    """R1: a delivery report or a read receipt; other kinds of report (feedback, TLS) go on."""
    root = evidence.root
    if root.media_type in _REPORTS:
        return Category.RECEIPT
    if root.media_type != "multipart/report":
        return None
    kind = (root.parameter("report-type") or "").strip().lower()
    if kind in _REPORT_TYPES and any(child.media_type in _REPORTS for child in root.children):
        return Category.RECEIPT
    return None


def opaque(evidence: Evidence) -> Category | None:
    """R2: what is encrypted cannot be checked, so it is e-mail whatever a hint says."""
    return Category.EMAIL if evidence.root.media_type in _OPAQUE else None


def vpim(evidence: Evidence) -> Category | None:
    """R3: a multipart/voice-message. Declared audio suffices: a codec unknown here is still voice."""
    voice_message = evidence.voice_message
    if voice_message is None:
        return None
    inside = leaves(voice_message)
    has_tiff = any(is_tiff(part) for part in inside)
    if has_tiff and evidence.is_fax_context:
        return Category.FAX
    if evidence.holds_audio(inside, declared=True):
        return Category.VOICE
    return Category.FAX if has_tiff else Category.EMAIL


def hinted(evidence: Evidence) -> Category | None:
    """R4: what a header says, believed only if the content agrees (RFC 3458 section 7: a hint only)."""
    if evidence.hint == "email":
        return Category.EMAIL
    if evidence.hint == "voice" and evidence.holds_audio(evidence.leaves, declared=False):
        return Category.VOICE
    if evidence.hint == "fax" and any(evidence.is_tiff(part) for part in evidence.leaves):
        return Category.FAX
    return None


def voice(evidence: Evidence) -> Category | None:
    """R5: audio that is marked as voice; or telephone audio, perhaps with a fax, and nothing else."""
    attached = evidence.attachments
    if any(evidence.is_playable(part) and evidence.is_marked(part) for part in attached):
        return Category.VOICE
    if any(evidence.is_telephone(part) for part in attached) and all(
        evidence.is_telephone(part) or evidence.is_fax(part) for part in attached
    ):
        return Category.VOICE
    return None


def fax(evidence: Evidence) -> Category | None:
    """R6: fax pages and nothing else."""
    attached = evidence.attachments
    return Category.FAX if attached and all(evidence.is_fax(part) for part in attached) else None


RULES: tuple[tuple[str, Callable[[Evidence], Category | None]], ...] = (
    ("R1", receipt), ("R2", opaque), ("R3", vpim), ("R4", hinted), ("R5", voice), ("R6", fax),
)
"""The first that answers decides; when none does it is R7, e-mail."""


def _fields(buffer: Octets, root: Part, secure_headers: SecureHeaders) -> dict[bytes, list[bytes]]:
    """The field bodies that are read here, by lower-case name."""
    wanted = _wanted(secure_headers)
    fields: dict[bytes, list[bytes]] = {}
    for name, raw in readable(buffer, root):
        if name in wanted:
            fields.setdefault(name, []).append(raw)
        elif name.startswith(ASTERISK):
            fields.setdefault(ASTERISK, []).append(b"")
    return fields


@lru_cache(maxsize=16)
def _wanted(secure_headers: SecureHeaders) -> frozenset[bytes]:
    return _READ_HERE | {name.encode("utf-8", "replace") for name, _ in secure_headers}


def _authors_cut(root: Part, fields: dict[bytes, list[bytes]]) -> bool:
    """Whether an address in From or Sender may stand beyond what is read of a field or of the header."""
    authors = (*fields.get(b"from", ()), *fields.get(b"sender", ()))
    return root.body > LONGEST_HEADER or any(len(raw) > LONGEST_FIELD for raw in authors)


def _decoded(fields: dict[bytes, list[bytes]], name: bytes, root: Part) -> str:
    if name not in fields:
        return ""
    raw = fields[name][0]
    return decode(raw) if raw.isascii() else decode(raw, _body_charset(root))


def _body_charset(root: Part) -> str:
    """The charset for raw 8-bit in the header that is not UTF-8 (message-formats.md section 1)."""
    for part in walk(root):
        if part.type == "text":
            return part.parameter("charset") or ""
    return ""


def _whole(found: list[str]) -> tuple[str, ...]:
    """Addresses with a domain; without one (`Doe, John <j@d>` unquoted gives `Doe`) only if there is no other."""
    return tuple(dict.fromkeys([address for address in found if "@" in address] or found))


@lru_cache(maxsize=16)
def _by(host: str) -> re.Pattern[bytes]:
    return re.compile(rb"\bby\s+" + re.escape(host.encode("utf-8", "replace")) + rb"(?![\w.-])", re.IGNORECASE)
