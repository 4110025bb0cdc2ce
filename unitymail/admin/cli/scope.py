"""`unitymail scope`: search scopes, and whom they reach."""

from __future__ import annotations

import codecs
import sys
from typing import Any

import click

from unitymail.admin.cli import output
from unitymail.admin.cli.office import Office, verb
from unitymail.admin.cli.options import several, wish
from unitymail.admin.cli.usual import Usual
from unitymail.admin.operations.address_book import COLUMNS, address_book, csv_lines
from unitymail.admin.operations.scopes import SCOPES, ScopeWish


@click.group("scope")
def command() -> None:
    """Search scopes: whom a sender reaches, as partitions in the order in which extensions are looked for."""


def _read(office: Office, given: dict[str, Any]) -> ScopeWish:
    if given["more"] and not given["partition"]:
        raise click.UsageError(f"What is {given['more'][0]}? Name partitions with --partition.")
    return wish(ScopeWish, {"partition": (*given["partition"], *given["more"])})


Usual(
    command,
    SCOPES,
    ("name", "partition"),
    (
        several("--partition", "P", "A partition that it reaches."),
        click.argument("more", nargs=-1, metavar="[P]..."),
    ),
    _read,
).all()


@verb(command, "addressbook")
@click.argument("name")
@click.option("--encoding", default="utf-8", metavar="NAME", help="utf-8, unless given; utf-8-sig for Excel, or a code "
              "page such as windows-1252 for old versions of Outlook.")  # fmt: skip
def addressbook(office: Office, name: str, encoding: str) -> None:
    """Everybody whom the scope NAME reaches, as a CSV file for Outlook's import (File, Open & Export, Import)."""
    rows = address_book(office.desk.directory, name)
    if office.json:
        keys = [column.lower().replace(" ", "_").replace("-", "") for column in COLUMNS]
        output.show_json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    try:
        "Name".encode(encoding)  # base64 and the like are codecs too, but not of text
        encoder = codecs.getincrementalencoder(encoding)("replace")
    except (LookupError, UnicodeError) as error:
        raise click.UsageError(f"{encoding} is no encoding; give utf-8, utf-8-sig or a code page.") from error
    for line in csv_lines(rows):
        sys.stdout.buffer.write(encoder.encode(line))
    sys.stdout.buffer.flush()
