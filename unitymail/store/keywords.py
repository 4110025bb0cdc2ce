"""Flags as clients spell them, and the keywords a folder knows.

Knows the system flags, case and the limit of keywords; refuses to know messages. A keyword keeps the case in which the
account saw it first.
"""

from __future__ import annotations

from collections.abc import Iterable

from unitymail.interfaces.errors import Never
from unitymail.interfaces.store import MAX_KEYWORDS, SYSTEM_FLAGS, TooManyKeywords
from unitymail.store.index import Index

KNOWN = ("$MDNSent", "$Forwarded", "$Junk", "$NotJunk", "$Phishing")
_CANONICAL = {flag.lower(): flag for flag in (*SYSTEM_FLAGS, *KNOWN)}


def keywords_of(index: Index, folder: int) -> tuple[str, ...]:
    """The keywords of a folder: those known from the start, then its own."""
    return KNOWN + tuple(name for (name,) in index.all("SELECT name FROM keywords WHERE folder = ?", folder))


def canonical(index: Index, flags: Iterable[str]) -> frozenset[str]:
    """The flags in the account's spelling; \\Recent is left out, for nobody can set it."""
    return frozenset(_spelled(index, flag) for flag in flags if flag.lower() != "\\recent")


def _spelled(index: Index, flag: str) -> str:
    known = _CANONICAL.get(flag.lower())
    if known is not None:
        return known
    if flag.startswith("\\") or not flag or any(c <= " " or c == "\x7f" for c in flag):
        raise Never(why=f"{flag!r} is no flag that a message can have")
    found = index.one("SELECT name FROM keywords WHERE name = ? LIMIT 1", flag)
    return found[0] if found else flag


def fitting(index: Index, folder: int, flags: Iterable[str]) -> frozenset[str]:
    """Flags that another program gave, in the account's spelling, without the keywords that are too many."""
    spelled = canonical(index, flags)
    keywords = sorted(flag for flag in spelled if flag not in _CANONICAL.values())
    if not keywords:
        return spelled
    known = {name.lower() for name in keywords_of(index, folder)}
    new = [keyword for keyword in keywords if keyword.lower() not in known]
    return spelled.difference(new[max(MAX_KEYWORDS - len(known), 0) :])


def add_keywords(index: Index, folder: int, flags: Iterable[str]) -> None:
    """Let the folder know these keywords; inside a transaction. Raises TooManyKeywords."""
    known = {name.lower() for name in keywords_of(index, folder)}
    new = {flag.lower(): flag for flag in flags if not flag.startswith("\\") and flag.lower() not in known}
    if len(known) + len(new) > MAX_KEYWORDS:
        raise TooManyKeywords()
    index.many("INSERT INTO keywords VALUES (?, ?)", [(folder, name) for name in new.values()])
