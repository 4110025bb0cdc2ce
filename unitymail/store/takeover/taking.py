"""The take-over itself: folder by folder, each all at once, so that it can be stopped anywhere and run again.

Knows which folders are taken and in which order; refuses to know formats, and how a folder takes its messages
(`bringing`). A Maildir that lies in the account's directory already is taken in place.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from unitymail.store import layout, moving
from unitymail.store.index import FILE as INDEX
from unitymail.store.names import INBOX
from unitymail.store.takeover import source
from unitymail.store.takeover.bringing import Moved, bring, state_of
from unitymail.store.takeover.decision import Decision, Here, decide
from unitymail.store.takeover.report import FolderTaken, Report
from unitymail.store.takeover.source import Source

if TYPE_CHECKING:
    from unitymail.store.store import Store

ATTEMPTS = 5
Advance = Callable[[int], None]


def take_over(
    store: Store, id: str, path: str, *, dry_run: bool = False, advance: Advance = lambda messages: None
) -> Report:
    """Everything in the Maildir++ at `path`, which may be the account's own directory; a dry run changes nothing.

    `advance(n)`: so many messages more are done. Raises OSError for what cannot be read.
    """
    place, report = os.fsencode(path), Report()
    theirs = {name for _, name in source.folders_at(place)}
    taking = (_DryRun if dry_run else _Taking)(store, id, path)
    if taking.in_place:
        _refuse_links(place)
    taking.make_ready()
    for directory, name in source.folders_at(place):
        if name not in theirs:  # it was just made for the account, in whose directory all this lies
            continue
        found, decision = taking.take(source.read(place, directory, name))
        report.folders.append(_told(found, decision))
        report.notes += [f"{name}: {note}" for note in found.notes]
        advance(len(found.messages))
    report.subscribed = taking.subscribe(source.subscriptions_at(place))
    report.copied = taking.copied
    report.notes += [f"{name} is a Maildir in a plain folder, which was left" for name in source.nested_at(place)]
    return report


def _refuse_links(place: bytes) -> None:
    """From then on we would work where they lead."""
    for directory, _ in source.folders_at(place):
        for link in source.links_at(os.path.join(place, directory)):
            raise OSError(errno.ELOOP, "a link stands for a directory of mail; put what it leads to in its place", link)


def _told(found: Source, decision: Decision) -> FolderTaken:
    keywords = {flag for _, one in decision.arrivals for flag in one.flags if not flag.startswith("\\")}
    return FolderTaken(
        found.name, os.fsdecode(found.directory), len(found.messages), len(decision.arrivals), decision.known,
        found.skipped, decision.uids, decision.why, tuple(sorted(keywords, key=str.lower)),
    )  # fmt: skip


class _DryRun:
    """What would be done; an account that has no index yet is not given one."""

    copied = 0

    def __init__(self, store: Store, id: str, path: str) -> None:
        directory = os.path.join(store.root, id)
        self._account = store.account(id) if os.path.exists(os.path.join(directory, INDEX)) else None
        self.in_place = os.path.realpath(path) == os.path.realpath(directory)

    def make_ready(self) -> None:
        """Nothing is renamed."""

    def take(self, found: Source) -> tuple[Source, Decision]:
        here = Here()
        if self._account is not None and found.name in layout.folders_in(self._account.path):
            here = state_of(self._account.folder(found.name), in_place=self.in_place)
        return found, decide(found.messages, found.uids, here)

    def subscribe(self, names: Sequence[str]) -> list[str]:
        known = self._account.subscriptions() if self._account is not None else [INBOX]
        return sorted(set(names).difference(known))


class _Taking:
    def __init__(self, store: Store, id: str, path: str) -> None:
        self.copied = 0
        self._account = store.account(id)
        self.in_place = os.path.realpath(path) == os.path.realpath(self._account.access.directory)

    def make_ready(self) -> None:
        """Directories of the account's own get the names under which their folders are found; it is nobody else's."""
        if not self.in_place:
            return
        if os.stat(self._account.path).st_mode & 0o077:
            self._account.disk.set_mode(self._account.access.directory, 0o700)
        with self._account.access.alone() as index:
            present = layout.folders_in(self._account.path)
            for directory, name in source.folders_at(self._account.path):
                if present.get(name) != directory:
                    moving.rename(self._account, index, [(directory, name)])

    def take(self, found: Source) -> tuple[Source, Decision]:
        """The old server may still work on it: then it is read again."""
        if found.name not in layout.folders_in(self._account.path):
            self._account.create(found.name)
        folder = self._account.folder(found.name)
        for _ in range(ATTEMPTS):
            try:
                decision, copied = bring(folder, found, in_place=self.in_place)
                self.copied += copied
                return found, decision
            except Moved:
                found = source.read(found.root, found.directory, found.name)
        raise OSError(errno.EBUSY, "another program goes on renaming its files; stop it first", os.fsdecode(found.path))

    def subscribe(self, names: Sequence[str]) -> list[str]:
        """Those not subscribed to yet."""
        fresh = sorted(set(names).difference(self._account.subscriptions()))
        for name in fresh:
            self._account.subscribe(name, True)
        return fresh
