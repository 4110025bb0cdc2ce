"""LIST: what folders there are (RFC 3501, 6.3.8; 3348 CHILDREN; 5258 LIST-EXTENDED).

An extension adds selections with `LIST_SELECTIONS = {"SPECIAL-USE": None}` (what it selects is `listing.Wanted`'s) and
return options with `LIST_RETURNS = {"STATUS": (session, reader) -> Extra | None}`, which reads what follows the word.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import replace

from unitymail.imap import listing
from unitymail.imap.listing import Listed, Manner, Wanted
from unitymail.imap.registry import Done, command
from unitymail.imap.session import Session
from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.pattern import Pattern
from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.store import FolderInfo, IAccount, NoSuchFolder

CAPABILITIES = ("CHILDREN", "LIST-EXTENDED")
LIST_SELECTIONS = {"SUBSCRIBED": None, "REMOTE": None, "RECURSIVEMATCH": None}
LIST_RETURNS = {"SUBSCRIBED": None, "CHILDREN": None}

MOST_PATTERNS = 100
AT_ONCE = 20
"""So many folders are looked at before the client hears of them."""

Extra = Callable[[FolderInfo], bytes]
"""Further untagged responses for a folder that can be selected and satisfies the selections; called in a thread."""


@command("LIST")
async def list_folders(session: Session, reader: Reader) -> Done:
    selections = _selections(session, reader)
    reference = reader.list_pattern()
    reader.space()
    spelled, several = _patterns(reader)
    returns = _returns(session, reader)
    reader.end()
    extended = selections is not None or several or returns is not None
    if not extended and spelled == [b""]:
        session.send(_root(reference, session.utf8))
        return Done("LIST completed")
    wanted = _wanted(selections or set(), [Pattern(reference + one) for one in spelled if one])
    manner = Manner(
        extended=extended or session.rev2,
        subscribed=wanted.subscribed or "SUBSCRIBED" in (returns or {}),
        utf8=session.utf8,
    )
    listed = await session.run(_chosen, session.account, wanted)
    await _send(session, listed, manner, [extra for extra in (returns or {}).values() if extra is not None])
    return Done("LIST completed")


def _selections(session: Session, reader: Reader) -> set[str] | None:
    """`(SUBSCRIBED RECURSIVEMATCH) `; None when there is no list."""
    if not reader.take(b"("):
        return None
    found: set[str] = set()
    known = session.door.registry.gathered("LIST_SELECTIONS")
    while not reader.take(b")"):
        if found:
            reader.space()
        found.add(_option(reader, known))
    reader.space()
    if "RECURSIVEMATCH" in found and "SUBSCRIBED" not in found:
        raise BadSyntax("RECURSIVEMATCH needs SUBSCRIBED beside it")
    return found


def _option(reader: Reader, known: Container[str]) -> str:
    option = reader.atom().upper()
    if option not in known:
        raise BadSyntax(f"There is no option {option[:40]}")
    return option


def _patterns(reader: Reader) -> tuple[list[bytes], bool]:
    """The patterns as spelled, and whether they came in a list."""
    if not reader.take(b"("):
        return [reader.list_pattern()], False
    found = [reader.list_pattern()]
    while not reader.take(b")"):
        reader.space()
        found.append(reader.list_pattern())
        if len(found) > MOST_PATTERNS:
            raise BadSyntax(f"LIST takes {MOST_PATTERNS} patterns at most")
    return found, True


def _returns(session: Session, reader: Reader) -> dict[str, Extra | None] | None:
    """` RETURN (CHILDREN STATUS (MESSAGES))`, an option that comes twice once; None when there is none."""
    if not reader.take(b" RETURN "):
        return None
    reader.expect(b"(")
    known = session.door.registry.gathered("LIST_RETURNS")
    found: dict[str, Extra | None] = {}
    while not reader.take(b")"):
        if found:
            reader.space()
        option = _option(reader, known)
        read = known[option]
        extra = read(session, reader) if read is not None else None
        found.setdefault(option, extra)
    return found


def _wanted(selections: set[str], patterns: Sequence[Pattern]) -> Wanted:
    return Wanted(
        patterns,
        subscribed="SUBSCRIBED" in selections,
        special="SPECIAL-USE" in selections,
        recursive="RECURSIVEMATCH" in selections,
    )


def _root(reference: bytes, utf8: bool) -> bytes:
    """The answer to an empty pattern: the separator, and the root of the reference (RFC 3501, 6.3.8)."""
    root, slash, _ = reference.decode().partition("/")
    return b'* LIST (\\Noselect) "/" %b\r\n' % (response.mailbox(root + slash, utf8=utf8) if slash else b'""')


def _chosen(account: IAccount, wanted: Wanted) -> list[Listed]:
    return listing.chosen(account.folders(), account.subscriptions() if wanted.subscribed else (), wanted)


async def _send(session: Session, listed: list[Listed], manner: Manner, extras: list[Extra]) -> None:
    step = AT_ONCE if extras else len(listed) or 1
    for first in range(0, len(listed), step):
        session.send(await session.run(_octets, listed[first : first + step], manner, extras))
        await session.drained()
        session.progress(min(first + step, len(listed)), len(listed))


def _octets(listed: list[Listed], manner: Manner, extras: list[Extra]) -> bytes:
    return b"".join(_told(one, manner, extras if one.info.selectable and one.itself else ()) for one in listed)


def _told(one: Listed, manner: Manner, extras: Sequence[Extra]) -> bytes:
    """The LIST response and what follows it.

    What has just gone cannot be selected; what cannot be told for other reasons is left out (RFC 5819, 2; 9590, 3).
    """
    lines = []
    for extra in extras:
        try:
            lines.append(extra(one.info))
        except NoSuchFolder:
            return listing.line(replace(one, info=replace(one.info, selectable=False)), manner)
        except Trouble:
            continue
    return listing.line(one, manner) + b"".join(lines)
