"""The part of a report that a person reads: what, for whom, why, what to do, and the reference to ask with.

Knows plain words; refuses to know the form of a report. Recipients with the same cause stand together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from unitymail.mail import writing
from unitymail.mail.duration import as_clock
from unitymail.mail.fate import Fate
from unitymail.mail.report_parts import wrapped
from unitymail.mail.status import explain, status_or_unknown

MOST_NAMED = 100
"""Recipients named one by one for one cause; the rest are counted, and stand in the part for programs."""
MOST_CAUSES = 20
"""Causes told one by one for one action: a system may have other words for each of 15,000 recipients."""
MOST_STATUSES = 10

_ADMINISTRATOR = "Your administrator finds them by the reference below."
_KINDS = {"voice": "voice message", "fax": "fax message", "receipt": "receipt"}
_BEGINNINGS = (
    ("failed", "", "did not reach:"),
    ("delayed", "", "has not reached these recipients yet:"),
    ("delivered", "", "was delivered to:"),
    ("relayed", "2.6.4", "was passed on without some of its parts, for:"),
    ("relayed", "", "was passed on to a system that does not report delivery, for:"),
    ("expanded", "", "was sent on to the members of:"),
)
"""What a sentence about recipients says by their action and, where it is given, status; the first that fits."""


class About(Protocol):
    """The message, as far as a person needs it to know which one it was (`mail.report.Original` is one)."""

    @property
    def trace(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def arrived(self) -> float: ...
    @property
    def seconds(self) -> float | None: ...


def words(
    fates: Sequence[Fate], about: About, retry_until: float | None, names: Mapping[str, str], host: str
) -> str:
    r"""Lines separated by `\n`, wrapped at 72 where they can be."""
    paragraphs, about_all = [], fates
    for action, status, beginning in _BEGINNINGS:
        told: list[Fate] = []
        others: list[Fate] = []
        for fate in fates:
            (told if fate.action == action and status in ("", fate.status) else others).append(fate)
        fates = others
        if told:
            paragraphs.append(wrapped(f"{_name_of(about)} {beginning}"))
            paragraphs += _by_cause(told, names)
            paragraphs += _what_now(action, retry_until)
    paragraphs.append(_reference(about_all, about, host))
    return "\n\n".join(paragraphs)


def _name_of(about: About) -> str:
    kind = _KINDS.get(about.category, "message")
    subject = writing.one_line(about.subject)[:200]
    named = f' "{subject}"' if subject else ""
    lasting = "" if about.seconds is None else f" ({as_clock(about.seconds)})"
    return f"Your {kind}{named} of {writing.date_in_words(about.arrived)}{lasting}"


def _by_cause(fates: Sequence[Fate], names: Mapping[str, str]) -> list[str]:
    causes: dict[tuple[str, str, str], list[Fate]] = {}
    for fate in fates:
        causes.setdefault((fate.status, fate.cause, _said_of_anybody(fate)), []).append(fate)
    told, others = list(causes.values())[:MOST_CAUSES], list(causes.values())[MOST_CAUSES:]
    paragraphs = ["\n".join(_cause(together, names)) for together in told]
    if others:
        paragraphs.append(wrapped(f"and {sum(map(len, others))} more, for other reasons. {_ADMINISTRATOR}", "  "))
    return paragraphs


def _said_of_anybody(fate: Fate) -> str:
    """The other system's reply, without the recipient that it may name."""
    said, address = fate.diagnostic.lower(), fate.address.lower()
    return said.replace(address, "") if address else said


def _cause(together: Sequence[Fate], names: Mapping[str, str]) -> list[str]:
    """The recipients of one cause, why, what the other system said, and what to do."""
    first = together[0]
    lines = [f"  {_recipient(fate.address, names)}" for fate in together[:MOST_NAMED]]
    if len(together) > MOST_NAMED:
        lines.append(f"  and {len(together) - MOST_NAMED} more")
    explanation = explain(first.status)
    lines.append(wrapped(writing.one_line(first.cause) or explanation.why, "    "))
    if first.diagnostic:
        of_whom = "" if all(fate.diagnostic == first.diagnostic for fate in together) else " of the first of them"
        lines.append(wrapped(f"The other system said{of_whom}: {writing.one_line(first.diagnostic)[:600]}", "    "))
    if first.action == "failed":
        lines.append(wrapped(f"What you can do: {explanation.advice}", "    "))
    return lines


def _recipient(address: str, names: Mapping[str, str]) -> str:
    shown = writing.one_line(address)[:512]
    name = writing.one_line(names.get(address, ""))[:100]
    return f"{name} <{shown}>" if name else shown


def _what_now(action: str, retry_until: float | None) -> list[str]:
    if action == "failed":
        return [wrapped("It will not be tried again for these recipients.")]
    if action == "delayed":
        until = f" until {writing.date_in_words(retry_until)}" if retry_until is not None else ""
        return [wrapped(f"It is kept and will be tried again{until}. You need not do anything.")]
    return []


def _reference(fates: Sequence[Fate], about: About, host: str) -> str:
    statuses = sorted({status_or_unknown(fate.status) for fate in fates})
    shown = ", ".join(statuses[:MOST_STATUSES]) + (" and others" if len(statuses) > MOST_STATUSES else "")
    lines = [f"Reference: {about.trace} at {host}, status {shown}"]
    identity = writing.message_id(about.message_id)
    if identity:
        lines.append(f"Message-ID: {identity}")
    return "\n".join(lines)

