"""Small messages on their way to the disk: the index has their octets, durable, until their files are durable too.

Knows when files are, and how to write them anew; refuses to know where the messages came from.

*Note: one wait.* A file is durable once its octets are, its name is, and its row is: a client that appends messages one
by one would wait for the disk three times each. What is small goes into the index with its row instead, in one durable
transaction, and only then the file gets its name. `flush` makes many such files durable together, some seconds later.

*Note: nothing to tell by.* After a power cut a file may lack any of its octets, whatever its size says. So whoever
finds what another process left in `landing` does not ask, but writes those files anew (`complete`).

*Note: other names.* Here only the first name of a file is known. One that is about to get another, or to leave, is
made durable before.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from unitymail.store.index import Index
from unitymail.store.keeping import copy_to
from unitymail.store.maildir import listing, path_in, split
from unitymail.store.schema import UID_BITS

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder

MOST_OCTETS = 65_536
"""Of one message."""
MOST_HELD = 4 * 1024 * 1024
"""Octets that an account holds at any time: more is flushed before more is taken."""


@dataclass(slots=True)
class Landing:
    """What of an account this process has on the way: how many octets, and whether a flush of their files failed."""

    octets: int = 0
    in_doubt: bool = False


def takes(account: Account, sizes: Sequence[int]) -> bool:
    """Whether messages of these sizes go this way: small ones, where no second copy of their octets is unwelcome."""
    return max(sizes) <= MOST_OCTETS and sum(sizes) <= MOST_HELD and not account.shredder.is_on


def make_room(account: Account, index: Index, octets: int) -> None:
    """Before so many are held; outside a transaction, under the write lock."""
    if account.landing.octets + octets > MOST_HELD:
        flush(account, index)


def hold(account: Account, index: Index, held: Iterable[tuple[bytes, bytes]]) -> None:
    """Keep (base, octets) of each; in the durable transaction that adds their rows."""
    maker = account.namer.mark
    rows = [(maker, base, octets) for base, octets in held]
    index.many("INSERT INTO landing (maker, base, octets) VALUES (?, ?, ?)", rows)
    account.landing.octets += sum(len(octets) for _, _, octets in rows)


def is_left_behind(account: Account, index: Index) -> bool:
    """Whether there are files of which this process cannot be sure."""
    return account.landing.in_doubt or bool(
        index.one(
            "SELECT EXISTS (SELECT 1 FROM landing WHERE maker < ?1)"
            " OR EXISTS (SELECT 1 FROM landing WHERE maker > ?1)",
            account.namer.mark,
        )[0]
    )


def is_due(index: Index) -> bool:
    return index.one("SELECT 1 FROM landing LIMIT 1") is not None


def flush(account: Account, index: Index) -> None:
    """Make the files durable, all with one flush; under the write lock."""
    last = index.one("SELECT max(number) FROM landing")[0]
    if last is None:
        return
    try:
        for place in _file_systems(account, index):
            account.disk.flush_filesystem(place)
    except OSError:
        # The next flush of what this one failed to write would do well, and write nothing.
        account.landing.in_doubt = True
        raise
    _forget(account, index, last)


def _file_systems(account: Account, index: Index) -> Iterable[str]:
    """A directory in each that has such files."""
    directories = index.all(
        "SELECT DISTINCT directory FROM landing CROSS JOIN files USING (base)"
        f" CROSS JOIN folders ON folders.id = files.id >> {UID_BITS}"
    )
    places = (os.path.join(account.path, directory, b"cur") for (directory,) in directories)
    return {os.stat(place).st_dev: os.fsdecode(place) for place in places if os.path.isdir(place)}.values()


def _forget(account: Account, index: Index, last: int) -> None:
    with index.changing():
        index.execute("DELETE FROM landing WHERE number <= ?", last)
    account.landing.octets = 0


def complete(account: Account, index: Index) -> None:
    """Write all of them anew; under the write lock, before anybody looks at the folders."""
    rows = index.all("SELECT number, base FROM landing ORDER BY number")
    written = {folder.path: folder for number, base in rows if (folder := _write(account, index, number, base))}
    for path in written:
        account.disk.flush_directory(os.fsdecode(path + b"/cur"))
        account.disk.flush_directory(os.fsdecode(path + b"/new"))
    if rows:
        _forget(account, index, rows[-1][0])
    account.landing.in_doubt = False


def _write(account: Account, index: Index, number: int, base: bytes) -> Folder | None:
    """The folder it belongs to; None when the message has left, so that nobody needs its file any more."""
    row = index.one("SELECT id, seen, date FROM files CROSS JOIN facts USING (id) WHERE base = ?", base)
    folder = None if row is None else account.folder_of_row(index, row[0] >> UID_BITS)
    if folder is None:
        return None
    (octets,) = index.one("SELECT octets FROM landing WHERE number = ?", number)
    temporary = account.temporary()
    copy_to(account.disk, BytesIO(octets).read, temporary)
    account.disk.set_times(temporary, row[2])
    account.disk.rename(temporary, os.fsdecode(_place(folder, base, row[1])))
    folder.fingerprint.forget()
    return folder


def _place(folder: Folder, base: bytes, seen: bytes) -> bytes:
    """Where the file was last seen, unless another program has given it other flags since."""
    place = path_in(folder.path, base, seen)
    if not os.path.exists(place):
        for directory in folder.places:
            for name in listing(directory):
                if split(name)[0] == base:
                    return os.path.join(directory, name)
    return place
