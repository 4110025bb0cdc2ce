"""Reading a CSV file of rows with named columns, row by row: what cannot be read is a value with its line and why.

Takes what spreadsheets write: a byte-order mark, CRLF or LF, quotes, commas, semicolons or tabs between cells, blank
lines, empty cells at the end. Refuses to know what the columns mean.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from unitymail.interfaces.directory import Refused

_SEPARATORS = ",;\t"
SAVE = "save the file as “CSV UTF-8”"
LONGEST_SHOWN = 40
"""Letters of a column's name; what is no CSV file at all has names as long as itself."""
_UNREAD = re.compile("[\udc80-\udcff\ufffd]")
"""What octets of another encoding are read as."""


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is the first of the file's lines that it stands on, from 1. Cells that were not there are empty."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    why: str


def rows_of(file: BinaryIO, known: Collection[str], needed: str) -> Iterator[Row | BadRow]:
    """The rows under the header. Column names count without case, `-` as `_`.

    Raises Refused for a header with unknown, doubled or missing columns.
    """
    text = _text(file)
    try:
        yield from _rows_of(text, known, needed)
    finally:
        text.detach()  # the file stays its opener's to close


def _rows_of(text: io.TextIOWrapper, known: Collection[str], needed: str) -> Iterator[Row | BadRow]:
    try:
        header = text.readline()
        columns = _columns(next(csv.reader([header], delimiter=_separator(header), strict=True), []), known, needed)
    except csv.Error as error:
        raise Refused(f"The first line cannot be read as column names: {error}.") from error
    yield from _rows(csv.reader(text, delimiter=_separator(header), strict=True), columns)


def _text(file: BinaryIO) -> io.TextIOWrapper:
    buffered = file if hasattr(file, "peek") else io.BufferedReader(file)  # type: ignore[type-var]
    wide = buffered.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")  # type: ignore[attr-defined]
    encoding, errors = ("utf-16", "replace") if wide else ("utf-8-sig", "surrogateescape")
    return io.TextIOWrapper(buffered, encoding, errors, newline="")  # type: ignore[type-var]


def _separator(header: str) -> str:
    """Spreadsheets write the one of their country."""
    return max(_SEPARATORS, key=header.count)


def _columns(names: list[str], known: Collection[str], needed: str) -> list[str]:
    columns = [name.strip().lower().lstrip("-").replace("-", "_").replace(" ", "_") for name in names]
    while columns and not columns[-1]:
        columns.pop()
    listed = ", ".join(known)
    if unknown := [name for name, column in zip(names, columns, strict=False) if column not in known]:
        shown = unknown[0] if len(unknown[0]) <= LONGEST_SHOWN else f"{unknown[0][:LONGEST_SHOWN]}…"
        raise Refused(f"The column {shown!r} is not known; known are {listed}.")
    if doubled := [column for column in columns if columns.count(column) > 1]:
        raise Refused(f"The column {doubled[0]} is there twice; leave one out.")
    if needed not in columns:
        raise Refused(f"The first line must name the columns, {needed} among them; known are {listed}.")
    return columns


def _rows(reader: Iterator[list[str]], columns: list[str]) -> Iterator[Row | BadRow]:
    line = 2
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line, f"The row cannot be read: {error}; look at its quotes.")
        else:
            if any(cells):
                yield _row(line, cells, columns)
        line = reader.line_num + 2  # type: ignore[attr-defined]


def _row(line: int, cells: list[str], columns: list[str]) -> Row | BadRow:
    if any(cells[len(columns) :]):
        return BadRow(line, f"The row has {len(cells)} cells and there are {len(columns)} columns; quote commas.")
    if _UNREAD.search("".join(cells)):
        return BadRow(line, f"The row holds letters that are not UTF-8; {SAVE}.")
    cells += [""] * (len(columns) - len(cells))
    return Row(line, dict(zip(columns, cells, strict=False)))
