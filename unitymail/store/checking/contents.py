"""What the index says of a message against its file: sizes, and what was rendered. Reads every file unless told not to.

Knows the file's octets and the form that clients see; refuses to know where files should be.

*Note: another content.* A file that has another length than the message had is another message: it gets a new UID, for
no client may find other octets under a UID that it knows. Where only what was rendered is wrong, it is rendered anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from unitymail.mail.structure import scan
from unitymail.mail.summary import summarise
from unitymail.mail.windows import Octets
from unitymail.mail.withheld import Reason, withheld_form
from unitymail.store import inserting
from unitymail.store.checking.problem import Case, Problem, some
from unitymail.store.checking.rows import vanish
from unitymail.store.chosen import chosen
from unitymail.store.content import Content, in_crlf_form, is_in_crlf_form, open_file
from unitymail.store.forgetting import forget
from unitymail.store.inserting import Arrival
from unitymail.store.maildir import claimed, path_in

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

MADE_ANEW = ("summaries", "fields", "terms", "previews", "sorting", "ties")
_ROWS = (
    "SELECT id, base, seen, octets, size, withheld, content, date, envelope, bodystructure, fields, terms"
    " FROM messages CROSS JOIN files USING (id) CROSS JOIN facts USING (id) LEFT JOIN summaries USING (content)"
    " LEFT JOIN fields USING (content) LEFT JOIN terms USING (content) WHERE id IN "
)


@dataclass(slots=True)
class _Wrong:
    changed: list[int] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """(content, its size in fact)"""
    rendered: list[int] = field(default_factory=list)
    """Contents."""


def of_files(case: Case, folder: Folder, uids: Sequence[int], *, quick: bool) -> Iterator[Problem]:
    """These messages of a folder; `quick`: only the lengths of files, and none is read."""
    wrong = _Wrong()
    for row in case.index.all(_ROWS + chosen(), str([folder.id_of(uid) for uid in uids])):
        _compare(case, folder, row, wrong, quick)
    if wrong.changed:
        count = some(len(wrong.changed), "file was changed", "files were changed")
        what = f"{count} after the message was seen; with a new UID clients read it anew"
        yield Problem("sizes", folder.name, what, partial(_give_new_uids, case, folder, wrong.changed))
    if wrong.sizes:
        count = some(len(wrong.sizes), "message is", "messages are")
        what = f"{count} said to have a size that it has not in the form with CRLF"
        yield Problem("sizes", folder.name, what, partial(_set_sizes, case, wrong.sizes))
    if wrong.rendered:
        what = f"what the index keeps of {some(len(wrong.rendered), 'message')} is not what is in the file"
        yield Problem("rendered", folder.name, what, partial(render_anew, case, wrong.rendered))


def forms(case: Case) -> Iterator[Problem]:
    """Messages of one content that were decided differently: they are decided anew, all alike."""
    contents = case.index.all(
        "SELECT content FROM facts GROUP BY content"
        " HAVING count(DISTINCT withheld) > 1 OR count(DISTINCT size) > 1 OR count(size) NOT IN (0, count(*))"
    )
    if contents:
        what = f"copies of {some(len(contents), 'message')} are shown in different forms or sizes"
        yield Problem("rendered", "", what, partial(_decide_anew, case, [content for (content,) in contents]))


def _decide_anew(case: Case, contents: Sequence[int]) -> None:
    with case.index.changing():
        case.index.execute(
            "UPDATE facts SET size = NULL, withheld = 0 WHERE content IN " + chosen(), str(list(contents))
        )
    render_anew(case, contents)


def _compare(case: Case, folder: Folder, row: tuple, wrong: _Wrong, quick: bool) -> None:  # type: ignore[type-arg]
    id, base, seen, octets, size, withheld, content, _, *kept = row
    path = path_in(folder.path, base, seen)
    try:
        length = os.stat(path).st_size
        if length != octets:
            wrong.changed.append(id)
        elif not quick and size is not None:
            _compare_form(case, base, open_file(path), withheld, content, size, kept, wrong)
    except (FileNotFoundError, PermissionError):
        return  # the check of files tells that


def _compare_form(
    case: Case, base: bytes, buffer: Octets, withheld: int, content: int, size: int, kept: list[bytes | str | None],
    wrong: _Wrong,
) -> None:  # fmt: skip
    form = withheld_form(buffer, Reason(withheld)) if withheld else _shown(case, base, buffer)
    opened = Content(form), Content(buffer)
    try:
        if len(form) != size:
            wrong.sizes.append((content, len(form)))
        if any(part is not None for part in kept):
            made = summarise(form, scan(form))
            truth = [made.envelope, made.bodystructure, made.fields, made.terms]
            if any(part is not None and part != fact for part, fact in zip(kept, truth, strict=True)):
                wrong.rendered.append(content)
    finally:
        for one in opened:
            one.close()


def _shown(case: Case, base: bytes, buffer: Octets) -> Octets:
    """The CRLF form; where the name says that there is no other, clients have seen the file as it is."""
    if claimed(base, len(buffer)) is not None or is_in_crlf_form(buffer):
        return buffer
    return in_crlf_form(buffer, case.account.disk, case.account.temporary)


def _set_sizes(case: Case, sizes: list[tuple[int, int]]) -> None:
    with case.index.changing():
        case.index.many(
            "UPDATE facts SET size = ? WHERE content = ?", [(size, content) for content, size in sizes]
        )
    render_anew(case, [content for content, _ in sizes])


def render_anew(case: Case, contents: Sequence[int]) -> None:
    """Forget what was made of them; it is made again when somebody asks."""
    with case.index.changing():
        for table in MADE_ANEW:
            case.index.execute(f"DELETE FROM {table} WHERE content IN " + chosen(), str(list(contents)))


def _give_new_uids(case: Case, folder: Folder, ids: Sequence[int]) -> None:
    index = case.index
    rows = index.all(
        "SELECT base, seen, flags, date FROM messages CROSS JOIN files USING (id) CROSS JOIN facts USING (id)"
        " WHERE id IN " + chosen(),
        str(list(ids)),
    )
    arrivals = [
        Arrival(base, seen, index.flags_of(number), date, os.stat(path_in(folder.path, base, seen)).st_size)
        for base, seen, number, date in rows
    ]
    with index.changing(durable=True):
        vanish(case, folder.row.id, ids)
        forget(index, ids)
        inserting.insert(folder, index, sorted(arrivals, key=lambda one: one.order))
    folder.catch_up(index)
    case.account.note_usage(index)
