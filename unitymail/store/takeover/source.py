"""What a Maildir++ of another program holds: its folders, their messages, and what that program noted beside them.

Knows directories and files; refuses to change any, and to follow links: a Maildir that somebody brings must not take
in what only we can read.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import partial

from unitymail.store import layout
from unitymail.store.inserting import Arrival
from unitymail.store.keeping import read_plain
from unitymail.store.letters import FILE as LETTERS
from unitymail.store.letters import MOST, keywords_in
from unitymail.store.maildir import CUR, NEW, Letters, flags_of, listing, path_in, split
from unitymail.store.names import INBOX, LONG_PREFIX, directory_of
from unitymail.store.takeover import courier, subscribed, uid_list
from unitymail.store.takeover.naming import name_for
from unitymail.store.takeover.packed import can_be_unpacked, is_packed
from unitymail.store.takeover.uid_list import UidList

DOVECOT, COURIER = b"dovecot-uidlist", b"courierimapuiddb"
_LARGEST = 1 << 30


@dataclass(frozen=True, slots=True)
class Source:
    """A folder to be taken over. `packed`: base names of compressed files; `skipped`: entries that are no files of
    messages; `notes`: what cannot be taken, or not as it is."""

    root: bytes
    directory: bytes
    name: str
    messages: tuple[Arrival, ...] = ()
    uids: UidList | str = "there is no list of UIDs"
    letters: bytes = b""
    packed: frozenset[bytes] = frozenset()
    skipped: int = 0
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> bytes:
        """The Maildir's directory."""
        return os.path.join(self.root, self.directory) if self.directory else self.root


def folders_at(path: bytes) -> list[tuple[bytes, str]]:
    """(directory, name) of the folders in a Maildir++, INBOX (b"") first."""
    ours = {directory: name for name, directory in layout.folders_in(path).items()}
    found = {INBOX: b""}
    for entry in sorted(filter(partial(_is_folder, path), os.listdir(path)), key=_is_unusual):
        long = ours.get(entry, "") if entry.startswith(LONG_PREFIX.encode()) else ""
        found[long or name_for(entry, found)] = entry
    return [(directory, name) for name, directory in found.items()]


def _is_folder(path: bytes, entry: bytes) -> bool:
    place = os.path.join(path, entry)
    return entry[:1] == b"." and not os.path.islink(place) and any(
        os.path.isdir(os.path.join(place, part)) for part in (b"cur", b"new")
    )  # fmt: skip


def _is_unusual(entry: bytes) -> tuple[bool, bytes]:
    """Where two directories stand for one name, the one that we would have made keeps it."""
    return os.fsencode(directory_of(name_for(entry))) != entry, entry


def read(path: bytes, directory: bytes, name: str) -> Source:
    """One folder, all of it."""
    found = Source(path, directory, name)
    place = found.path
    letters = _octets(place, LETTERS)
    words = keywords_in(letters)
    theirs = courier.keywords_in(place)
    messages, skipped = _messages(place, tuple(words[:MOST]), theirs)
    compressed = {
        one.base: can_be_unpacked(file)
        for one in messages
        if is_packed(file := path_in(place, one.base, one.seen), one.base, one.octets)
    }
    messages = tuple(one for one in messages if compressed.get(one.base, True))
    notes = [f"{os.fsdecode(link)} is a link, which was not followed" for link in links_at(place)]
    if compressed:
        notes.append(_told(list(compressed.values())))
    if beyond := [word for word in words[MOST:] if word]:
        notes.append(f"only Dovecot's own index knows who has the keywords {' '.join(beyond)}")
    packed = frozenset(base for base, readable in compressed.items() if readable)
    return Source(path, directory, name, messages, _uids(place), letters, packed, skipped, tuple(notes))


def links_at(place: bytes) -> list[bytes]:
    """Those of a folder's directories of messages that lead elsewhere."""
    return [path for part in (b"new", b"cur") if os.path.islink(path := os.path.join(place, part))]


def _told(compressed: list[bool]) -> str:
    words = f"{sum(compressed)} messages were compressed, and are not any more"
    if not all(compressed):
        words += f"; {compressed.count(False)} files are compressed or encrypted in ways that we cannot read"
    return words


def messages_at(path: str) -> int:
    """How many files of messages there are, for who shows how far a take-over is."""
    places = [os.path.join(os.fsencode(path), directory) for directory, _ in folders_at(os.fsencode(path))]
    return sum(len(_names(os.path.join(place, part))) for place in places for part in (b"new", b"cur"))


def _messages(
    place: bytes, letters: Letters, theirs: dict[bytes, frozenset[str]]
) -> tuple[tuple[Arrival, ...], int]:
    """The same name twice is a file that was renamed meanwhile, or has a twin: the first counts."""
    found: dict[bytes, Arrival] = {}
    skipped = 0
    for mark, part in ((NEW, b"new"), (CUR, b"cur")):
        for name in _names(os.path.join(place, part)):
            base, suffix = split(name)
            try:
                status = os.lstat(os.path.join(place, part, name))
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(status.st_mode) or base in found:
                skipped += 1
                continue
            flags = flags_of(suffix, letters) | theirs.get(base, frozenset())
            found[base] = Arrival(base, mark + suffix, flags, int(status.st_mtime), status.st_size)
    return tuple(found.values()), skipped


def _names(directory: bytes) -> list[bytes]:
    try:
        return [] if os.path.islink(directory) else sorted(listing(directory))
    except FileNotFoundError:
        return []


def _uids(place: bytes) -> UidList | str:
    """That of the server which wrote last, where both have been at work."""
    files = [os.path.join(place, name) for name in (DOVECOT, COURIER)]
    there = sorted((file for file in files if os.path.isfile(file)), key=os.path.getmtime, reverse=True)
    for file in there:
        found = uid_list.read(_octets(place, os.path.basename(file)))
        if isinstance(found, str):
            return f"{os.fsdecode(os.path.basename(file))}: {found}"
        return found
    return "there is no list of UIDs"


def subscriptions_at(path: bytes) -> list[str]:
    """The names, by the server that wrote last."""
    readers = {subscribed.DOVECOT: subscribed.dovecot, subscribed.COURIER: subscribed.courier}
    there = [name for name in readers if os.path.isfile(os.path.join(path, name))]
    if not there:
        return []
    newest = max(there, key=lambda name: os.path.getmtime(os.path.join(path, name)))
    return readers[newest](_octets(path, newest))


def nested_at(path: bytes) -> list[str]:
    """Maildirs that stand in plain directories (Dovecot's LAYOUT=fs), which Maildir++ does not know."""
    return sorted(
        os.fsdecode(entry)
        for entry in os.listdir(path)
        if entry[:1] != b"." and entry not in (b"cur", b"new", b"tmp")
        and os.path.isdir(os.path.join(path, entry, b"cur"))
    )  # fmt: skip


def _octets(place: bytes, name: bytes) -> bytes:
    """What the file holds; b"" where it is none, or a link."""
    try:
        return read_plain(os.path.join(place, name), _LARGEST)
    except OSError:
        return b""
