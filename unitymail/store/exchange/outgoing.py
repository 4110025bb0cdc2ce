"""Mail goes out to other programs, octets as stored; what is secure, or withheld from its user, without its body,
unless all of it is asked for.

Knows what is written already; refuses to know how a message looks in an mbox.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING

from unitymail.store.chosen import in_chunks
from unitymail.store.exchange import mbox
from unitymail.store.exchange.progress import BATCH, Progress
from unitymail.store.maildir import split, suffix_for
from unitymail.store.names import INBOX, directory_of

if TYPE_CHECKING:
    from unitymail.store.account import Account


def export_maildir(
    account: Account, path: str, folders: Sequence[str] = (), *, include_secure: bool = False
) -> Iterator[Progress]:
    """All folders (or these) as a Maildir++ with flags, dates and the octets as stored; secure ones when asked to.

    A file is named after the message's EMAILID, so that an export run again writes only what is new, and with
    `include_secure` all of what had gone out without its body.
    """
    for name in folders or _selectable(account):
        directory = os.path.join(path, directory_of(name))
        for place in (path, directory, *(os.path.join(directory, part) for part in ("tmp", "new", "cur"))):
            os.makedirs(place, 0o700, exist_ok=True)
        there = {_message_of(entry): entry for entry in os.listdir(os.path.join(directory, "cur"))}
        write = partial(_write_file, directory, there)
        yield from _exported(account, name, write, include_secure)


def export_mbox(
    account: Account, path: str, folder: str = INBOX, *, include_secure: bool = False
) -> Iterator[Progress]:
    """One folder as an mbox file (LF ends, `>From ` quoted); the file is there when all of it is."""
    part = path + ".part"
    with _new_file(part) as file:
        yield from _exported(account, folder, partial(_write_to_mbox, file), include_secure)
    os.replace(part, path)


def _selectable(account: Account) -> list[str]:
    return [info.name for info in account.folders() if info.selectable]


@dataclass(frozen=True, slots=True)
class Exported:
    """A message on its way out; `id` is its EMAILID, `octets` all of it unless it is `withheld`."""

    id: str
    flags: frozenset[str]
    date: float
    octets: bytes
    withheld: bool


def _exported(
    account: Account, name: str, write: Callable[[Exported], bool], include_secure: bool
) -> Iterator[Progress]:
    folder = account.folder(name)
    snapshot = folder.refresh()
    flags = dict(zip(snapshot.uids, snapshot.flags, strict=True))
    taken = known = withheld = 0
    for uids in in_chunks(snapshot.uids, BATCH):
        for uid, emailid, date in folder.rows(uids, ["emailid", "date"]):
            content, without_body = (folder.whole(uid), False) if include_secure else folder.handed_out(uid)
            if content is None:
                continue
            octets = bytes(content.buffer[:])
            content.close()
            written = write(Exported(emailid, snapshot.combinations[flags[uid]], date, octets, without_body))
            withheld += without_body
            taken, known = taken + written, known + (not written)
        yield Progress(folder.name, taken, known, len(snapshot.uids), withheld)
    if not snapshot.uids:
        yield Progress(folder.name, 0, 0, 0)


def _message_of(name: str) -> str:
    """What the names of all forms of a message have in common."""
    return name.partition(",S=")[0]


def _write_file(directory: str, there: dict[str, str], message: Exported) -> bool:
    size = len(message.octets)
    base = f"{int(message.date)}.{message.id}.unitymail,S={size},W={size}"
    before = there.get(_message_of(base))
    if before is not None and (message.withheld or os.fsdecode(split(os.fsencode(before))[0]) == base):
        return False
    temporary = os.path.join(directory, "tmp", base)
    with _new_file(temporary) as file:
        file.write(message.octets)
    os.utime(temporary, (message.date, message.date))
    os.rename(temporary, os.path.join(directory, "cur", base + os.fsdecode(suffix_for(message.flags, b""))))
    if before is not None:
        os.unlink(os.path.join(directory, "cur", before))
    return True


def _new_file(path: str) -> IO[bytes]:
    """Ours alone, in the place of what an export that was stopped left there; never through a link of somebody's."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb")


def _write_to_mbox(file: IO[bytes], message: Exported) -> bool:
    file.write(mbox.written(message.octets, message.flags, message.date))
    return True
