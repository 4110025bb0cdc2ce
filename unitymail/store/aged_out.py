"""What a rule does to messages that it wants away: marked as read, moved, removed, or emptied of what they say.

Knows files, rows and receipts; refuses to know why the rule wants it. Everything runs under the account's write lock.
A message that somebody changed since it was judged is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from unitymail.interfaces.store import NoSuchMessage
from unitymail.mail.expired import expired_form
from unitymail.policy.aging import Happened, Rule
from unitymail.store import ages, appending, intents, receipts
from unitymail.store.ages import Message
from unitymail.store.changing import mark_read, remove_rows
from unitymail.store.content import Content
from unitymail.store.finding import found
from unitymail.store.index import Index
from unitymail.store.maildir import trace_of
from unitymail.store.schema import EXPUNGED, PURGED, UID_MASK

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

EMPTIED_AT_ONCE = 10
KINDS = {Rule.DELETED: EXPUNGED, Rule.SECURE: PURGED, Rule.TOUCHED_SECURE: PURGED}
"""What is expunged can come back for the days of undelete; what is secure, and too old, may not."""


def carry_out(folder: Folder, index: Index, rule: Rule, messages: Sequence[Message]) -> Happened:
    """Do it to all of them that are still as they were judged; what was done."""
    if rule in KINDS:
        return _told(folder, rule, messages, _remove(folder, index, messages, KINDS[rule]))
    newest = max(message.modseq for message in messages)
    ids = ages.still_as_seen(index, [message.id for message in messages], newest)
    if rule is Rule.NEW:
        return _told(folder, rule, messages, mark_read(folder, index, ids))
    target = ages.bin_of(folder.account, index)
    moved = intents.copy(folder, index, [id & UID_MASK for id in ids], target, move=True)
    return _told(folder, rule, messages, [folder.id_of(uid) for uid in moved.sources], target.name)


def _told(
    folder: Folder, rule: Rule, messages: Sequence[Message], ids: Sequence[int], into: str = ""
) -> Happened:
    done = set(ids)
    traces = tuple(trace for one in messages if one.id in done and (trace := trace_of(one.base)))
    return Happened(folder.account.id, folder.name, rule, len(done), traces, into)


def _remove(folder: Folder, index: Index, messages: Sequence[Message], kind: int) -> list[int]:
    """Who asked to be told that it was heard, and was not yet, is told that it was too old."""
    unheard = receipts.unheard(folder, index, [message.id & UID_MASK for message in messages])
    news = receipts.News()
    with index.changing(durable=True):
        folder.catch_up(index)
        newest = max(message.modseq for message in messages)
        ids = ages.still_as_seen(index, [message.id for message in messages], newest)
        news.owed = receipts.owe_deleted(index, unheard, set(ids), folder.account.now(), "expired")
        octets = remove_rows(folder, index, ids, kind)
    folder.catch_up(index)
    folder.account.usage_changed(-octets)
    folder.account.tell(news)
    return ids


def empty(folder: Folder, index: Index, messages: Sequence[Message]) -> Happened:
    """Put a notice in the place of what they say, in another message each, with their headers, flags and dates."""
    done = [message.id for message in messages if _is_emptied(folder, index, message)]
    return _told(folder, Rule.RECORDING, messages, done)


def _is_emptied(folder: Folder, index: Index, message: Message) -> bool:
    if not ages.still_as_seen(index, [message.id], message.modseq):
        return False
    path = _notice(folder, index, message)
    if path is None:
        return False
    account, uid = folder.account, message.id & UID_MASK
    unheard, news = receipts.unheard(folder, index, [uid]), receipts.News()

    def owe(ids: set[int]) -> None:
        news.owed = receipts.owe_deleted(index, unheard, ids, account.now(), "expired")

    flags = index.flags_of(message.flags)
    try:
        appending.substitute(folder, index, uid, (path, flags, float(message.date)), kind=PURGED, also=owe)
    except BaseException as error:
        with suppress(FileNotFoundError):
            account.disk.unlink(path)
        if isinstance(error, NoSuchMessage):
            return False
        raise
    account.tell(news)
    return True


def _notice(folder: Folder, index: Index, message: Message) -> str | None:
    """The file of what comes in its place; None when its own is gone."""
    file = found(folder, index, message.id & UID_MASK)
    if file is None:
        return None
    try:
        form = expired_form(file[1])
    finally:
        Content(file[1]).close()
    disk, path = folder.account.disk, folder.account.temporary()
    descriptor = disk.create(path)
    try:
        disk.write(descriptor, form)
        disk.flush(descriptor)
    finally:
        disk.close(descriptor)
    return path
