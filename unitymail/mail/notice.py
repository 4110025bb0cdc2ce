"""A notice of the node's own to one of its users: plain text from the postmaster.

Knows its octets; refuses to know what it is about, and how it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unitymail.mail import writing
from unitymail.mail.report_parts import text_part, wrapped


@dataclass(frozen=True, slots=True)
class Notice:
    """To whom it goes: a display name and an address; paragraphs are broken into lines here."""

    name: str
    address: str
    subject: str
    paragraphs: Sequence[str]


def build_notice(notice: Notice, *, domain: str, host: str, trace: str, when: float) -> bytes:
    """The whole message, CRLF lines; `domain` is that of our postmaster, `trace` its own id, `when` Unix seconds."""
    text = "\n\n".join(wrapped(paragraph) for paragraph in notice.paragraphs)
    return (
        b"From: Postmaster <postmaster@" + writing.path(domain, utf8=True) + b">\r\n"
        + writing.mailboxes("To", [(notice.name, notice.address)], utf8=True)
        + writing.unstructured("Subject", notice.subject)
        + b"Date: " + writing.date(when).encode("ascii") + b"\r\n"
        b"Message-ID: <" + writing.token(trace) + b"@" + writing.token(host) + b">\r\n"
        b"Auto-Submitted: auto-generated\r\n"
        b"MIME-Version: 1.0\r\n" + text_part(f"{text}\n\nReference: {trace} at {host}")
    )
