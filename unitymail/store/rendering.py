"""What is worked out once per message and kept: its summary, and its size in CRLF form. Also opens its octets.

Knows files and their line ends, and that of some messages only a form without the body may be seen: all octets leave
the store through here. Refuses to know what a summary contains (`mail.summary`) and what is withheld (`withholding`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unitymail.mail.preview import preview
from unitymail.mail.structure import scan
from unitymail.mail.summary import summarise
from unitymail.mail.windows import Octets
from unitymail.mail.withheld import Reason, withheld_form
from unitymail.policy.withholding import Withholding
from unitymail.store.chosen import chosen
from unitymail.store.content import SMALL, Content, converted, crlf_size, in_crlf_form, is_in_crlf_form, open_file
from unitymail.store.finding import found
from unitymail.store.index import Index
from unitymail.store.maildir import claimed, path_in
from unitymail.store.schema import UID_MASK
from unitymail.store.withholding import LEFT, Decision, in_force, judged, keep

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

MEASURED_AT_ONCE = 200
OPENED_AT_ONCE = 50
DECIDED_AT_ONCE = 20
DECIDED_WITHIN = 1_000
"""UIDs: not all of a large folder is looked through for them."""
SECURE_STAYS = Withholding(secure=True)
Row = tuple[int, int, int, int | None, int, int, bytes, bytes]
"""id, content, octets, size, withheld, date; base and seen of the file"""


def content(folder: Folder, index: Index, uid: int) -> Content | None:
    """The message's octets, in the form that may be seen; None when it is gone."""
    row = _decided(folder, index, uid)
    message = None if row is None else _opened(folder, index, uid, *row)
    if message is not None and row is not None and message.size != row[1]:
        with index.changing():
            index.execute("UPDATE facts SET size = ? WHERE id = ?", message.size, folder.id_of(uid))
    return message


def contents(folder: Folder, index: Index, uids: Sequence[int], octets: int) -> list[Content | None]:
    """Of the first of these messages, until so many octets are open; a large one is the last.

    Nearly always they are where they were last seen, as they were measured: one look at the index tells of many.
    """
    uids = uids[:OPENED_AT_ONCE]
    rows = {
        row[0]: row[1:]
        for row in index.all(
            f"SELECT id & {UID_MASK}, octets, size, base, seen FROM facts CROSS JOIN files USING (id)"
            f" WHERE id IN {chosen()} AND NOT withheld",
            str([folder.id_of(uid) for uid in uids]),
        )
    }
    opened: list[Content | None] = []
    try:
        for uid in uids:
            one = _as_measured(folder, *rows[uid]) if uid in rows else None
            opened.append(content(folder, index, uid) if one is None else one)
            size = 0 if opened[-1] is None else opened[-1].size
            octets -= size
            if octets <= 0 or size >= SMALL:
                break
    except BaseException:
        for one in opened:
            if one is not None:
                one.close()
        raise
    return opened


def _as_measured(folder: Folder, octets: int, size: int | None, base: bytes, seen: bytes) -> Content | None:
    """The message in CRLF form, where its file is as it was measured; None when that is not so."""
    if size is None:
        return None
    try:
        buffer = open_file(path_in(folder.path, base, seen))
    except FileNotFoundError:
        return None
    if len(buffer) == octets:
        if size != octets and isinstance(buffer, bytes):
            buffer = converted(buffer)
        if len(buffer) == size:
            return Content(buffer)
    Content(buffer).close()
    return None


def whole(folder: Folder, index: Index, uid: int) -> Content | None:
    """All octets of the message, whatever may be seen of it: for who looks after the mailbox."""
    octets = index.one("SELECT octets FROM facts WHERE id = ?", folder.id_of(uid))
    return None if octets is None else _opened(folder, index, uid, octets[0], None, 0)


def handed_out(folder: Folder, index: Index, uid: int) -> tuple[Content | None, bool]:
    """The message as other programs get it, and whether without its body: what is secure is, whatever the class."""
    row = _decided(folder, index, uid)
    file = None if row is None else found(folder, index, uid)
    if row is None or file is None:
        return None, False
    base, buffer = file
    withheld = row[2] or judged(folder.account, SECURE_STAYS, base, buffer)[0]
    return _formed(folder, buffer, row[0], row[1], withheld), bool(withheld)


def _decided(folder: Folder, index: Index, uid: int) -> tuple[int, int | None, int] | None:
    """(octets, size, why it is withheld) once that is decided."""
    statement = "SELECT octets, size, withheld FROM facts WHERE id = ?"
    row = index.one(statement, folder.id_of(uid))
    if row is not None and row[1] is None:
        decide(folder, index, _undecided(folder, index, uid))
        row = index.one(statement, folder.id_of(uid))
    return None if row is None or row[1] is None or row[2] == LEFT else row


def _undecided(folder: Folder, index: Index, uid: int) -> list[int]:
    """This message, and small ones behind it: who reads one often reads the next, and together they cost one commit."""
    id = folder.id_of(uid)
    rows = index.all(
        "SELECT id FROM facts WHERE size IS NULL AND id BETWEEN ? AND ?"
        " AND (octets <= ? OR id = ?) ORDER BY id LIMIT ?",
        id, min(id + DECIDED_WITHIN, folder.ids()[1]), SMALL, id, DECIDED_AT_ONCE,
    )  # fmt: skip
    return [number for (number,) in rows]


def beginning(folder: Folder, index: Index, uid: int, most: int) -> bytes:
    """The first octets of the file, as it is; b"" when it is gone."""
    file = found(folder, index, uid)
    if file is None:
        return b""
    try:
        return bytes(file[1][:most])
    finally:
        Content(file[1]).close()


def _opened(folder: Folder, index: Index, uid: int, octets: int, size: int | None, withheld: int) -> Content | None:
    """The withheld form, or all of it in CRLF form; None when the file is gone."""
    file = found(folder, index, uid)
    return None if file is None else _formed(folder, file[1], octets, size, withheld)


def _formed(folder: Folder, buffer: Octets, octets: int, size: int | None, withheld: int) -> Content:
    """Line ends are counted unless the sizes say that there is nothing to find. The buffer is taken over."""
    if not withheld and (size == octets == len(buffer) or is_in_crlf_form(buffer)):
        return Content(buffer)
    try:
        if withheld:
            return Content(withheld_form(buffer, Reason(withheld)))
        return Content(in_crlf_form(buffer, folder.account.disk, folder.account.temporary))
    finally:
        Content(buffer).close()


def render(folder: Folder, index: Index, uids: Sequence[int]) -> None:
    """Summarise these messages and keep it; those whose file is gone are left out."""
    while not _render(folder, index, uids):
        continue  # Another rule was put in force meanwhile: what was made may not be seen.


def _render(folder: Folder, index: Index, uids: Sequence[int]) -> bool:
    rule = in_force(index).withholding
    decisions, done = [], []
    for row in _without(folder, index, uids, "summaries"):
        message, decision = _seen(folder, index, row, rule)
        if message is None:
            continue
        try:
            summary = summarise(message.buffer, scan(message.buffer))
        finally:
            message.close()
        if decision is not None:
            decisions.append(decision)
        done.append((row[1], summary, row[5] if summary.sent is None else summary.sent))
    with index.changing():
        if not keep(index, rule, decisions):
            return False
        index.many(
            "INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?)",
            [(number, summary.envelope, summary.bodystructure, sent) for number, summary, sent in done],
        )
        index.many("INSERT OR REPLACE INTO fields VALUES (?, ?)", [(number, one.fields) for number, one, _ in done])
        index.many("INSERT OR REPLACE INTO terms VALUES (?, ?)", [(number, one.terms) for number, one, _ in done])
    return True


def render_previews(folder: Folder, index: Index, uids: Sequence[int]) -> None:
    """Make the first words of these messages, and keep them; those whose file is gone are left out."""
    while not _render_previews(folder, index, uids):
        continue


def _render_previews(folder: Folder, index: Index, uids: Sequence[int]) -> bool:
    rule = in_force(index).withholding
    decisions, done = [], []
    for row in _without(folder, index, uids, "previews"):
        message, decision = _seen(folder, index, row, rule)
        if message is None:
            continue
        try:
            done.append((row[1], preview(message.buffer, scan(message.buffer))))
        finally:
            message.close()
        if decision is not None:
            decisions.append(decision)
    with index.changing():
        if not keep(index, rule, decisions):
            return False
        index.many("INSERT OR REPLACE INTO previews VALUES (?, ?)", done)
    return True


def _without(folder: Folder, index: Index, uids: Sequence[int], table: str) -> list[Row]:
    """Those of these messages of which the table has nothing."""
    return index.all(
        "SELECT id, content, octets, size, withheld, date, base, seen FROM facts CROSS JOIN files USING (id)"
        f" WHERE id IN {chosen()} AND withheld <> {LEFT}"
        f" AND NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.content = facts.content) ORDER BY id",
        str([folder.id_of(uid) for uid in uids]),
    )


def _seen(folder: Folder, index: Index, row: Row, rule: Withholding) -> tuple[Content | None, Decision | None]:
    """The message in its form, and what was decided about it where nobody had before."""
    id, number, octets, size, withheld, _, base, seen = row
    try:
        buffer = open_file(path_in(folder.path, base, seen))
    except FileNotFoundError:
        file = found(folder, index, id & UID_MASK)
        if file is None:
            return None, None
        base, buffer = file
    if size is not None:
        message = _formed(folder, buffer, octets, size, withheld)
        changed = message.size != size
        return message, Decision(number, message.size, withheld, None) if changed else None
    withheld, secrecy = judged(folder.account, rule, base, buffer)
    message = _formed(folder, buffer, octets, claimed(base, len(buffer)), withheld)
    return message, Decision(number, message.size, withheld, secrecy)


def measure_some(folder: Folder, index: Index, last: int) -> int | None:
    """Find out sizes that no name tells, and what is withheld, of a few messages with UIDs above `last`.

    The last of these UIDs; None when there are no more.
    """
    some = index.all(
        "SELECT id FROM facts WHERE size IS NULL AND id > ? AND id <= ? ORDER BY id LIMIT ?",
        folder.id_of(last), folder.ids()[1], MEASURED_AT_ONCE,
    )  # fmt: skip
    decide(folder, index, [id for (id,) in some])
    return some[-1][0] & UID_MASK if len(some) == MEASURED_AT_ONCE else None


def decide(folder: Folder, index: Index, ids: Sequence[int]) -> None:
    """Find out what is withheld of these messages, and how large they are then; whose file is gone stays undecided."""
    kept = False
    while not kept:
        rule = in_force(index).withholding
        numbers = index.all(f"SELECT id, content FROM facts WHERE size IS NULL AND id IN {chosen()}", str(list(ids)))
        if not numbers:
            return
        decisions = []
        for id, number in numbers:
            file = found(folder, index, id & UID_MASK)
            if file is not None:
                decisions.append(_measured(folder, rule, number, *file))
        with index.changing():
            kept = keep(index, rule, decisions)


def _measured(folder: Folder, rule: Withholding, number: int, base: bytes, buffer: Octets) -> Decision:
    """Without making a CRLF form of it."""
    try:
        withheld, secrecy = judged(folder.account, rule, base, buffer)
        if withheld:
            size = len(withheld_form(buffer, Reason(withheld)))
        else:
            size = claimed(base, len(buffer)) or crlf_size(buffer)
        return Decision(number, size, withheld, secrecy)
    finally:
        Content(buffer).close()
