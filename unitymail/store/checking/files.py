"""Files against rows: what nobody noticed, what is there twice, what is no file of a message, what cannot be read.

Knows new/ and cur/; refuses to open a file. What changed a moment ago is no problem: the next look takes it in.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from unitymail.store.checking.problem import Case, Problem, some
from unitymail.store.maildir import CUR, NEW, listing, path_in, split

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

_ATTEMPTS = 5


@dataclass(slots=True)
class _Difference:
    """`twins`: (place of a second name, place of the first) of one base name."""

    unknown: list[bytes] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)
    moved: list[bytes] = field(default_factory=list)
    twins: list[tuple[bytes, bytes]] = field(default_factory=list)
    odd: list[bytes] = field(default_factory=list)
    unread: list[bytes] = field(default_factory=list)


def against_rows(case: Case, folder: Folder) -> Iterator[Problem]:
    found = _difference(case, folder)
    look = partial(folder.look, case.index, thoroughly=True)
    for places, one, many in (
        (found.unknown, "file that nobody noticed", "files that nobody noticed"),
        (found.gone, "message whose file is gone", "messages whose files are gone"),
        (found.moved, "file that was renamed unnoticed", "files that were renamed unnoticed"),
    ):
        if places:
            yield Problem("files", folder.name, some(len(places), one, many), look)
    if found.twins:
        what = f"{some(len(found.twins), 'file')} with a name that another file has, in new/ or with other flags"
        yield Problem("duplicate names", folder.name, what, partial(_part, case, folder, found.twins))
    if found.odd:
        what = f"{some(len(found.odd), 'entry is', 'entries are')} no file of a message and should be removed by hand:"
        yield Problem("strange entries", folder.name, f"{what} {_shown(found.odd)}")
    if found.unread:
        what = f"{some(len(found.unread), 'file')} that the node may not read, as {_shown(found.unread)}"
        yield Problem("modes", folder.name, what, partial(_let_read, case, folder, found.unread))


def _shown(places: list[bytes]) -> str:
    return os.fsdecode(places[0][1:]) + (", ..." if len(places) > 1 else "")


def _difference(case: Case, folder: Folder) -> _Difference:
    """What remains when the folder was looked at and nothing changed meanwhile."""
    for _ in range(_ATTEMPTS):
        folder.follow(case.index)
        listed = _listed(folder)
        if not folder.is_due:
            break
    return _compared(case, folder, listed)


def _listed(folder: Folder) -> list[bytes]:
    return [
        mark + name for mark, part in ((NEW, b"/new"), (CUR, b"/cur")) for name in sorted(listing(folder.path + part))
    ]


def _compared(case: Case, folder: Folder, listed: list[bytes]) -> _Difference:
    rows = case.index.all("SELECT id, base, seen FROM files WHERE id BETWEEN ? AND ?", *folder.ids())
    live = {id for (id,) in case.index.all("SELECT id FROM messages WHERE id BETWEEN ? AND ?", *folder.ids())}
    place_of = {base: seen[:1] + base + seen[1:] for _, base, seen in rows}
    found = _Difference()
    here: dict[bytes, bytes] = {}
    for place in listed:
        status = _status(folder, place)
        if status is None:
            continue
        if not stat.S_ISREG(status.st_mode):
            found.odd.append(place)
            continue
        if not status.st_mode & stat.S_IRUSR:
            found.unread.append(place)
        base = split(place[1:])[0]
        if base in here:
            first, second = sorted((here[base], place), key=lambda one: one != place_of.get(base))
            here[base] = first
            found.twins.append((second, first))
        else:
            here[base] = place
    found.unknown = [place for base, place in here.items() if base not in place_of]
    found.moved = [place for base, place in here.items() if place_of.get(base, place) != place]
    found.gone = [place_of[base] for id, base, _ in rows if id in live and base not in here]
    return found


def _status(folder: Folder, place: bytes) -> os.stat_result | None:
    try:
        return os.lstat(_path(folder, place))
    except FileNotFoundError:
        return None


def _path(folder: Folder, place: bytes) -> bytes:
    base, suffix = split(place[1:])
    return path_in(folder.path, base, place[:1] + suffix)


def _part(case: Case, folder: Folder, twins: list[tuple[bytes, bytes]]) -> None:
    """A second name of one file goes, once the first one is durable; another file of the name becomes a message of its
    own."""
    case.account.disk.flush_directory(os.fsdecode(folder.path + b"/cur"))
    case.account.disk.flush_directory(os.fsdecode(folder.path + b"/new"))
    for second, first in twins:
        if os.path.samefile(_path(folder, second), _path(folder, first)):
            case.account.disk.unlink(os.fsdecode(_path(folder, second)))
    folder.look(case.index, thoroughly=True)


def _let_read(case: Case, folder: Folder, places: list[bytes]) -> None:
    for place in places:
        case.account.disk.set_mode(os.fsdecode(_path(folder, place)), 0o600)
