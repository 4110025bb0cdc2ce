"""The answer of a policy: accept, or reject with the reply that says so. Knows no rule."""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class Accept:
    """Nothing speaks against it."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Refused; `reply` is what a door says. `address` is the one that failed, where it was an address."""

    reply: Reply
    address: str = ""


Verdict = Accept | Reject
ACCEPT = Accept()


def reject(code: int, enhanced: str, text: str, address: str = "") -> Reject:
    """A rejection with its reply, written in one line."""
    return Reject(Reply(code, enhanced, text), address)
