"""What is worked out once per message and kept: its summary, and its size in CRLF form. Also opens its octets.

Knows files and their line ends; refuses to know what a summary contains (`mail.summary`).
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from unitymail.mail.preview import preview
from unitymail.mail.structure import scan
from unitymail.mail.summary import summarise
from unitymail.store.chosen import chosen
from unitymail.store.content import Content, bare_line_feeds, in_crlf_form, open_file
from unitymail.store.index import Index
from unitymail.store.maildir import path_in

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

MEASURED_AT_ONCE = 500


def content(folder: Folder, index: Index, uid: int) -> Content | None:
    """The message's octets; None when it is gone."""
    row = index.one("SELECT octets, size FROM facts WHERE id = ?", folder.id_of(uid))
    message = None if row is None else _opened(folder, index, uid, *row)
    if message is not None and message.size != row[1]:
        with index.changing():
            index.execute("UPDATE facts SET size = ? WHERE id = ?", message.size, folder.id_of(uid))
    return message


def beginning(folder: Folder, index: Index, uid: int, most: int) -> bytes:
    """The first octets of the file, as it is; b"" when it is gone."""
    buffer = _file(folder, index, uid)
    if buffer is None:
        return b""
    try:
        return bytes(buffer[:most])
    finally:
        Content(buffer).close()


def _opened(folder: Folder, index: Index, uid: int, octets: int, size: int | None) -> Content | None:
    """In CRLF form; line ends are counted unless the sizes say that there is nothing to find."""
    buffer = _file(folder, index, uid)
    if buffer is None or size == octets == len(buffer) or not bare_line_feeds(buffer):
        return None if buffer is None else Content(buffer)
    try:
        return Content(in_crlf_form(buffer, folder.account.disk, folder.account.temporary))
    finally:
        Content(buffer).close()


def _file(folder: Folder, index: Index, uid: int) -> bytes | mmap.mmap | None:
    """The file where it was last seen; else where another process, or another hand, has put it."""
    for attempt in range(4):
        found = index.one("SELECT base, seen FROM files WHERE id = ?", folder.id_of(uid))
        if found is None:
            return None
        try:
            return open_file(path_in(folder.path, *found))
        except FileNotFoundError:
            if attempt:
                with folder.access.alone() as index:
                    folder.look(index, thoroughly=True)
            else:
                folder.catch_up(index)
    return None


def render(folder: Folder, index: Index, uids: Sequence[int]) -> None:
    """Summarise these messages and keep it; those whose file is gone are left out."""
    ids = str([folder.id_of(uid) for uid in uids])
    wanted = index.all(
        f"SELECT id, content, date, octets, size FROM facts WHERE id IN {chosen()}"
        " AND NOT EXISTS (SELECT 1 FROM summaries WHERE summaries.content = facts.content) ORDER BY id",
        ids,
    )
    first = folder.ids()[0]
    done, sizes = [], []
    for id, number, date, octets, size in wanted:
        message = _opened(folder, index, id - first, octets, size)
        if message is None:
            continue
        try:
            summary = summarise(message.buffer, scan(message.buffer))
        finally:
            message.close()
        if message.size != size:
            sizes.append((message.size, id))
        done.append((number, summary, date if summary.sent is None else summary.sent))
    with index.changing():
        index.many("UPDATE facts SET size = ? WHERE id = ?", sizes)
        index.many(
            "INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?)",
            [(number, summary.envelope, summary.bodystructure, sent) for number, summary, sent in done],
        )
        index.many("INSERT OR REPLACE INTO fields VALUES (?, ?)", [(number, one.fields) for number, one, _ in done])
        index.many("INSERT OR REPLACE INTO terms VALUES (?, ?)", [(number, one.terms) for number, one, _ in done])


def render_previews(folder: Folder, index: Index, uids: Sequence[int]) -> None:
    """Make the first words of these messages, and keep them; those whose file is gone are left out."""
    ids = str([folder.id_of(uid) for uid in uids])
    wanted = index.all(
        f"SELECT id, content, octets, size FROM facts WHERE id IN {chosen()}"
        " AND NOT EXISTS (SELECT 1 FROM previews WHERE previews.content = facts.content) ORDER BY id",
        ids,
    )
    first = folder.ids()[0]
    done = []
    for id, number, octets, size in wanted:
        message = _opened(folder, index, id - first, octets, size)
        if message is None:
            continue
        try:
            done.append((number, preview(message.buffer, scan(message.buffer))))
        finally:
            message.close()
    with index.changing():
        index.many("INSERT OR REPLACE INTO previews VALUES (?, ?)", done)


def measure(folder: Folder, index: Index) -> None:
    """Find out the sizes in CRLF form that no name tells."""
    while some := index.all(
        "SELECT id FROM facts WHERE size IS NULL AND id BETWEEN ? AND ? LIMIT ?", *folder.ids(), MEASURED_AT_ONCE
    ):
        sizes = []
        for (id,) in some:
            buffer = _file(folder, index, id - folder.ids()[0])
            sizes.append((0 if buffer is None else len(buffer) + bare_line_feeds(buffer), id))
            if buffer is not None:
                Content(buffer).close()
        with index.changing():
            index.many("UPDATE facts SET size = ? WHERE id = ?", sizes)
