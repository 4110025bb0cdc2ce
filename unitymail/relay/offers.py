"""What a server offers in its answer to EHLO, as a value. Refuses to know what use is made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_digits = re.compile(r"[0-9]{1,15}").fullmatch


@dataclass(frozen=True, slots=True)
class Offers:
    """`size` is the octets of the largest message, 0 when not told; likewise `most_recipients` of a transaction and
    `most_messages` of a connection (RFC 9422). `deliver_by` is the least number of seconds (RFC 2852), None without.
    """

    pipelining: bool = False
    chunking: bool = False
    eight_bit: bool = False
    utf8: bool = False
    dsn: bool = False
    require_tls: bool = False
    unitymail: bool = False
    priority: bool = False
    sized: bool = False
    size: int = 0
    deliver_by: int | None = None
    most_recipients: int = 0
    most_messages: int = 0
    mechanisms: tuple[str, ...] = ()


NOTHING = Offers()


def words_of(text: str) -> dict[str, str]:
    """The keywords of an EHLO reply in capitals, with their parameters; its first line is the greeting."""
    words: dict[str, str] = {}
    for line in text.split("\n")[1:]:
        # `AUTH=PLAIN` is how it was before RFC 2554, and is still said beside the proper line.
        keyword, _, parameters = line.strip().partition(" ")
        if keyword:
            words.setdefault(keyword.upper(), parameters.strip())
    return words


def offers_of(words: dict[str, str]) -> Offers:
    limits = dict(pair.upper().split("=", 1) for pair in words.get("LIMITS", "").split() if "=" in pair)
    return Offers(
        pipelining="PIPELINING" in words,
        chunking="CHUNKING" in words,
        eight_bit="8BITMIME" in words,
        utf8="SMTPUTF8" in words,
        dsn="DSN" in words,
        require_tls="REQUIRETLS" in words,
        unitymail="XUNITYMAIL" in words,
        priority="MT-PRIORITY" in words,
        sized="SIZE" in words,
        size=_number(words.get("SIZE", "")),
        deliver_by=_number(words["DELIVERBY"]) if "DELIVERBY" in words else None,
        most_recipients=_number(limits.get("RCPTMAX", "")),
        most_messages=_number(limits.get("MAILMAX", "")),
        mechanisms=tuple(words.get("AUTH", "").upper().split()),
    )


def _number(text: str) -> int:
    return int(text) if _digits(text) else 0
