"""Mail of other programs in and out: Maildirs and mbox files, for the command line. Blocking.

Knows the two formats (the standard library reads them) and when a message is there already; refuses to print. Each
function is a generator of `Progress`, so that the caller can show how far it is, or stop.
"""

from __future__ import annotations

import hashlib
import mailbox
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import IO, TYPE_CHECKING

from unitymail.interfaces.store import FolderExists, NoSuchFolder
from unitymail.mail.headers import fields as fields_of
from unitymail.mail.structure import scan
from unitymail.mail.trace import read_trace_field
from unitymail.store.chosen import in_chunks
from unitymail.store.content import converted
from unitymail.store.maildir import flags_of, split, suffix_for
from unitymail.store.names import INBOX, directory_of, name_of

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder

BATCH = 50
STATUS = {"A": "\\Answered", "F": "\\Flagged", "D": "\\Deleted", "T": "\\Draft", "R": "\\Seen"}
"""Letters of the `Status` and `X-Status` fields."""
_FROM = re.compile(rb"^>*From ", re.MULTILINE)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_STATUS_FIELD = re.compile(rb"^(?:X-)?Status:.*\n", re.MULTILINE | re.IGNORECASE)
Key = tuple[bytes, int] | bytes


@dataclass(frozen=True, slots=True)
class Progress:
    """After some messages of a folder: how many were taken and how many were there already, of how many.

    `withheld` counts the secure ones that an export left out.
    """

    folder: str
    taken: int
    known: int
    total: int
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """One message to be imported, not read yet."""

    path: str
    flags: frozenset[str]
    date: float


def import_maildir(account: Account, path: str, folder: str = "") -> Iterator[Progress]:
    """A Maildir or Maildir++ with its subfolders, flags and dates; all below `folder` when it is given.

    Messages that are there already (same Message-ID and size, else same octets) are left out, so that an import can
    be run again.
    """
    for directory, name in _maildirs(path):
        target = _below(folder, name)
        yield from _import(account, target, _maildir_sources(directory))


def _maildirs(path: str) -> Iterator[tuple[str, str]]:
    yield path, INBOX
    for entry in sorted(os.listdir(path)):
        name = name_of(entry)
        if entry.startswith(".") and name and os.path.isdir(os.path.join(path, entry, "cur")):
            yield os.path.join(path, entry), name


def _below(parent: str, name: str) -> str:
    if not parent:
        return name
    return parent if name == INBOX else f"{parent}/{name}"


def _maildir_sources(directory: str) -> list[Source]:
    sources = []
    for part in ("cur", "new"):
        for entry in os.scandir(os.path.join(directory, part)):
            if entry.is_file() and not entry.name.startswith("."):
                suffix = split(os.fsencode(entry.name))[1]
                sources.append(Source(entry.path, flags_of(suffix), entry.stat().st_mtime))
    return sorted(sources, key=lambda source: (source.date, source.path))


def _import(account: Account, name: str, sources: Sequence[Source]) -> Iterator[Progress]:
    folder = _folder(account, name)
    seen = _known(folder)
    taken = known = 0
    for some in in_chunks(sources, BATCH):
        fresh = []
        for source in some:
            with open(source.path, "rb") as file:
                octets = converted(file.read())
            key = _key(octets)
            if key in seen:
                known += 1
                continue
            seen.add(key)
            fresh.append((_written(account, octets), source.flags, source.date))
        if fresh:
            folder.append_all(fresh)
        taken += len(fresh)
        yield Progress(name, taken, known, len(sources))
    if not sources:
        yield Progress(name, 0, 0, 0)


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
    """The keys of the messages in a folder; only those without a Message-ID are read."""
    keys: set[Key] = set()
    for uid, fields, size in folder.rows(folder.refresh().uids, ["fields", "size"]):
        message_id = _message_id(fields)
        if message_id:
            keys.add((message_id, size))
        elif (content := folder.content(uid)) is not None:
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


def import_mbox(account: Account, path: str, folder: str = INBOX) -> Iterator[Progress]:
    """An mbox file; `Status` and `X-Status` fields give the flags, and the `From ` line the date."""
    box = mailbox.mbox(path, create=False)
    try:
        target = _folder(account, folder)
        seen, taken, known, total = _known(target), 0, 0, len(box)
        for keys in in_chunks(box.keys(), BATCH):
            fresh = []
            for number in keys:
                octets = _out_of_mbox(box.get_bytes(number))
                key = _key(octets)
                if key in seen:
                    known += 1
                    continue
                seen.add(key)
                fresh.append((_written(account, octets), *_mbox_facts(box, number)))
            if fresh:
                target.append_all(fresh)
            taken += len(fresh)
            yield Progress(target.name, taken, known, total)
        if not total:
            yield Progress(target.name, 0, 0, 0)
    finally:
        box.close()


def _out_of_mbox(octets: bytes) -> bytes:
    """Without what the format added: status fields and quoting."""
    header, blank, body = octets.replace(b"\r\n", b"\n").partition(b"\n\n")
    header = _STATUS_FIELD.sub(b"", header + b"\n").removesuffix(b"\n")
    return converted(header + blank + _QUOTED_FROM.sub(rb"\1", body))


def _mbox_facts(box: mailbox.mbox, number: str) -> tuple[frozenset[str], float | None]:
    message = box[number]
    flags = frozenset(STATUS[letter] for letter in message.get_flags() if letter in STATUS)
    stamp = message.get_from().partition(" ")[2].strip()
    for read in (lambda: datetime.strptime(stamp, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC),
                 lambda: parsedate_to_datetime(str(message["Date"]))):  # fmt: skip
        try:
            return flags, read().timestamp()
        except (ValueError, TypeError, OverflowError):
            continue
    return flags, None


def export_maildir(
    account: Account, path: str, folders: Sequence[str] = (), *, include_secure: bool = False
) -> Iterator[Progress]:
    """All folders (or these) as a Maildir++ with flags, dates and the octets as stored; secure ones when asked to.

    A file is named after the message's EMAILID, so that an export run again writes only what is new.
    """
    for name in folders or _selectable(account):
        directory = os.path.join(path, directory_of(name))
        for part in ("tmp", "new", "cur"):
            os.makedirs(os.path.join(directory, part), exist_ok=True)
        there = {split(os.fsencode(entry))[0] for entry in os.listdir(os.path.join(directory, "cur"))}
        write = partial(_write_file, directory, there)
        yield from _exported(account, name, write, include_secure)


def export_mbox(
    account: Account, path: str, folder: str = INBOX, *, include_secure: bool = False
) -> Iterator[Progress]:
    """One folder as an mbox file (LF ends, `>From ` quoted); the file is there when all of it is."""
    part = path + ".part"
    with open(part, "wb") as file:
        yield from _exported(account, folder, partial(_write_to_mbox, file), include_secure)
    os.replace(part, path)


def _selectable(account: Account) -> list[str]:
    return [info.name for info in account.folders() if info.selectable]


@dataclass(frozen=True, slots=True)
class Exported:
    """A message on its way out; `id` is its EMAILID."""

    id: str
    flags: frozenset[str]
    date: float
    octets: bytes


def _exported(
    account: Account, name: str, write: Callable[[Exported], bool], include_secure: bool
) -> Iterator[Progress]:
    folder = account.folder(name)
    snapshot = folder.refresh()
    flags = dict(zip(snapshot.uids, snapshot.flags, strict=True))
    taken = known = withheld = 0
    for uids in in_chunks(snapshot.uids, BATCH):
        for uid, emailid, date, fields in folder.rows(uids, ["emailid", "date", "fields"]):
            if not include_secure and _is_secure(fields):
                withheld += 1
                continue
            content = folder.content(uid)
            if content is None:
                continue
            message = Exported(emailid, snapshot.combinations[flags[uid]], date, bytes(content.buffer[:]))
            content.close()
            written = write(message)
            taken, known = taken + written, known + (not written)
        yield Progress(folder.name, taken, known, len(snapshot.uids), withheld)
    if not snapshot.uids:
        yield Progress(folder.name, 0, 0, 0)


def _is_secure(fields: bytes) -> bool:
    """Whether our trace field says so. A forged one only keeps its own message back."""
    return any(
        trace is not None and trace.secure
        for trace in (
            read_trace_field(field.value)
            for field in fields_of(fields, 0, len(fields))
            if field.name.lower() == b"x-unitymail-trace"
        )
    )


def _write_file(directory: str, there: set[bytes], message: Exported) -> bool:
    size = len(message.octets)
    base = f"{int(message.date)}.{message.id}.unitymail,S={size},W={size}"
    if os.fsencode(base) in there:
        return False
    temporary = os.path.join(directory, "tmp", base)
    with open(temporary, "wb") as file:
        file.write(message.octets)
    os.utime(temporary, (message.date, message.date))
    os.rename(temporary, os.path.join(directory, "cur", base + os.fsdecode(suffix_for(message.flags, b""))))
    return True


def _write_to_mbox(file: IO[bytes], message: Exported) -> bool:
    stamp = datetime.fromtimestamp(message.date, UTC).strftime("%a %b %e %H:%M:%S %Y")
    letters = {flag: letter for letter, flag in STATUS.items()}
    status = "".join(sorted(letters[flag] for flag in message.flags if flag in letters))
    lines = f"From MAILER-DAEMON {stamp}\nStatus: {'R' * ('R' in status)}O\nX-Status: {status.replace('R', '')}\n"
    body = _FROM.sub(rb">\g<0>", message.octets.replace(b"\r\n", b"\n"))
    file.write(lines.encode("ascii") + body + (b"\n" if body.endswith(b"\n") else b"\n\n"))
    return True
