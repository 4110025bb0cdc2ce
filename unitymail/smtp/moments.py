"""When a message may leave and when it must have arrived: FUTURERELEASE (RFC 4865) and DELIVERBY (RFC 2852).

Knows the grammar of their parameters, their bounds, and how the two go together; refuses to read a clock and to know
who may ask for what.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from unitymail.mail.reply import Reply
from unitymail.smtp.commands import BadSyntax

LONGEST_HOLD_S = 30 * 86_400
SHORTEST_BY_S = 10
"""Less than this nobody can promise to deliver in, or else return."""

BAD_HOLD = Reply(501, "5.5.4", "Say HOLDFOR=SECONDS, or HOLDUNTIL=2027-01-31T09:00:00Z")
ONE_HOLD = Reply(501, "5.5.4", "Say either HOLDFOR or HOLDUNTIL, not both")
HOLD_TOO_LONG = Reply(501, "5.5.4", f"A message is held for {LONGEST_HOLD_S // 86_400} days at most")
HOLD_IN_THE_PAST = Reply(501, "5.5.4", "HOLDUNTIL names a moment that is past")
BAD_BY = Reply(501, "5.5.4", "Say BY=SECONDS;N or BY=SECONDS;R, where R needs seconds above 0")
BY_TOO_SOON = Reply(555, "5.5.4", f"With BY=...;R a message has {SHORTEST_BY_S} seconds at least")
BY_BEFORE_RELEASE = Reply(501, "5.5.4", "The message would have to be delivered before it may be released")

_seconds = re.compile(r"[1-9][0-9]{0,8}").fullmatch
_moment = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:([Zz])|([+-]\d\d:\d\d))", re.ASCII
).fullmatch
_by = re.compile(r"([+-]?[0-9]{1,9});([NRnr])([Tt]?)").fullmatch


@dataclass(frozen=True, slots=True)
class By:
    """RFC 2852 4: seconds from MAIL on, what happens then, and whether each relay is to be reported."""

    seconds: int
    mode: Literal["N", "R"]
    trace: bool


def read_hold_for(value: str | None) -> int:
    """RFC 4865 4: a future-release-integer."""
    if not value or not _seconds(value):
        raise BadSyntax(BAD_HOLD)
    return int(value)


def read_hold_until(value: str | None) -> float:
    """RFC 4865 4 with erratum 2040: a date-time of RFC 3339, as Unix seconds."""
    found = _moment(value or "")
    if not found:
        raise BadSyntax(BAD_HOLD)
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{_second(found[2])}{found[4] or '+00:00'}")
        return moment.timestamp()
    except (ValueError, OverflowError):
        raise BadSyntax(BAD_HOLD)


def _second(time: str) -> str:
    """A leap second counts as the one before."""
    return time[:-2] + "59" if time.endswith(":60") else time


def read_by(value: str | None) -> By:
    """RFC 2852 4: by-time, by-mode and by-trace."""
    found = _by(value or "")
    if not found:
        raise BadSyntax(BAD_BY)
    by = By(int(found[1]), "R" if found[2] in "Rr" else "N", bool(found[3]))
    if by.mode == "R" and by.seconds <= 0:
        raise BadSyntax(BAD_BY)
    return by


def settle_moments(fields: dict[str, Any], now: float) -> None:
    """What the client counts from now, as Unix seconds: the fields of an envelope. Raises BadSyntax."""
    if "hold_for" in fields and "hold_until" in fields:
        raise BadSyntax(ONE_HOLD)
    if "hold_for" in fields:
        fields["hold_until"] = now + fields.pop("hold_for")
    until = fields.get("hold_until")
    if until is not None and until <= now:
        raise BadSyntax(HOLD_IN_THE_PAST)
    if until is not None and until > now + LONGEST_HOLD_S:
        raise BadSyntax(HOLD_TOO_LONG)
    if "by" in fields:
        _settle_by(fields, fields.pop("by"), now)


def _settle_by(fields: dict[str, Any], by: By, now: float) -> None:
    if by.mode == "R" and by.seconds < SHORTEST_BY_S:
        raise BadSyntax(BY_TOO_SOON)
    if now + by.seconds <= fields.get("hold_until", 0):
        raise BadSyntax(BY_BEFORE_RELEASE)
    fields.update(deliver_by=now + by.seconds, deliver_by_mode=by.mode, deliver_by_trace=by.trace)


def future_release(now: float) -> str:
    """What EHLO says of FUTURERELEASE at this moment."""
    latest = datetime.fromtimestamp(int(now) + LONGEST_HOLD_S, UTC)
    return f"FUTURERELEASE {LONGEST_HOLD_S} {latest:%Y-%m-%dT%H:%M:%SZ}"
