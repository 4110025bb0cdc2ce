"""What there is to see of an account at one moment, and how two such sights differ: events.

Pure but for `look`, which blocks. Refuses to know who wants to hear of it, and the words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from unitymail.imap.listing import parents_of
from unitymail.interfaces.store import FolderInfo, FolderStatus, IAccount, NoSuchFolder

MOST_FOLDERS = 1_000
"""Folders whose messages are looked at in one go."""


@dataclass(frozen=True, slots=True)
class Sight:
    """`infos` by name; `statuses` by MAILBOXID, of the folders that were looked at; `changes` of annotations."""

    infos: Mapping[str, FolderInfo]
    subscribed: frozenset[str]
    statuses: Mapping[str, FolderStatus]
    since: int = 0
    changes: tuple[tuple[str, str], ...] = ()

    def info(self, name: str) -> FolderInfo:
        """Also of a name that nothing has (any more)."""
        return self.infos.get(name) or FolderInfo(name, subscribed=name in self.subscribed, selectable=False)


NOTHING = Sight({}, frozenset(), {})


def look(
    account: IAccount, wanted: Callable[[FolderInfo], bool], before: Sight, known: Mapping[str, FolderStatus]
) -> tuple[Sight, News]:
    """All names, and the messages of the `wanted` folders; what is new since `before`, the last sight. Blocking.

    `known`: the last numbers of each folder that was looked at, by MAILBOXID.
    """
    infos = {info.name: info for info in account.folders()}
    statuses: dict[str, FolderStatus] = {}
    for info in [info for info in infos.values() if wanted(info)][:MOST_FOLDERS]:
        with suppress(NoSuchFolder):
            statuses[info.mailboxid] = account.folder(info.name).status()
    since, changes = account.metadata_changes(before.since)
    now = Sight(infos, frozenset(account.subscriptions()), statuses, since, tuple(changes))
    return now, News() if before is NOTHING else news(before, known, now)


@dataclass(frozen=True, slots=True)
class Moved:
    """A folder is not as it was: its name now, and its numbers before and now."""

    info: FolderInfo
    before: FolderStatus
    now: FolderStatus

    @property
    def messages(self) -> bool:
        """Messages came or left."""
        return (self.before.uidvalidity, self.before.uidnext, self.before.messages) != (
            self.now.uidvalidity, self.now.uidnext, self.now.messages,
        )  # fmt: skip

    @property
    def came(self) -> range:
        """The UIDs given out meanwhile."""
        return range(self.before.uidnext, self.now.uidnext)

    def since(self, earlier: Moved) -> Moved:
        """Both in one."""
        return replace(self, before=earlier.before)


@dataclass(frozen=True, slots=True)
class Named:
    """A name of which LIST would say something else now: because of itself, of its subscription, or of both.

    `old_name`: what it was called.
    """

    info: FolderInfo
    itself: bool
    subscription: bool
    old_name: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """What became different from one sight to the next."""

    moved: tuple[Moved, ...] = ()
    named: tuple[Named, ...] = ()
    annotated: tuple[tuple[FolderInfo, str], ...] = ()
    """(mailbox, entry); the account itself has no name."""

    def __bool__(self) -> bool:
        return bool(self.moved or self.named or self.annotated)


def news(before: Sight, known: Mapping[str, FolderStatus], now: Sight) -> News:
    """What is new `now`; see `look`."""
    by_id = {info.mailboxid: info for info in now.infos.values() if info.selectable}
    old = {info.mailboxid for info in before.infos.values()}
    moved = []
    for id, status in now.statuses.items():
        # What is in a folder that was not there is new, too.
        last = known.get(id) or (status if id in old or not status.messages else _empty(status))
        if id in by_id and _numbers(last) != _numbers(status):
            moved.append(Moved(by_id[id], last, status))
    annotated = ((now.info(name) if name else FolderInfo(""), entry) for name, entry in now.changes)
    return News(tuple(moved), tuple(_named(before, now)), tuple(annotated))


def _empty(status: FolderStatus) -> FolderStatus:
    return replace(status, messages=0, unseen=0, uidnext=1, highest_modseq=0)


def _numbers(status: FolderStatus) -> tuple[int, ...]:
    return (status.uidvalidity, status.uidnext, status.messages, status.unseen, status.highest_modseq)


def _named(before: Sight, now: Sight) -> Iterator[Named]:
    old = {info.mailboxid: name for name, info in before.infos.items() if info.selectable}
    new = {info.mailboxid: name for name, info in now.infos.items() if info.selectable}
    renamed = {old[id]: name for id, name in new.items() if id in old and old[id] != name}
    came = [name for id, name in new.items() if id not in old]
    went = [name for id, name in old.items() if id not in new]
    resubscribed = before.subscribed ^ now.subscribed
    told: dict[str, str] = {}
    for name in (*went, *came):
        # The direct parent is affected too, also when there is none (5.4).
        told.update(dict.fromkeys((*[*parents_of(name)][-1:], name), ""))
    for was, name in renamed.items():
        # What is below a renamed mailbox is renamed without a word (5.4).
        if not any(renamed.get(parent, "") + was[len(parent) :] == name for parent in parents_of(was)):
            told[name] = was
    for name, was in told.items():
        yield Named(now.info(name), True, name in resubscribed, was)
    for name in sorted(resubscribed.difference(told)):
        yield Named(now.info(name), False, True)
