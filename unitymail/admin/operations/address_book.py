"""What a search scope reaches, as a CSV file that Outlook's import takes.

Column names are those of Outlook's own export in English, which it maps by itself.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from unitymail.admin.operations.contacts import address_of
from unitymail.admin.operations.names import Names, the
from unitymail.interfaces.book import Entry
from unitymail.interfaces.directory import IDirectory, IDirectoryView
from unitymail.mail.address import key_of
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.people.location import Location
from unitymail.people.scope import SearchScope
from unitymail.people.user import User

COLUMNS = (
    "Name", "First Name", "Last Name", "E-mail Address", "E-mail Type", "E-mail Display Name", "Business Phone",
    "Categories",
)  # fmt: skip

_BEGIN_FORMULAS = ("=", "+", "-", "@")

Row = tuple[str, ...]


def address_book(directory: IDirectory, scope: str) -> Iterator[Row]:
    """A row of COLUMNS for each, by alias; read from the directory a slice at a time."""
    with directory.read() as view:
        found: SearchScope = the(view, SearchScope, scope)
        names = Names(view)
        relays_unknown = _relays_unknown(view)
        for entry in view.reached_by(found):
            if address := _address(entry, names, relays_unknown):
                yield _row(entry, address)


def csv_lines(rows: Iterable[Row]) -> Iterator[str]:
    """The rows as lines with CRLF, after the header; nothing at all when reading them is refused."""
    out, rest = _Lines(), iter(rows)
    writer, first = csv.writer(out), list(islice(rest, 1))
    for row in chain([COLUMNS], first, rest):
        writer.writerow(row)
        yield out.taken()


class _Lines:
    """A file for csv that keeps one line."""

    def __init__(self) -> None:
        self._text = ""

    def write(self, text: str) -> int:
        self._text += text
        return len(text)

    def taken(self) -> str:
        text, self._text = self._text, ""
        return text


def _relays_unknown(view: IDirectoryView) -> bool:
    site = view.site()
    return site.recipient_not_found == "smart-host" and bool(site.smart_host_host)


def _address(entry: Entry, names: Names, relays_unknown: bool) -> str:
    """Where to write to; "" for a contact without location, whose mail would only come back, and for our own list."""
    if not isinstance(entry, Contact):
        return "" if key_of(entry.alias) == UNDELIVERABLE else entry.address
    return address_of(entry, names.one(Location, entry.location)) if entry.location or relays_unknown else ""


def _row(entry: Entry, address: str) -> Row:
    if isinstance(entry, DistributionList):
        first = last = phone = ""
        kind = "Distribution list"
    else:
        first, last, phone = entry.first_name, entry.last_name, entry.extension
        kind = "User" if isinstance(entry, User) else "Contact"
    shown = as_text(entry.display_name)
    return (shown, as_text(first), as_text(last), address, "SMTP", shown, phone, kind)


def as_text(name: str) -> str:
    """A name that a spreadsheet would take for a formula gets an apostrophe; names may come from other systems.

    An address is none, whatever it begins with: no formula has an @ between names. Extensions hold no parentheses.
    """
    return f"'{name}" if name.startswith(_BEGIN_FORMULAS) else name
