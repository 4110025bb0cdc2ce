"""New rows: messages get their UIDs, in the order given. Refuses to know where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from time import gmtime
from typing import TYPE_CHECKING

from unitymail.policy.withholding import Withholding
from unitymail.store import receipts
from unitymail.store.index import Index
from unitymail.store.keywords import add_keywords
from unitymail.store.maildir import CUR, arrival, claimed, suffix_for
from unitymail.store.withholding import in_force, shows_at_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unitymail.store.folder import Folder

_LAST_SECOND = 253_402_300_799
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file to become a message. `date`: Unix seconds; `octets`: of the file."""

    base: bytes
    seen: bytes
    flags: frozenset[str]
    date: int
    octets: int

    @property
    def order(self) -> tuple[int, int, bytes]:
        return arrival(self.base, self.date)

    def size(self, rule: Withholding) -> int | None:
        """RFC822.SIZE where the name tells it for sure and nothing is withheld, else None until the file is read."""
        return claimed(self.base, self.octets) if shows_at_once(rule, self.base) else None


def insert(folder: Folder, index: Index, arrivals: Sequence[Arrival]) -> list[int]:
    """Their UIDs; inside a durable transaction. The folder's counts and HIGHESTMODSEQ follow."""
    count, modseq = len(arrivals), index.next_modseq()
    uidnext: int = index.one(
        "UPDATE folders SET uidnext = uidnext + ?1, messages = messages + ?1, octets = octets + ?2,"
        " highest_modseq = ?3 WHERE id = ?4 RETURNING uidnext",
        count, sum(one.octets for one in arrivals), modseq, folder.row.id,
    )[0]  # fmt: skip
    uids = [uidnext - count + number for number in range(count)]
    _insert(folder, index, uids, arrivals, modseq)
    return uids


def insert_at(folder: Folder, index: Index, numbered: Sequence[tuple[int, Arrival]], uidnext: int) -> None:
    """With UIDs that another server gave, which ascend and which no message here ever had; `uidnext` is above them."""
    modseq = index.next_modseq()
    index.execute(
        "UPDATE folders SET uidnext = ?, messages = messages + ?, octets = octets + ?, highest_modseq = ? WHERE id = ?",
        uidnext, len(numbered), sum(one.octets for _, one in numbered), modseq, folder.row.id,
    )  # fmt: skip
    _insert(folder, index, [uid for uid, _ in numbered], [one for _, one in numbered], modseq)


def _insert(folder: Folder, index: Index, uids: Sequence[int], arrivals: Sequence[Arrival], modseq: int) -> None:
    ids = [folder.id_of(uid) for uid in uids]
    now, letters = folder.account.now(), folder.letters
    contents = index.next_contents(len(arrivals), now)
    rule = in_force(index).withholding
    combinations = {flags: index.number_of(flags) for flags in {one.flags for one in arrivals}}
    add_keywords(index, folder.row.id, {flag for flags in combinations for flag in flags})
    numbered = list(zip(ids, contents, arrivals, strict=True))
    index.many(
        "INSERT INTO messages VALUES (?, ?, ?)", [(id, combinations[one.flags], modseq) for id, _, one in numbered]
    )
    index.many("INSERT INTO files VALUES (?, ?, ?)", [(id, one.base, one.seen) for id, _, one in numbered])
    index.many(
        "INSERT INTO facts (id, content, date, internaldate, size, octets, saved) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (id, content, one.date, rendered_date(one.date), one.size(rule), one.octets, int(now))
            for id, content, one in numbered
        ],
    )
    receipts.register(index, ((content, one) for _, content, one in numbered))
    index.many(
        "INSERT INTO pending VALUES (?)",
        [(id,) for id, _, one in numbered if one.seen != CUR + suffix_for(one.flags, one.seen, letters)],
    )


def rendered_date(seconds: int) -> bytes:
    """INTERNALDATE as FETCH shows it, quotes included, in UTC."""
    day, rest = divmod(min(max(seconds, 0), _LAST_SECOND), 86_400)
    return b'"%s %02d:%02d:%02d +0000"' % (_day(day), rest // 3600, rest // 60 % 60, rest % 60)


@lru_cache(4096)
def _day(day: int) -> bytes:
    date = gmtime(day * 86_400)
    return f"{date.tm_mday:2d}-{MONTHS[date.tm_mon - 1]}-{date.tm_year:04d}".encode("ascii")
