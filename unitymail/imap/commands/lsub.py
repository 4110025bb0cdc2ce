"""LSUB: what folders are subscribed (RFC 3501, 6.3.9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unitymail.imap.listing import parents_of
from unitymail.imap.registry import Done, command
from unitymail.imap.session import Session
from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.pattern import Pattern
from unitymail.interfaces.store import IAccount


@command("LSUB")
async def list_subscribed(session: Session, reader: Reader) -> Done:
    reference = reader.list_pattern()
    reader.space()
    pattern = Pattern(reference + reader.list_pattern())
    reader.end()
    session.send(await session.run(_octets, session.account, pattern, session.utf8))
    return Done("LSUB completed")


def _octets(account: IAccount, pattern: Pattern, utf8: bool) -> bytes:
    existing = {folder.name for folder in account.folders() if folder.selectable}
    return b"".join(
        b'* LSUB (%b) "/" %b\r\n' % (b"" if selectable else b"\\Noselect", response.mailbox(name, utf8=utf8))
        for name, selectable in _subscribed(account.subscriptions(), existing, pattern)
    )


def _subscribed(subscribed: Iterable[str], existing: set[str], pattern: Pattern) -> Iterator[tuple[str, bool]]:
    """(name, selectable) by name; a parent that `%` stops at stands for its subscribed children (RFC 3501, 6.3.9)."""
    shown: dict[str, bool] = {}
    for name in subscribed:
        if pattern.matches(name.encode()):
            shown[name] = name in existing
            continue
        for parent in parents_of(name):
            if parent not in shown and pattern.matches(parent.encode()):
                shown[parent] = False
    yield from sorted(shown.items(), key=lambda entry: (entry[0] != "INBOX", entry[0]))
