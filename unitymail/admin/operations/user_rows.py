"""What a row of a file asks for a user: columns have the names of the options of `user add`, and `password`.

An empty cell says nothing; '' in a cell clears, as on the command line; several values stand between semicolons.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from unitymail.admin.operations.csv_rows import BadRow, Row
from unitymail.admin.operations.wish import UserWish

SWITCHES = ("route_ndr", "age_messages")
SEVERAL = ("proxy", "delegate", "hide_capability", "offer_capability", "action")
COLUMNS = (*(f.name for f in fields(UserWish) if f.name != "spoken_name"), "password")
CLEAR = "''"
_WORDS = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a good row asks; `wish.alias` is never said, since `alias` names the user."""

    line: int
    alias: str
    wish: UserWish
    password: bytes | None


def asked_by(row: Row) -> Asked | BadRow:
    cells = {name: cell.strip() for name, cell in row.cells.items() if name != "password"}
    alias = cells.pop("alias")
    if not alias:
        return BadRow(row.line, "The row has no alias; give one, such as the name people sign in with.")
    values: dict[str, Any] = {name: _value(name, cell) for name, cell in cells.items() if cell}
    for name in SWITCHES:
        if values.get(name, True) is None:
            return BadRow(row.line, f"{name} is {cells[name]!r}; write yes or no.")
    password = row.cells.get("password", "")
    return Asked(row.line, alias, UserWish(**values), password.encode("utf-8", "surrogatepass") if password else None)


def _value(name: str, cell: str) -> Any:
    text = "" if cell == CLEAR else cell
    if name in SEVERAL:
        return tuple(part.strip() for part in text.split(";") if part.strip())
    if name in SWITCHES:
        return _WORDS.get(text.lower())
    return text.replace(";", ",") if name == "quota" else text
