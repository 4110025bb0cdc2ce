"""`unitymail mailbox import --in-place`: what is said of a Maildir++ that is taken over from another server."""

from __future__ import annotations

from typing import Any

from unitymail.admin.cli import output
from unitymail.admin.cli.formats import must_be
from unitymail.admin.cli.office import Office
from unitymail.admin.operations.outcome import Facts
from unitymail.interfaces.directory import Refused

COLUMNS = ("folder", "messages", "taken", "known", "uids", "keywords")


def take_over(office: Office, alias: str, id: str, path: str | None, *, dry_run: bool) -> None:
    """`path`: None for the folder of the mailbox itself."""
    desk = office.desk
    place = desk.mailbox_folder(id) if path is None else path
    must_be("maildir", place)
    try:
        with output.progress(f"taking over {alias}", desk.exchange.messages_at(place)) as advance:
            report = desk.exchange.take_over(desk.store, id, place, dry_run=dry_run, advance=advance)
    except OSError as error:
        raise Refused(f"That cannot be read or written: {error}. What is done stays; run it again.") from error
    if not dry_run:
        for folder in report.folders:
            desk.ring(id, folder.folder)
        desk.count(id)
    _say(office, alias, report, dry_run)


def _say(office: Office, alias: str, report: Any, dry_run: bool) -> None:
    rows = [_row(folder) for folder in report.folders]
    if office.json:
        office.facts({
            "alias": alias, "dry_run": dry_run, "taken": report.taken, "known": report.known, "copied": report.copied,
            "folders": rows, "subscribed": report.subscribed, "notes": report.notes,
        })  # fmt: skip
        return
    output.show_table(rows, COLUMNS)
    for line in (_sum(alias, report, dry_run), *_reasons(report), *report.notes):
        output.say(line)


def _row(folder: Any) -> Facts:
    return {
        "folder": folder.folder, "directory": folder.directory, "messages": folder.messages, "taken": folder.taken,
        "known": folder.known, "skipped": folder.skipped, "uids": folder.uids, "why": folder.why,
        "keywords": list(folder.keywords),
    }  # fmt: skip


def _sum(alias: str, report: Any, dry_run: bool) -> str:
    would = "Nothing was changed; without --dry-run: " if dry_run else ""
    words = f"{would}{report.taken} messages taken over into {alias}; {report.known} were there."
    if report.subscribed:
        words += f" Subscribed: {', '.join(report.subscribed)}."
    if report.copied:
        words += f" {report.copied} files could not be linked and were copied."
    return words


def _reasons(report: Any) -> list[str]:
    """Why UIDs are not kept, and what was no message, where clients or the administrator will notice."""
    lost = [one for one in report.folders if one.taken and one.uids != "kept"]
    said = [f"{one.folder}: UIDs are not kept: {one.why}." for one in lost]
    return said + [f"{one.folder}: {one.skipped} entries are no messages." for one in report.folders if one.skipped]
