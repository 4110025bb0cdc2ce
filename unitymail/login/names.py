"""The name that somebody signs in with, in the one form it is looked up in. Refuses to know whose it is."""

from __future__ import annotations

from unitymail.login.saslprep import saslprep
from unitymail.mail.address import key_of

LONGEST = 400
"""Characters. No address has as many; what is longer is cut, and costs no preparing."""


def name_of(said: bytes | str) -> str:
    """Prepared (RFC 4013) where it can be; what cannot, or is too long, is nobody's name, kept for the journal."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    text = text.strip()
    if len(text) > LONGEST:
        return text[:LONGEST]
    try:
        return text if text.isascii() else saslprep(text)
    except ValueError:
        return text


def same_name(one: str, other: str) -> bool:
    return key_of(one) == key_of(other)


def key_of_name(name: str, domain: str) -> str:
    """One key for an alias and the primary address that it makes: a user's salt is the same by both."""
    return key_of(name if "@" in name else f"{name}@{domain}")
