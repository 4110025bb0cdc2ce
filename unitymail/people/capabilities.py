"""Which IMAP capabilities a user's programs are offered unlike others: a word hides one, `+` and a word gives one.

Knows the two kinds in one list, as directories keep it; refuses to know capabilities by name.
"""

from __future__ import annotations

from collections.abc import Iterable

GIVEN = "+"


def hidden(rules: Iterable[str]) -> tuple[str, ...]:
    return tuple(rule for rule in rules if not rule.startswith(GIVEN))


def given(rules: Iterable[str]) -> tuple[str, ...]:
    return tuple(rule.removeprefix(GIVEN) for rule in rules if rule.startswith(GIVEN))


def rules_of(hide: Iterable[str], give: Iterable[str]) -> tuple[str, ...]:
    return (*hide, *(GIVEN + word for word in give))
