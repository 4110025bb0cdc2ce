"""What SORT and THREAD compare, worked out once per content from its kept header fields; and which thread it is in.

Knows the tables; refuses to know what the strings and numbers mean (`mail.sort_terms`, `mail.ties`).

*Note: THREADID.* A content's thread is settled when it is first asked for, and durably: it belongs to the message for
good (RFC 8474, 5.2). A message joins the thread of one that has, or refers to, a message id that it has or refers to
itself, under the same base subject: who answers with a new subject begins a new thread, as people mean it to. The
thread is named after its oldest content, of those that were settled first. Threads that a later message would join
stay apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from unitymail.mail.sort_terms import sort_terms
from unitymail.mail.ties import ties, tokens_of
from unitymail.store.chosen import chosen
from unitymail.store.index import Index

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

TABLES = frozenset({"sorting", "ties", "threads"})
SETTLED_AT_ONCE = 500
"""Messages whose threads are settled by one transaction, which waits for the disk."""


def arrange(folder: Folder, index: Index, uids: Sequence[int], tables: Collection[str]) -> None:
    """Fill `sorting` and `ties`, as far as `tables` need them, for messages whose header fields are kept already."""
    ids = str([folder.id_of(uid) for uid in uids])
    terms = [(c, *sort_terms(fields)) for c, fields in _lacking(index, "sorting", ids)] if "sorting" in tables else []
    tied = [] if tables == {"sorting"} else [(c, ties(fields).packed()) for c, fields in _lacking(index, "ties", ids)]
    with index.changing():
        index.many("INSERT OR REPLACE INTO sorting VALUES (?, ?, ?, ?, ?, ?, ?)", terms)
        index.many("INSERT OR REPLACE INTO ties VALUES (?, ?)", tied)


def settle_threads(folder: Folder, index: Index, uids: Sequence[int]) -> None:
    """Say for good in which threads these messages are, whose ties are kept already; durable on return."""
    with index.changing(durable=True):
        _join(index, _lacking(index, "threads", str([folder.id_of(uid) for uid in uids]), "ties"))


def _lacking(index: Index, table: str, ids: str, source: str = "fields") -> list[tuple[int, Any]]:
    """(content, what `source` has of it) for contents that the table lacks, the oldest first."""
    return index.all(
        f"SELECT DISTINCT facts.content, {source} FROM facts JOIN {source} ON {source}.content = facts.content"
        f" WHERE id IN {chosen()}"
        f" AND NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.content = facts.content) ORDER BY facts.content",
        ids,
    )


def _join(index: Index, messages: Iterable[tuple[int, bytes]]) -> None:
    """Settle the threads of these contents, those that are tied to each other alike; inside a transaction."""
    tied = [(content, tokens_of(packed)) for content, packed in messages]
    every = str(sorted({token for _, tokens in tied for token in tokens}))
    known: dict[int, int] = dict(index.all(f"SELECT tie, thread FROM thread_of_tie WHERE tie IN {chosen()}", every))
    threads: list[tuple[int, int]] = []
    fresh: dict[int, int] = {}
    for together in _groups(tied):
        tokens = {token for _, tokens in together for token in tokens}
        settled = [known[token] for token in tokens if token in known]
        thread = min(settled or [content for content, _ in together])
        threads += [(content, thread) for content, _ in together]
        fresh.update((token, thread) for token in tokens if token not in known)
    index.many("INSERT INTO threads VALUES (?, ?)", threads)
    index.many("INSERT INTO thread_of_tie VALUES (?, ?)", fresh.items())


def _groups(tied: Sequence[tuple[int, list[int]]]) -> Collection[list[tuple[int, list[int]]]]:
    """The messages, those together that share a token with one of their group."""
    leaders = list(range(len(tied)))

    def leader_of(at: int) -> int:
        while leaders[at] != at:
            leaders[at] = leaders[leaders[at]]
            at = leaders[at]
        return at

    holders: dict[int, int] = {}
    for at, (_, tokens) in enumerate(tied):
        for token in tokens:
            leaders[leader_of(at)] = leader_of(holders.setdefault(token, at))
    groups: dict[int, list[tuple[int, list[int]]]] = {}
    for at, message in enumerate(tied):
        groups.setdefault(leader_of(at), []).append(message)
    return groups.values()


def forget_threads(index: Index) -> None:
    """Remove what was kept of threads whose messages are all gone."""
    with index.changing():
        index.execute("DELETE FROM thread_of_tie WHERE thread NOT IN (SELECT thread FROM threads)")
