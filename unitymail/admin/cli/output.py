"""How answers are shown: JSON for programs, tables for people, progress bars on a terminal.

Refuses to know what is shown. Cells are never read as markup, and nothing is cut off when the output is no terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from unitymail.admin.operations.outcome import Facts

WIDE = 4_000


def show_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_facts(facts: Facts) -> None:
    """One object: a line for each field."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(name), Text(words(value)))
    _print(table)


def show_table(rows: Iterable[Facts], columns: Sequence[str]) -> None:
    """Many objects: a line for each, these fields as columns."""
    if not sys.stdout.isatty():
        _write_lines([columns, *([words(row[column]) for column in columns] for row in rows)])
        return
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(words(row[column])) for column in columns))
    _print(table)


def _write_lines(lines: Sequence[Sequence[str]]) -> None:
    """Columns of even width, a line for each row; a hundred thousand take a second, where Rich takes minutes."""
    clean = [[" ".join(cell.split()) for cell in line] for line in lines]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*clean, strict=True)]
    for line in clean:
        click.echo("  ".join(set_cell_size(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip())


def words(value: Any) -> str:
    """A value as people read it; what would speak to the terminal (a subject is a stranger's) becomes a mark."""
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return ""
        case dict():
            return ", ".join(f"{key}={words(item)}" for key, item in value.items())
        case list() | tuple():
            separator = "\n" if any(isinstance(item, dict) for item in value) else " "
            return separator.join(words(item) for item in value)
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(value))


def _print(table: Table) -> None:
    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, highlight=False, markup=False, width=None if terminal else WIDE)
    console.print(table)


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Any]:
    """`advance(n)` within the block moves a bar, on a terminal; elsewhere nothing is printed."""
    if not sys.stderr.isatty():
        yield lambda n=1: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda n=1: bar.advance(task, n)
