"""`unitymail import`: many users at once, from a CSV file."""

from __future__ import annotations

from dataclasses import asdict
from typing import BinaryIO

import click

from unitymail.admin.cli import output
from unitymail.admin.cli.office import Office, verb
from unitymail.admin.operations.csv_rows import rows_of
from unitymail.admin.operations.importing import Imported, import_users
from unitymail.admin.operations.outcome import Done
from unitymail.admin.operations.user_rows import COLUMNS


@click.group("import")
def command() -> None:
    """Many objects at once, from a file."""


@verb(command, "users", help=f"""Add a user for each row of FILE, a CSV file whose first line names the columns.

The columns are {", ".join(COLUMNS)}: as the options of `user add`. Several values stand between semicolons, an empty
cell says nothing, and '' clears. Every bad row is told with its line and why, and the good ones are kept.""")
@click.argument("file", type=click.File("rb"))
@click.option("--update", is_flag=True, help="Change users who are there already.")
@click.option("--dry-run", is_flag=True, help="Report the same, and change nothing.")
def users(office: Office, file: BinaryIO, update: bool, dry_run: bool) -> None:
    desk = office.desk
    with output.progress("Importing users", _lines_in(file)) as advance:
        rows = rows_of(file, COLUMNS, "alias")
        done = import_users(
            desk.directory, desk.passwords, rows, update=update, dry_run=dry_run, who=desk.who, advance=advance
        )
    if not office.json:
        for problem in done.problems:
            who = f" ({problem.alias})" if problem.alias else ""
            output.say(" ".join(f"line {problem.line}{who}: {problem.why}".split()), err=True)
    facts = {**asdict(done), "dry_run": dry_run}
    usn = facts.pop("usn")
    notes = _notes(done, dry_run)
    if usn and not dry_run:
        office.done(Done(usn, facts, notes), _words(done, dry_run))
    else:
        office.say(facts, _words(done, dry_run))
    if done.problems:
        click.get_current_context().exit(1)


def _words(done: Imported, dry_run: bool) -> str:
    would = "Nothing was changed; without --dry-run: " if dry_run else ""
    bad = len(done.problems)
    return (
        f"{would}{done.added} added, {done.changed} changed, {done.unchanged} unchanged, "
        f"{bad} bad row{'' if bad == 1 else 's'}."
    )


def _notes(done: Imported, dry_run: bool) -> tuple[str, ...]:
    if not done.without_password or dry_run:
        return ()
    return (f"{done.without_password} of those added have no password, so they cannot sign in (`user passwd`).",)


def _lines_in(file: BinaryIO) -> int | None:
    """About how many rows there are; None for a stream."""
    if not file.seekable():
        return None
    count = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    file.seek(0)
    return count


