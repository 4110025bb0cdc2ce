"""`unitymail mailbox undelete`: which expunged messages can come back, and bringing some of them back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import click

from unitymail.admin.cli import output
from unitymail.admin.cli.office import Office
from unitymail.admin.operations.moments import utc
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.trace import moment
from unitymail.interfaces.directory import Refused
from unitymail.interfaces.store import Deleted, IAccount
from unitymail.mail.headers import FIELD, addresses, decode
from unitymail.mail.report_parts import header_of

COLUMNS = ("id", "deleted", "folder", "from", "subject", "size")
INBOX = "INBOX"
AT_ONCE = 100
"""Messages that come back while the mailbox waits."""
NAMED = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ones; `ids` () and `folder` "" leave none out, nor does 0 for `since` (Unix seconds)."""

    ids: Collection[int] = ()
    folder: str = ""
    since: float = 0.0

    @property
    def says_nothing(self) -> bool:
        return not (self.ids or self.folder or self.since)

    def fits(self, message: Deleted) -> bool:
        if self.ids and message.id not in self.ids:
            return False
        return message.at >= self.since and self.folder in ("", message.folder)


def wanted(ids: Collection[int], folder: str, since: str | None, now: float) -> Wanted:
    """As it was typed; wrong usage when a time cannot be read."""
    try:
        return Wanted(ids, folder, moment(since, now) if since is not None else 0.0)
    except ValueError as error:
        raise click.UsageError(f"--since: {error}") from None


def list_(office: Office, alias: str, account: IAccount, wish: Wanted) -> None:
    """A line for each that can come back."""
    found = _found(alias, account, wish)
    with output.progress(f"reading what {alias} deleted", len(found)) as advance:
        rows = []
        for message in found:
            rows.append(_facts(account, message))
            advance(1)
    office.table(rows, COLUMNS)


def bring_back(office: Office, alias: str, account: IAccount, wish: Wanted) -> None:
    """A few at a time, while clients work."""
    found = _found(alias, account, wish)[::-1]
    brought = 0
    with output.progress(f"bringing back mail of {alias}", len(found)) as advance:
        for begin in range(0, len(found), AT_ONCE):
            some = found[begin : begin + AT_ONCE]
            brought += account.undelete([message.id for message in some])
            advance(len(some))
    present = {info.name for info in account.folders() if info.selectable}
    folders = sorted({message.folder if message.folder in present else INBOX for message in found})
    for name in folders:
        office.desk.ring(account.id, name)
    office.desk.count(account.id)
    gone = len(found) - brought
    words = f"Brought back {_messages(brought)} of {alias}"
    words += f", in {', '.join(folders)}." if brought else "."
    if gone:
        words += f" The files of {_messages(gone)} are gone."
    office.say({"alias": alias, "undeleted": brought, "gone": gone, "folders": folders}, words)


def _found(alias: str, account: IAccount, wish: Wanted) -> list[Deleted]:
    """The newest first; refuses when one that was named cannot come back."""
    found = [message for message in account.deleted() if wish.fits(message)]
    if missing := sorted(set(wish.ids) - {message.id for message in found}):
        named = ", ".join(map(str, missing[:NAMED])) + (" and others" if len(missing) > NAMED else "")
        raise Refused(
            f"Nothing that {alias} deleted has the id {named}, in the folder and time that were asked for; "
            f"`unitymail mailbox undelete {alias} --list` shows what can come back."
        )
    return found


def _facts(account: IAccount, message: Deleted) -> Facts:
    named: dict[bytes, bytes] = {}
    for field in FIELD.finditer(header_of(account.deleted_heading(message.id))):
        if field[1] is not None:
            named.setdefault(field[1].lower(), field[0].partition(b":")[2])
    senders = addresses(named.get(b"from", b""))
    return {
        "id": message.id, "deleted": utc(message.at), "folder": message.folder,
        "from": senders[0].address if senders else "", "subject": decode(named.get(b"subject", b"")).strip(),
        "size": message.octets, "date": utc(message.date), "flags": list(message.flags),
    }  # fmt: skip


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


IDS: Any = click.argument("ids", nargs=-1, type=click.IntRange(min=1), metavar="[ID]...")
