"""Who wants to know that a message was heard: noted when it comes, owed when a client has read or deleted it.

Knows the tables `receipts`, `owed` and `read_before`; refuses to know what a receipt looks like and how it gets out:
the courier takes what is owed, and says when it is on its way.

*Note: at most one.* A row of `receipts` belongs to the content, so that copies share it. It is taken in the
transaction that sets \\Seen and $MDNSent and adds the row of `owed`; whoever takes it owes, and nobody else. The row of
`owed` goes once the receipt is durable in the spool, where its trace, made of message and account, keeps a second away.

*Note: not heard.* Who was shown the withheld form of a message has not heard it: reading it owes nothing. The row of
`receipts` stays, and the sender learns that it was deleted unheard, unless it is shown one day and then read.

*Note: the cheap way.* That a message asks stands in its file's name. A folder without such messages pays one look at
an empty table for a STORE, whatever the number of messages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Literal

from unitymail.interfaces.store import Owed
from unitymail.mail.disposition import asked_of
from unitymail.mail.report_parts import MOST_HEADER
from unitymail.policy.withholding import NOTHING
from unitymail.store import rendering
from unitymail.store.chosen import chosen
from unitymail.store.index import Index
from unitymail.store.maildir import asks_receipt, trace_of
from unitymail.store.schema import UID_MASK
from unitymail.store.withholding import in_force

if TYPE_CHECKING:
    from unitymail.store.folder import Folder
    from unitymail.store.inserting import Arrival

Kind = Literal["displayed", "deleted", "expired"]
SEEN, SENT = "\\Seen", "$MDNSent"


@dataclass(frozen=True, slots=True)
class Wish:
    """A message that asks. `header` is b"" when it is settled: none may be sent on its own, or the client sends it."""

    content: int
    trace: str
    header: bytes


_Asking = tuple[int, int, str]
"""id, content, trace"""


@dataclass(slots=True)
class News:
    """What a change of flags comes to: ids that got \\Seen, and whether a receipt is owed now."""

    seen: list[int] = field(default_factory=list)
    owed: bool = False


def register(index: Index, arrivals: Iterable[tuple[int, Arrival]]) -> None:
    """Note which of these new contents ask; inside a transaction. What is read already asks no more."""
    asking = [
        (content, trace)
        for content, one in arrivals
        if asks_receipt(one.base) and SEEN not in one.flags and (trace := trace_of(one.base))
    ]
    if asking:
        index.many("INSERT OR IGNORE INTO receipts VALUES (?, ?)", asking)


def are_asked_for(index: Index) -> bool:
    """Whether any message of the account asks."""
    return index.one("SELECT 1 FROM receipts LIMIT 1") is not None


def wishes(folder: Folder, index: Index, ids: Sequence[int], *, settled: bool = False) -> dict[int, Wish]:
    """Those of `ids` that ask and can be heard, with what their files say; outside a transaction.

    settled: a client has answered, whatever it was shown.
    """
    rows = _asking(index, ids)
    if settled:
        return {id: Wish(content, trace, b"") for id, content, trace in rows}
    withheld = _withheld(folder, index, [id for id, _, _ in rows])
    return _with_headers(folder, index, [row for row in rows if row[0] not in withheld])


def _with_headers(folder: Folder, index: Index, rows: list[_Asking]) -> dict[int, Wish]:
    return {id: Wish(content, trace, _header(folder, index, id)) for id, content, trace in rows}


def _withheld(folder: Folder, index: Index, ids: list[int]) -> set[int]:
    """Those of `ids` whose contents nobody can have heard."""
    if not ids:
        return set()
    if in_force(index).withholding != NOTHING:
        rendering.decide(folder, index, ids)
    return {id for (id,) in index.all(f"SELECT id FROM facts WHERE withheld <> 0 AND id IN {chosen()}", str(ids))}


def _asking(index: Index, ids: Sequence[int]) -> list[_Asking]:
    count = index.one("SELECT count(*) FROM (SELECT 1 FROM receipts LIMIT ?)", len(ids))[0]
    if not count:
        return []
    tables = "facts CROSS JOIN receipts" if count >= len(ids) else "receipts CROSS JOIN facts"
    return index.all(
        f"SELECT facts.id, content, trace FROM {tables} USING (content) WHERE facts.id IN " + chosen(), str(list(ids))
    )


def _header(folder: Folder, index: Index, id: int) -> bytes:
    asked = asked_of(rendering.beginning(folder, index, id & UID_MASK, 2 * MOST_HEADER))
    return b"" if asked is None else asked.header[: 2 * MOST_HEADER]


def owe(
    index: Index, wanted: Mapping[int, Wish], ids: Collection[int], kind: Kind, now: float
) -> list[int]:
    """Owe receipts for those of `ids` that ask and that nobody answered; the ids. Inside a transaction."""
    owing = []
    for id in ids if len(ids) < len(wanted) else wanted:
        wish = wanted.get(id)
        if wish is None or id not in ids:
            continue
        if index.one("DELETE FROM receipts WHERE content = ? RETURNING 1", wish.content) and wish.header:
            index.execute(
                "INSERT OR IGNORE INTO owed VALUES (?, ?, ?, ?, ?)", wish.content, kind, now, wish.trace, wish.header
            )
            owing.append(id)
    return owing


def owe_deleted(
    index: Index, wanted: Mapping[int, Wish], ids: Collection[int], now: float, kind: Kind = "deleted"
) -> bool:
    """As `owe`, for messages about to leave unheard; a copy that stays may still be heard."""
    some = str(list(ids))
    gone = {
        id
        for id, wish in wanted.items()
        if id in ids
        and not index.one(
            "SELECT 1 FROM facts JOIN messages USING (id) WHERE content = ? AND id NOT IN " + chosen(),
            wish.content, some,
        )
    }
    return bool(owe(index, wanted, gone, kind, now))


def unheard(folder: Folder, index: Index, uids: Iterable[int]) -> dict[int, Wish]:
    """Those of these messages that ask and that nobody has heard; outside a transaction."""
    if not are_asked_for(index):
        return {}
    snapshot, wanted = folder.snapshot, set(uids)
    unanswered = {number: SEEN in flags for number, flags in enumerate(snapshot.combinations) if SENT not in flags}
    first = folder.ids()[0]
    read = {
        first | uid: unanswered[number]
        for uid, number in zip(snapshot.uids, snapshot.flags, strict=True)
        if number in unanswered and uid in wanted
    }
    asking = _asking(index, list(read))
    not_heard = _withheld(folder, index, [id for id, _, _ in asking if read[id]]) | _marked_by_age(index, asking)
    return _with_headers(folder, index, [row for row in asking if not read[row[0]] or row[0] in not_heard])


def _marked_by_age(index: Index, asking: list[_Asking]) -> set[int]:
    """Those that nobody has read: they were marked as read because they are old."""
    contents = str([content for _, content, _ in asking])
    found = index.all(f"SELECT content FROM marked_by_age WHERE content IN {chosen()}", contents)
    marked = {content for (content,) in found}
    return {id for id, content, _ in asking if content in marked}


def unread_again(index: Index, ids: Sequence[int]) -> None:
    """A client takes \\Seen away: reading these once more is not the first time. Inside a transaction."""
    index.execute(
        "INSERT OR IGNORE INTO read_before SELECT content FROM facts WHERE id IN " + chosen(), str(list(ids))
    )


def are_owed(index: Index, before: float = inf) -> bool:
    """Whether any are, since a moment earlier than that."""
    return index.one("SELECT 1 FROM owed WHERE at < ? LIMIT 1", before) is not None


def owed(index: Index, most: int) -> list[Owed]:
    """The oldest that are not on their way yet."""
    return [Owed(*row) for row in index.all("SELECT * FROM owed ORDER BY at, content LIMIT ?", most)]


def paid(index: Index, number: int) -> bool:
    """The receipt is on its way, or never will be; durable on return. Whether it was owed still."""
    with index.changing(durable=True):
        return index.execute("DELETE FROM owed WHERE content = ?", number).rowcount > 0


def traces_of(index: Index, ids: Sequence[int]) -> list[str]:
    """The traces in the names of these messages, of those that our deliveries made and nobody had read before."""
    bases = index.all(
        "SELECT base FROM files JOIN facts USING (id) WHERE id IN " + chosen()
        + " AND content NOT IN (SELECT content FROM read_before)",
        str(list(ids)),
    )
    return [trace for (base,) in bases if (trace := trace_of(base))]
