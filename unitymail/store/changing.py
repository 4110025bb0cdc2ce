"""STORE and EXPUNGE: rows first, files follow. Refuses to touch a file, and to know what a receipt says."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from unitymail.interfaces.store import NoSuchFolder, Snapshot
from unitymail.store import receipts
from unitymail.store.chosen import chosen
from unitymail.store.forgetting import subtract_totals
from unitymail.store.index import Index
from unitymail.store.keywords import add_keywords, canonical
from unitymail.store.maildir import suffix_for
from unitymail.store.schema import EXPUNGED, UID_MASK, first_id

if TYPE_CHECKING:
    from unitymail.store.folder import Folder


def store(
    folder: Folder, index: Index, uids: Collection[int], change: str, flags: Iterable[str], unchanged_since: int | None
) -> tuple[int, ...]:
    """Change flags, with one MODSEQ for all that do change; the UIDs left alone because of `unchanged_since`."""
    flags = tuple(flags)
    asked = {flag.lower() for flag in flags} if change != "remove" else set()
    wishes: dict[int, receipts.Wish] = {}
    if asked & {receipts.SEEN.lower(), receipts.SENT.lower()} and receipts.are_asked_for(index):
        ids = [folder.id_of(uid) for uid in uids]
        wishes = receipts.wishes(folder, index, ids, settled=receipts.SENT.lower() in asked)
    news = receipts.News()
    with index.changing(durable=bool(wishes)):
        folder.catch_up(index)
        wanted = canonical(index, flags)
        snapshot = folder.snapshot
        places = places_of(snapshot, uids)
        left_alone: tuple[int, ...] = ()
        if unchanged_since is not None:
            left_alone = tuple(snapshot.uids[at] for at in places if snapshot.modseqs[at] > unchanged_since)
            places = [at for at in places if snapshot.modseqs[at] <= unchanged_since]
        _set_flags(folder, index, snapshot, places, change, wanted, wishes, news)
    folder.catch_up(index)
    folder.account.tell(news)
    return left_alone


def _set_flags(
    folder: Folder, index: Index, snapshot: Snapshot, places: Sequence[int], change: str, wanted: frozenset[str],
    wishes: dict[int, receipts.Wish], news: receipts.News,
) -> None:  # fmt: skip
    base, uids, numbers = first_id(folder.row.id), snapshot.uids, snapshot.flags
    affected: dict[int, list[int]] = {}
    for at in places:
        affected.setdefault(numbers[at], []).append(base | uids[at])
    modseq, letters = 0, folder.letters
    for number, ids in affected.items():
        old = index.combinations[number]
        new = old | wanted if change == "add" else old - wanted if change == "remove" else wanted
        if new == old:
            continue
        if not modseq:
            add_keywords(index, folder.row.id, wanted if change != "remove" else ())
            modseq = index.next_modseq()
        some = str(ids)
        index.execute(
            "UPDATE messages SET flags = ?, modseq = ? WHERE id IN " + chosen(), index.number_of(new), modseq, some
        )
        if suffix_for(new, b"", letters) != suffix_for(old, b"", letters):
            index.execute("INSERT OR IGNORE INTO pending SELECT value FROM json_each(?)", some)
        _note_reading(folder, index, ids, old, new, wishes, news)
    if modseq:
        index.execute("UPDATE folders SET highest_modseq = ? WHERE id = ?", modseq, folder.row.id)


def mark_read(folder: Folder, index: Index, ids: Sequence[int]) -> list[int]:
    """\\Seen comes by itself: nobody has read these, and no receipt says so. The ids that got it."""
    with index.changing(durable=True):
        folder.catch_up(index)
        snapshot = folder.snapshot
        places = places_of(snapshot, [id & UID_MASK for id in ids])
        unread = {number for number, flags in enumerate(snapshot.combinations) if receipts.SEEN not in flags}
        places = [at for at in places if snapshot.flags[at] in unread]
        _set_flags(folder, index, snapshot, places, "add", frozenset({receipts.SEEN}), {}, receipts.News())
        marked = [folder.id_of(snapshot.uids[at]) for at in places]
        index.execute(
            "INSERT OR IGNORE INTO marked_by_age SELECT content FROM facts WHERE id IN " + chosen(), str(marked)
        )
    folder.catch_up(index)
    return marked


def _note_reading(
    folder: Folder, index: Index, ids: list[int], old: frozenset[str], new: frozenset[str],
    wishes: dict[int, receipts.Wish], news: receipts.News,
) -> None:  # fmt: skip
    """\\Seen comes: the first to set it owes a receipt where one is asked for. It goes: that is remembered."""
    if receipts.SEEN in old - new:
        receipts.unread_again(index, ids)
    if receipts.SEEN in new - old:
        news.seen += ids
    if wishes and (new - old) & {receipts.SEEN, receipts.SENT}:
        owing = receipts.owe(index, wishes, set(ids), "displayed", folder.account.now())
        if owing:
            news.owed = True
            marked = index.number_of(new | {receipts.SENT})
            index.execute("UPDATE messages SET flags = ? WHERE id IN " + chosen(), marked, str(owing))


def places_of(snapshot: Snapshot, uids: Collection[int]) -> Sequence[int]:
    """The places in the snapshot's arrays of those UIDs that exist, ascending."""
    known, size = snapshot.uids, len(snapshot.uids)
    if isinstance(uids, array) and uids:
        # A stretch of a view, as FETCH and SEARCH walk it, nearly always is one of the snapshot too.
        begin = bisect_left(known, uids[0])
        if known[begin : begin + len(uids)] == uids:
            return range(begin, begin + len(uids))
    if len(uids) > size // 8:
        wanted = uids if isinstance(uids, (set, frozenset)) else set(uids)
        return [at for at, uid in enumerate(known) if uid in wanted]
    return [at for uid in sorted(set(uids)) if (at := bisect_left(known, uid)) < size and known[at] == uid]


def expunge(folder: Folder, index: Index, uids: Collection[int] | None) -> None:
    """Remove the rows of messages with \\Deleted, durably; their files leave when the account is settled."""
    folder.catch_up(index)
    snapshot = folder.snapshot
    deleted = {number for number, flags in enumerate(snapshot.combinations) if "\\Deleted" in flags}
    places = range(len(snapshot.uids)) if uids is None else places_of(snapshot, uids)
    base = first_id(folder.row.id)
    if not any(snapshot.flags[at] in deleted for at in places):
        return
    unheard = receipts.unheard(folder, index, [snapshot.uids[at] for at in places if snapshot.flags[at] in deleted])
    with index.changing(durable=True):
        folder.catch_up(index)
        snapshot = folder.snapshot
        places = range(len(snapshot.uids)) if uids is None else places_of(snapshot, uids)
        ids = [base | snapshot.uids[at] for at in places if snapshot.flags[at] in deleted]
        owed = bool(unheard) and receipts.owe_deleted(index, unheard, set(ids), folder.account.now())
        octets = remove_rows(folder, index, ids, EXPUNGED)
    folder.catch_up(index)
    folder.account.usage_changed(-octets)
    folder.account.tell(receipts.News(owed=owed))


def remove_rows(folder: Folder, index: Index, ids: list[int], kind: int) -> int:
    """The messages are no more for any client; how many octets they had. Inside a durable transaction."""
    if not ids:
        return 0
    some = str(ids)
    modseq = index.next_modseq()
    octets = subtract_totals(index, folder.row.id, ids)
    index.execute(
        "INSERT INTO expunged SELECT id, ?, ?, ?, flags, NULL FROM messages WHERE id IN " + chosen(),
        modseq, int(folder.account.now()), kind, some,
    )  # fmt: skip
    index.execute("DELETE FROM messages WHERE id IN " + chosen(), some)
    index.execute("DELETE FROM pending WHERE id IN " + chosen(), some)
    index.execute("UPDATE folders SET highest_modseq = ? WHERE id = ?", modseq, folder.row.id)
    return octets


def vanished_since(folder: Folder, index: Index, modseq: int) -> list[int] | None:
    """UIDs that left after `modseq` (QRESYNC), ascending; None when that is too long ago to be known."""
    kept = index.one("SELECT vanished_from FROM folders WHERE id = ?", folder.row.id)
    if kept is None:
        raise NoSuchFolder(why=f"{folder.name} was deleted")
    if modseq < kept[0]:
        return None
    gone = index.all(f"SELECT id & {UID_MASK} FROM expunged WHERE id >> 32 = ? AND modseq > ?", folder.row.id, modseq)
    return sorted(uid for (uid,) in gone)
