"""How answers are shown: JSON for programs, tables for people, progress bars on a terminal.

Refuses to know what is shown. Cells are never read as markup, and nothing is cut off when the output is no terminal.
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
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

LEAST_ROOM = 20
IDS = ("id", "trace")
"""These are copied from the screen: they stay in one piece, however narrow it is."""


def show_json(value: Any) -> None:
    click.echo(as_json(value, indent=2))


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Letters of all scripts as they are; what would speak to the terminal, and what is no text, escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if text.isprintable() or text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    r"""`\u009b`; those beyond the sixteenth bit as two."""
    return f"\\u{ord(character):04x}" if character.isascii() else json.dumps(character)[1:-1]


def say(text: str, *, err: bool = False) -> None:
    """A sentence or several lines; words of others in them speak to people only, never to the terminal."""
    click.echo(words(text), err=err)


def show_facts(facts: Facts) -> None:
    """One object: a line for each field."""
    if not sys.stdout.isatty():
        _write_fields({name: words(value) for name, value in facts.items()})
        return
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
        table.add_column(column, overflow="fold", no_wrap=column in IDS)
    for row in rows:
        table.add_row(*(Text(words(row[column])) for column in columns))
    _print(table)


def _write_lines(lines: Sequence[Sequence[str]]) -> None:
    """Columns of even width, a line for each row; a hundred thousand take a second, where Rich takes minutes."""
    clean = [[" ".join(cell.split()) for cell in line] for line in lines]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*clean, strict=True)]
    for line in clean:
        click.echo("  ".join(set_cell_size(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _write_fields(fields: dict[str, str]) -> None:
    """As on a terminal, but no line is broken or filled up with spaces."""
    width = max(map(len, fields), default=0)
    for name, text in fields.items():
        for line in text.split("\n"):
            click.echo(f"{name:{width}}  {line}".rstrip())
            name = ""


def broken(text: str, indent: int) -> list[str]:
    """The lines of `text`, on a terminal broken between words so that each has room right of `indent` columns."""
    lines = text.split("\n")
    if not sys.stdout.isatty():
        return lines
    room = max(LEAST_ROOM, shutil.get_terminal_size().columns - indent)
    return [piece for line in lines for piece in _broken(line, room)]


def _broken(line: str, room: int) -> list[str]:
    """What goes on stands further in than the line begins, and than what belongs below it."""
    begin = line[: len(line) - len(line.lstrip())]
    pieces = textwrap.wrap(
        line.lstrip(), room, initial_indent=begin, subsequent_indent=begin + "    ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    return pieces or [line]


def words(value: Any) -> str:
    """A value as people read it; what would speak to the terminal (a subject is a stranger's) becomes a mark."""
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return ""
        case dict():
            return ", ".join(f"{key}={_within(item)}" for key, item in value.items())
        case list() | tuple():
            separator = "\n" if any(isinstance(item, dict) for item in value) else " "
            return separator.join(words(item) for item in value)
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(value))


def _within(value: Any) -> str:
    """A value of an object that stands in a line: objects in it have parentheses."""
    match value:
        case dict():
            return f"({words(value)})"
        case list() | tuple():
            return " ".join(map(_within, value))
    return words(value)


def _print(table: Table) -> None:
    Console(file=sys.stdout, highlight=False, markup=False).print(table)


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
