"""What a delivery status notification says of recipients (RFC 3464 2.3), read leniently.

Knows the groups of a message/delivery-status part; refuses to know whose report it is and what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from unitymail.mail.headers import decode, fields
from unitymail.mail.part import Octets, Part
from unitymail.mail.transfer import without_encoding

MOST_READ = 1 << 18
MOST_GROUPS = 1_000
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_BLANK_LINES = re.compile(rb"(?:\r?\n){2,}")
_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


class Returned(NamedTuple):
    """One recipient's group. Addresses are bare, "" when absent; `action` in lower case; `status` an enhanced code."""

    final: str
    original: str
    action: str
    status: str


def returned(buffer: Octets, root: Part) -> list[Returned]:
    """The recipients of a report, whose root is `root`; [] for anything else."""
    parts = root.children if root.media_type == "multipart/report" else (root,)
    for part in parts:
        if part.media_type in _STATUS_TYPES:
            octets = without_encoding(buffer[part.body : min(part.end, part.body + MOST_READ)], part.encoding)
            return list(_recipients(octets))
    return []


def _recipients(octets: bytes) -> Iterator[Returned]:
    for group in _BLANK_LINES.split(octets)[:MOST_GROUPS]:
        said = {field.name.lower(): decode(field.value).strip() for field in fields(group, 0, len(group)) if field.name}
        if b"final-recipient" in said or b"original-recipient" in said:
            code = _CODE.search(said.get(b"status", ""))
            yield Returned(
                _address(said.get(b"final-recipient", "")), _address(said.get(b"original-recipient", "")),
                said.get(b"action", "").partition(" ")[0].lower(), code[0] if code else "",
            )


def _address(typed: str) -> str:
    """`rfc822; <a@b>` as `a@b`."""
    return typed.partition(";")[2].strip().removeprefix("<").removesuffix(">").strip()
