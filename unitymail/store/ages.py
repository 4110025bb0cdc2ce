"""How old messages are: what an index has to remember so that their age can be told, and how it is read from it.

Knows the tables `moments`, `bins`, `marked_by_age` and `recordings`; refuses to know what becomes of old messages.

*Note: changed.* An index keeps of each message the number of its last change, not when that was. So it is noted now
and then which number had been reached by when (`moments`): while the account is open, and when it is closed. A message
counts as changed when its number is first known to have been reached: later than it was, by an hour at most.

*Note: bins.* Deleted Items, and the folders below it, count the days of what they hold from when they became that: a
folder that somebody moves below it, or whose use is changed, does not lose at once what has been in it for years.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitymail.interfaces.store import FolderExists
from unitymail.mail.expired import is_expired
from unitymail.mail.message import Category
from unitymail.mail.report_parts import header_of
from unitymail.mail.secrecy import Secrecy
from unitymail.mail.trace import first_trace_field
from unitymail.policy.aging import DAY_S, TOUCHED, Aged, Place
from unitymail.store.chosen import chosen
from unitymail.store.content import Content
from unitymail.store.finding import found
from unitymail.store.index import Index
from unitymail.store.maildir import is_own, trace_of
from unitymail.store.schema import UID_MASK
from unitymail.store.withholding import keep_secrecy

if TYPE_CHECKING:
    from mmap import mmap

    from unitymail.store.account import Account
    from unitymail.store.folder import Folder

TRASH = "\\Trash"
HOURLY_FOR_S = 30 * DAY_S
NO_RECORDING, RECORDING, EXPIRED = 0, 1, 2
"""What `recordings.state` says of a content."""
MOST_HEADER = 256 * 1024
_SECURE = 2
_SEEN = "\\Seen"
_ROWS = (
    "SELECT id, flags, modseq, date, saved, content, base, marks, state,"
    " EXISTS (SELECT 1 FROM marked_by_age WHERE marked_by_age.content = facts.content),"
    " EXISTS (SELECT 1 FROM read_before WHERE read_before.content = facts.content)"
    " FROM messages CROSS JOIN facts USING (id) CROSS JOIN files USING (id)"
    " LEFT JOIN secrecy USING (content) LEFT JOIN recordings USING (content)"
)


@dataclass(frozen=True, slots=True)
class Message:
    """A row, before it is known what the rules want to know of it. `marks` and `state` may be None: nobody looked."""

    id: int
    flags: int
    modseq: int
    date: int
    saved: int
    content: int
    base: bytes
    marks: int | None
    state: int | None
    marked_by_age: bool
    read_before: bool


class Moments:
    """When changes were made: the moment by which a number had been reached, `otherwise` for those after the last."""

    def __init__(self, index: Index, otherwise: float) -> None:
        rows = index.all("SELECT modseq, at FROM moments ORDER BY modseq")
        self._modseqs = array("q", (modseq for modseq, _ in rows))
        self._at = array("q", (at for _, at in rows))
        self._otherwise = otherwise

    def of(self, modseq: int) -> float:
        place = bisect_left(self._modseqs, modseq)
        return self._at[place] if place < len(self._at) else self._otherwise


def note(index: Index, now: float) -> None:
    """Remember which changes were made by now, and which folders are Deleted Items since when."""
    note_moment(index, now)
    wanted, known = _bins(index), {folder for (folder,) in index.all("SELECT folder FROM bins")}
    if wanted != known:
        with index.changing():
            index.many("DELETE FROM bins WHERE folder = ?", [(folder,) for folder in known - wanted])
            index.many("INSERT OR IGNORE INTO bins VALUES (?, ?)", [(folder, int(now)) for folder in wanted - known])


def note_moment(index: Index, now: float) -> None:
    reached = index.one("SELECT modseq FROM counters")[0]
    if reached > (index.one("SELECT max(modseq) FROM moments")[0] or 0):
        with index.changing():
            index.execute("INSERT OR REPLACE INTO moments VALUES (?, ?)", reached, int(now))


def forget(index: Index, now: float) -> None:
    """Of days long ago one moment each is enough."""
    with index.changing():
        index.execute(
            "DELETE FROM moments WHERE at < ? AND modseq NOT IN (SELECT max(modseq) FROM moments GROUP BY at / ?)",
            int(now - HOURLY_FOR_S), DAY_S,
        )  # fmt: skip


def _bins(index: Index) -> set[int]:
    rows = index.all("SELECT id, name, special_use FROM folders WHERE directory <> x''")
    names = tuple(name for _, name, uses in rows if TRASH in uses.split())
    below = tuple(f"{name}/" for name in names)
    return {id for id, name, _ in rows if name in names or name.startswith(below)}


def bins(index: Index) -> dict[int, int]:
    """{folder: since when it is Deleted Items, or below it}"""
    return dict(index.all("SELECT folder, since FROM bins"))


def rows(index: Index, where: str, *values: object) -> list[Message]:
    """In the order of their ids."""
    return [Message(*row[:-2], *map(bool, row[-2:])) for row in index.all(f"{_ROWS} WHERE {where}", *values)]


def seen_by(folder: Folder, index: Index, message: Message, *, moments: Moments, since: int | None) -> Aged:
    """The message as the rules see it; `since`: from when on its folder is Deleted Items, None when it is not."""
    inbox = not folder.row.directory
    flags = index.flags_of(message.flags)
    marked = flags & TOUCHED - (frozenset({_SEEN}) if message.marked_by_age else frozenset())
    return Aged(
        Place.INBOX if inbox else Place.ELSEWHERE if since is None else Place.DELETED,
        seen=_SEEN in flags,
        touched=bool(marked) or message.read_before or not inbox,
        secure=bool((message.marks or 0) & _SECURE),
        recording=message.state == RECORDING,
        changed=max(moments.of(message.modseq), message.saved),
        came=max(message.saved, since or 0),
        arrived=min(message.date, message.saved),
    )


def learn(folder: Folder, index: Index, messages: Sequence[Message]) -> None:
    """Look into the files of those of which it is not known whether they are secure, or recordings."""
    secret: list[tuple[int, Secrecy]] = []
    states: list[tuple[int, int]] = []
    for message in messages:
        if message.marks is not None and message.state is not None:
            continue
        file = found(folder, index, message.id & UID_MASK)
        if file is None:
            continue
        try:
            base, buffer = file
            secret.append((message.content, folder.account.withholder.secrecy(buffer, ours=bool(trace_of(base)))))
            states.append((message.content, _state(base, buffer)))
        finally:
            Content(file[1]).close()
    with index.changing():
        keep_secrecy(index, secret)
        index.many("INSERT OR REPLACE INTO recordings VALUES (?, ?)", states)


def _state(base: bytes, buffer: bytes | mmap) -> int:
    """What users bring themselves is no recording that anybody left them."""
    trace = None if is_own(base) else first_trace_field(header_of(bytes(buffer[:MOST_HEADER])))
    if trace is None or trace.category != Category.VOICE.value:
        return NO_RECORDING
    return EXPIRED if is_expired(buffer) else RECORDING


def bin_of(account: Account, index: Index) -> Folder:
    """The folder for deleted messages, made when there is none; under the write lock."""
    row = index.one(
        "SELECT name FROM folders WHERE instr(' ' || special_use || ' ', ?) AND directory <> x''", f" {TRASH} "
    )
    if row is not None:
        return account.folder(row[0])
    name = "Deleted Items"
    with suppress(FolderExists):
        return account.create(name, TRASH)
    return account.folder(name)


def still_as_seen(index: Index, ids: Sequence[int], modseq: int) -> list[int]:
    """Those of these messages that are there, and that nobody has changed after `modseq`; inside a transaction."""
    found = index.all(f"SELECT id FROM messages WHERE modseq <= ? AND id IN {chosen()}", modseq, str(list(ids)))
    return [id for (id,) in found]
