"""LIST, LSUB and NAMESPACE: what folders there are (RFC 3501, 6.3.8; 2342; 3348 CHILDREN; 6154 SPECIAL-USE)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unitymail.imap.registry import Done, command
from unitymail.imap.session import Session
from unitymail.imap.wire import names, response
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.pattern import Pattern
from unitymail.interfaces.store import FolderInfo

CAPABILITIES = ("CHILDREN", "NAMESPACE", "SPECIAL-USE")

SELECTIONS = frozenset({"SPECIAL-USE"})
RETURNS = frozenset({"SPECIAL-USE", "CHILDREN"})


@command("LIST")
async def list_folders(session: Session, reader: Reader) -> Done:
    wanted = _options(reader, SELECTIONS)
    if wanted is not None:
        reader.space()
    reference, spelled = _reference_and_pattern(reader)
    if reader.take(b" RETURN "):
        # Attributes cost nothing here and are given whether asked for or not.
        _options(reader, RETURNS)
    reader.end()
    if not spelled and wanted is None:
        session.send(_root(reference))
        return Done("LIST completed")
    pattern = Pattern(reference + spelled)
    found = [f for f in await session.run(session.account.folders) if pattern.matches(names.encode(f.name))]
    if wanted:
        found = [f for f in found if f.special_use]
    session.send(b"".join(_line(b"LIST", _attributes(f), f.name, session.utf8) for f in found))
    return Done("LIST completed")


@command("LSUB")
async def list_subscribed(session: Session, reader: Reader) -> Done:
    reference, spelled = _reference_and_pattern(reader)
    reader.end()
    subscribed, existing = await session.run(_subscriptions, session.account)
    pattern = Pattern(reference + spelled)
    lines = []
    for name, selectable in _subscribed(subscribed, existing, pattern):
        lines.append(_line(b"LSUB", () if selectable else ("\\Noselect",), name, session.utf8))
    session.send(b"".join(lines))
    return Done("LSUB completed")


@command("NAMESPACE")
async def namespace(session: Session, reader: Reader) -> Done:
    reader.end()
    session.send(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
    return Done("NAMESPACE completed")


def _options(reader: Reader, known: frozenset[str]) -> set[str] | None:
    """`(SPECIAL-USE)`; None when there is no list."""
    if not reader.take(b"("):
        return None
    found: set[str] = set()
    while not reader.take(b")"):
        if found:
            reader.space()
        option = reader.atom().upper()
        if option not in known:
            raise BadSyntax(f"There is no option {option[:40]}")
        found.add(option)
    return found


def _reference_and_pattern(reader: Reader) -> tuple[bytes, bytes]:
    reference = reader.list_pattern()
    reader.space()
    return reference, reader.list_pattern()


def _root(reference: bytes) -> bytes:
    """The answer to an empty pattern: the separator, and the root of the reference (RFC 3501, 6.3.8)."""
    root, slash, _ = reference.partition(b"/")
    return b'* LIST (\\Noselect) "/" %b\r\n' % (response.astring(root + slash) if slash else b'""')


def _attributes(folder: FolderInfo) -> Iterator[str]:
    if not folder.selectable:
        yield "\\Noselect"
    yield "\\HasChildren" if folder.has_children else "\\HasNoChildren"
    if folder.special_use:
        yield folder.special_use


def _line(verb: bytes, attributes: Iterable[str], name: str, utf8: bool) -> bytes:
    listed = " ".join(attributes).encode("ascii")
    return b'* %b (%b) "/" %b\r\n' % (verb, listed, response.mailbox(name, utf8=utf8))


def _subscriptions(account: object) -> tuple[list[str], set[str]]:
    subscribed = account.subscriptions()  # type: ignore[attr-defined]
    existing = {folder.name for folder in account.folders() if folder.selectable}  # type: ignore[attr-defined]
    return subscribed, existing


def _subscribed(subscribed: list[str], existing: set[str], pattern: Pattern) -> Iterator[tuple[str, bool]]:
    """(name, selectable) by name; a parent that `%` stops at stands for its subscribed children (RFC 3501, 6.3.9)."""
    shown: dict[str, bool] = {}
    for name in subscribed:
        if pattern.matches(names.encode(name)):
            shown[name] = name in existing
            continue
        levels = name.split("/")
        for depth in range(1, len(levels)):
            parent = "/".join(levels[:depth])
            if parent not in shown and pattern.matches(names.encode(parent)):
                shown[parent] = False
    yield from sorted(shown.items(), key=lambda entry: (entry[0] != "INBOX", entry[0]))
