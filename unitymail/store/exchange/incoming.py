"""Mail of other programs comes in, each message once however often it is brought.

Knows when a message is there already: the same Message-ID and size, or the same octets. Refuses to know formats.
"""

from __future__ import annotations

import hashlib
import mailbox
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from unitymail.interfaces.store import FolderExists, NoSuchFolder
from unitymail.mail.headers import fields as fields_of
from unitymail.mail.structure import scan
from unitymail.store.chosen import in_chunks
from unitymail.store.content import converted
from unitymail.store.exchange import mbox
from unitymail.store.exchange.progress import BATCH, Progress
from unitymail.store.maildir import flags_of, split
from unitymail.store.names import INBOX, name_of

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder

Key = tuple[bytes, int] | bytes
Facts = tuple[frozenset[str], float | None]
Dated = tuple[float, str]
"""The date and the path of a file."""
T = TypeVar("T")


def import_maildir(account: Account, path: str, folder: str = "") -> Iterator[Progress]:
    """A Maildir or Maildir++ with its subfolders, flags and dates; all below `folder` when it is given.

    Messages that are there already (same Message-ID and size, else same octets) are left out, so that an import can
    be run again.
    """
    for directory, name in _maildirs(path):
        target = _below(folder, name)
        yield from _import(account, target, _files(directory), _read_file, _file_facts)


def _maildirs(path: str) -> Iterator[tuple[str, str]]:
    yield path, INBOX
    for entry in sorted(os.listdir(path)):
        name = name_of(entry)
        directory = os.path.join(path, entry)
        if os.path.islink(directory) or not (entry.startswith(".") and name):
            continue
        if os.path.isdir(os.path.join(directory, "cur")):
            yield directory, name


def _below(parent: str, name: str) -> str:
    if not parent:
        return name
    return parent if name == INBOX else f"{parent}/{name}"


def _files(directory: str) -> list[Dated]:
    """The oldest first."""
    found = []
    for place in (os.path.join(directory, part) for part in ("cur", "new")):
        for entry in () if os.path.islink(place) else os.scandir(place):
            if entry.is_file(follow_symlinks=False) and not entry.name.startswith("."):
                found.append((entry.stat().st_mtime, entry.path))
    return sorted(found)


def _read_file(dated: Dated) -> bytes:
    with open(dated[1], "rb", opener=_itself) as file:
        return converted(file.read())


def _itself(path: str, flags: int) -> int:
    """Not where a link leads: a Maildir that somebody brings must not take in what only we can read."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _file_facts(dated: Dated) -> Facts:
    date, path = dated
    return flags_of(split(os.fsencode(os.path.basename(path)))[1]), date


def import_mbox(account: Account, path: str, folder: str = INBOX) -> Iterator[Progress]:
    """An mbox file; `Status` and `X-Status` fields give the flags, and the `From ` line the date."""
    box = mailbox.mbox(path, create=False)
    try:
        yield from _import(account, folder, box.keys(), partial(mbox.octets_of, box), partial(mbox.facts_of, box))
    finally:
        box.close()


def _import(
    account: Account, name: str, sources: Sequence[T], read: Callable[[T], bytes], facts: Callable[[T], Facts]
) -> Iterator[Progress]:
    """`read` and `facts` (flags and date) are asked of a source when its turn comes."""
    folder = _folder(account, name)
    seen = _known(folder)
    taken = known = 0
    for some in in_chunks(sources, BATCH):
        fresh = []
        for source in some:
            octets = read(source)
            key = _key(octets)
            if key in seen:
                known += 1
                continue
            seen.add(key)
            fresh.append((_written(account, octets), *facts(source)))
        if fresh:
            folder.append_all(fresh, own=False)
        taken += len(fresh)
        yield Progress(folder.name, taken, known, len(sources))
    if not sources:
        yield Progress(folder.name, 0, 0, 0)


def _folder(account: Account, name: str) -> Folder:
    try:
        return account.folder(name)
    except NoSuchFolder:
        pass
    try:
        return account.create(name)
    except FolderExists:
        return account.folder(name)


def _written(account: Account, octets: bytes) -> str:
    descriptor, path = account.new_file()
    try:
        account.disk.write(descriptor, octets)
        account.disk.flush(descriptor)
    finally:
        account.disk.close(descriptor)
    return path


def _known(folder: Folder) -> set[Key]:
    """The keys of the messages in a folder; only those are read that have no Message-ID, or that are withheld."""
    keys: set[Key] = set()
    for uid, fields, size, withheld in folder.rows(folder.refresh().uids, ["fields", "size", "withheld"]):
        message_id = _message_id(fields)
        if message_id and not withheld:
            keys.add((message_id, size))
        elif (content := folder.whole(uid)) is not None:
            if message_id:
                keys.add((message_id, content.size))
            keys.add(hashlib.sha256(content.buffer).digest())
            content.close()
    return keys


def _key(octets: bytes) -> Key:
    root = scan(octets).root
    message_id = _message_id(octets[root.start : root.body])
    return (message_id, len(octets)) if message_id else hashlib.sha256(octets).digest()


def _message_id(header: bytes) -> bytes:
    for field in fields_of(header, 0, len(header)):
        if field.name.lower() == b"message-id":
            return field.raw.partition(b":")[2].strip()
    return b""
