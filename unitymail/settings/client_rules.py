"""Which IMAP capabilities are kept from which programs: `name=Outlook*: QRESYNC NOTIFY; name=Mail, os=iOS*: NOTIFY`.

A rule has conditions on what a program says of itself (ID, RFC 2971), all of which have to be met, and after a colon
the capabilities that it cannot bear. Knows rules and how they are written; refuses to know sessions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

NEVER_HIDDEN = frozenset({"IMAP4REV1", "LOGINDISABLED", "STARTTLS"})
"""Without these a program would not know what it speaks with, or send a password in the clear."""

_CONDITION = re.compile(r"\s*([A-Za-z0-9_-]{1,30})\s*=\s*(\S(?:.*\S)?)\s*")
_CAPABILITY = re.compile(r"[A-Za-z0-9=+._-]{1,60}")


@dataclass(frozen=True, slots=True)
class ClientRule:
    """`conditions` are fields of ID (in lower case) with patterns for their values; `hidden` are in upper case."""

    conditions: tuple[tuple[str, re.Pattern[str]], ...]
    hidden: frozenset[str]

    def fits(self, client_id: Mapping[str, str]) -> bool:
        return all(pattern.fullmatch(client_id.get(field, "")) for field, pattern in self.conditions)


@lru_cache(maxsize=64)
def parse(text: str) -> tuple[ClientRule, ...]:
    """The rules of a setting; raises ValueError with what is wrong."""
    return tuple(_rule(part) for part in text.split(";") if part.strip())


def _rule(text: str) -> ClientRule:
    described, colon, words = text.rpartition(":")
    if not colon or not words.strip():
        raise ValueError(f"{text.strip()!r} needs capabilities after a colon, as in `name=Outlook*: QRESYNC`")
    hidden = frozenset(word.upper() for word in words.split())
    for word in sorted(hidden):
        if not _CAPABILITY.fullmatch(word):
            raise ValueError(f"{word!r} is no capability")
        if word in NEVER_HIDDEN:
            raise ValueError(f"{word} cannot be hidden")
    return ClientRule(tuple(_condition(one) for one in described.split(",")), hidden)


def _condition(text: str) -> tuple[str, re.Pattern[str]]:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text.strip()!r} is not like `name=Outlook*`")
    return found[1].lower(), _pattern(found[2])


def _pattern(text: str) -> re.Pattern[str]:
    """`*` is anything; letter case means nothing. What a `*` has passed over is not tried again."""
    first, *others = re.split(r"\*+", text)
    if not others:
        return re.compile(re.escape(first), re.IGNORECASE)
    *middle, last = others
    passed = [f"(?>.*?{re.escape(part)})" for part in middle]
    return re.compile("".join([re.escape(first), *passed, ".*", re.escape(last)]), re.IGNORECASE | re.DOTALL)


def hidden(rules: Iterable[ClientRule], client_id: Mapping[str, str]) -> frozenset[str]:
    """What is kept from a program that says this of itself, in upper case."""
    return frozenset().union(*(rule.hidden for rule in rules if rule.fits(client_id)))
