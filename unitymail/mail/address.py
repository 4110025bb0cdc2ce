"""SMTP addresses as text: their key for matching, their halves. Refuses to know whose they are.

The grammar of paths in MAIL and RCPT is the SMTP door's; here an address is already `local@domain` without brackets.
"""

from __future__ import annotations

import unicodedata

from unitymail.mail.marks import parted


def key_of(address: str) -> str:
    """What two spellings of one address share: NFC (RFC 6531), case folded on the whole address (decisions.md)."""
    if address.isascii():
        return address.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", parted(address)).casefold())


def split(address: str) -> tuple[str, str]:
    """(local part, domain); the domain is "" when there is none. A quoted local part keeps its quotes."""
    local, at, domain = address.rpartition("@")
    return (local, domain) if at else (address, "")


def without_tag(address: str) -> str | None:
    """`user+tag@d` as `user@d`; None when there is no tag, or nothing before it."""
    local, domain = split(address)
    user, plus, _ = local.partition("+")
    return f"{user}@{domain}" if plus and user and domain else None
