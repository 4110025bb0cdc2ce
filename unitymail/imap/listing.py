"""Which names LIST shows, with which attributes, and how a LIST response looks (RFC 3501, 5258, 6154 and 9051).

Knows selection, ancestors and CHILDINFO; refuses to know the command's grammar and where folders are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from unitymail.imap.wire import response
from unitymail.imap.wire.pattern import Pattern
from unitymail.interfaces.store import FolderInfo


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a LIST asks for: names that a pattern covers, and that satisfy the selections.

    recursive: and those above what satisfies them (RECURSIVEMATCH).
    """

    patterns: Sequence[Pattern]
    subscribed: bool = False
    special: bool = False
    recursive: bool = False

    def covers(self, name: str) -> bool:
        octets = name.encode()
        return any(pattern.matches(octets) for pattern in self.patterns)

    def selects(self, info: FolderInfo) -> bool:
        return (info.subscribed or not self.subscribed) and bool(info.special_use or not self.special)


@dataclass(frozen=True, slots=True)
class Listed:
    """A name to be shown; `childinfo`: something below it satisfies the selections (RFC 5258, 3.5).

    itself: so does the name, which does not only stand for those below.
    """

    info: FolderInfo
    childinfo: bool = False
    itself: bool = True


@dataclass(frozen=True, slots=True)
class Manner:
    """How a client is to be told of names.

    extended: it knows of \\NonExistent (RFC 5258, 3). subscribed: it asked for \\Subscribed. utf8: RFC 6855.
    """

    extended: bool = False
    subscribed: bool = False
    utf8: bool = False


def chosen(folders: Iterable[FolderInfo], subscriptions: Iterable[str], wanted: Wanted) -> list[Listed]:
    """The names to be shown, INBOX first. `subscriptions` may name what is not there."""
    known = {info.name: info for info in folders}
    if wanted.subscribed:
        for name in subscriptions:
            known.setdefault(name, _absent(name, subscribed=True))
    selected = {name for name, info in known.items() if wanted.selects(info)}
    if not wanted.recursive:
        return [Listed(known[name]) for name in _in_order(selected) if wanted.covers(name)]
    covered = {name for name in selected if wanted.covers(name)}
    above = {parent for name in selected for parent in parents_of(name)}
    # Above what is not itself shown, a parent has to stand for it.
    needed = {parent for name in selected - covered for parent in parents_of(name)}
    shown = covered | {name for name in needed if wanted.covers(name)}
    return [Listed(known.get(name) or _absent(name), name in above, name in covered) for name in _in_order(shown)]


def _absent(name: str, *, subscribed: bool = False) -> FolderInfo:
    return FolderInfo(name, subscribed=subscribed, selectable=False)


def _in_order(found: Iterable[str]) -> list[str]:
    return sorted(found, key=lambda name: (name != "INBOX", name))


def parents_of(name: str) -> Iterator[str]:
    """`a/b/c` → `a`, `a/b`."""
    at = name.find("/")
    while at >= 0:
        yield name[:at]
        at = name.find("/", at + 1)


def line(listed: Listed, manner: Manner, *, old_name: str = "") -> bytes:
    """The LIST response; `old_name` is what the client, or somebody before, called it (RFC 9051, 6.3.9.7)."""
    info = listed.info
    items = []
    if listed.childinfo:
        items.append(b'"CHILDINFO" ("SUBSCRIBED")')
    if old_name:
        items.append(b'"OLDNAME" (%b)' % response.mailbox(old_name, utf8=manner.utf8))
    return b'* LIST (%b) "/" %b%b\r\n' % (
        " ".join(_attributes(info, manner)).encode("ascii"),
        response.mailbox(info.name, utf8=manner.utf8),
        b" (%b)" % b" ".join(items) if items else b"",
    )


def _attributes(info: FolderInfo, manner: Manner) -> Iterator[str]:
    # Attributes that cost nothing are given whether asked for or not.
    if not info.selectable:
        yield "\\NonExistent" if manner.extended else "\\Noselect"
    if manner.subscribed and info.subscribed:
        yield "\\Subscribed"
    yield "\\HasChildren" if info.has_children else "\\HasNoChildren"
    if info.special_use:
        yield info.special_use
