"""Injection into the directory: CVE-2026-24031 (Dovecot, SQL), CVE-2026-27860 (Dovecot, LDAP), GHSA-5835-4gvc-32pc
(maddy, LDAP filters); and formulas in files for spreadsheets (CWE-1236).

Names are looked for as they are: no quote ends a statement, no `%`, `_` or `*` stands for another's name. Statements
are text of our own, values always bound. What goes out as CSV is what it was when it is read again, and no formula.
"""

import ast
import csv
import io
import re
from pathlib import Path

import pytest

import unitymail
from tests.admin.small_desk import CommandLine
from tests.source import tree_of
from unitymail.admin.operations.address_book import COLUMNS, csv_lines

HOUSE = Path(unitymail.__file__).parent
PATTERNS = (
    "%", "_", "rob%", "r_bin", "%@%", "*", "ro*", "?", "robin%00",
    "robin' --", "' OR '1'='1", "'; DROP TABLE users; --", "robin\\",
    "[a-z]%", "*)(uid=*", "robin)(|(alias=*)", "\\%", "ROBIN\u0130", "robin\u200b", "rob\u0131n", "ro\u00adbin",
    "\uff52obin",
    '"robin"', "robin;", "robin/*", "1", "0", "NULL", "true",
)  # fmt: skip
FORMULAS = (
    "=HYPERLINK(\"http://evil.example\",\"x\")", "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "=1+1\", \"x", "=",
    "+", "-", "@",
    "\uff1dA1", "Robin", "-Robin",
)  # fmt: skip


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    line = CommandLine(str(tmp_path_factory.mktemp("directory") / "directory.sqlite"))
    line.do("user", "add", "robin", "--proxy", "robin.smith@example.com", "--password-stdin", input="tulips at noon\n")
    yield line
    line.desk.close()


@pytest.mark.parametrize("name", PATTERNS)
def test_a_name_is_no_pattern(line, name):
    """Nothing but Robin's own names finds Robin, on the command line, in the address book and among stories."""
    for words in (("user", "show"), ("user", "delete"), ("user", "unlock"), ("list", "show"), ("cos", "show")):
        result = line.run(*words, "--", name)
        assert result.exit_code == 1, result.output
    assert line.run("trace", "--from", name).exit_code in (1, 2)
    book = line.desk.book
    for find in (book.find, book.user_named):
        assert find(name) is None
        assert find(f"{name}@vm1.example.com") is None
    assert [user["alias"] for user in line.json("user", "list")] == ["robin"]


def test_letter_case_is_no_pattern(line):
    """What does find Robin: the alias and the addresses, in any case."""
    book = line.desk.book
    for name in ("robin", "ROBIN", "robin@vm1.example.com", "Robin.Smith@Example.COM"):
        assert book.user_named(name).alias == "robin"


def test_an_injected_alias_is_an_alias(line):
    """A quote in a name is a character of it, where names may have one."""
    shown = line.json("user", "add", "o'hara", "--display-name", "Sean \"O'Hara\"; DROP TABLE users; --",
    "--password-stdin",
                      input="tulips at noon\n")  # fmt: skip
    assert shown["display_name"] == "Sean \"O'Hara\"; DROP TABLE users; --"
    assert line.json("user", "show", "o'hara")["alias"] == "o'hara"
    line.do("user", "delete", "o'hara")
    assert [user["alias"] for user in line.json("user", "list")] == ["robin"]


def test_statements_are_our_own():
    """No SQL is made of words of others: what is put into a statement is a name, a mark or a number of this source."""
    found = set()
    for path in sorted(HOUSE.rglob("*.py")):
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.JoinedStr):
                continue
            text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
            if SQL.search(text):
                found |= {ast.unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue)}
    assert found <= PUT_IN, found - PUT_IN


SQL = re.compile(r"\b(?:SELECT\s|INSERT\s+(?:OR\s|INTO)|UPDATE\s+\w+\s+SET|DELETE\s+FROM|PRAGMA\s)")
PUT_IN = {
    "UID_MASK", "VANISHED", "RARE", "pragma", "schema.VERSION", "table", "tables", "in_order", "contents", "others",
    "chosen",
    "chosen()", "_marks(any_of)", "','.join('?' * len(some))", "','.join('?' * len(bases))",
    "'FULL' if durable else 'NORMAL'",
    "values", "joins", "VERSION", "conditions", "date(1970, 1, 1).toordinal()", "UID_BITS", "LEFT", "_LIVE", "_DECIDED",
    "_HAS_FLAGS", "_THERE", "source", "where", "column", "columns", "folder.row.id", "'ON' if on else 'OFF'",
    "'quick_check' if quick else 'integrity_check'", "','.join(map(str, gone))",
}
"""Numbers and names of tables and columns of the source, and marks for values that are bound."""


def test_no_pattern_is_asked_for():
    """LIKE, GLOB and REGEXP, in which characters of a name mean others, are in no statement."""
    for path in sorted(HOUSE.rglob("*.py")):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.upper().split()
                assert not ({"SELECT", "UPDATE", "DELETE"} & set(words) and {"LIKE", "GLOB",
                "REGEXP"} & set(words)), path
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("like", "ilike", "regexp_match", "contains_op"), f"{path}:{node.lineno}"


@pytest.mark.parametrize("name", FORMULAS)
def test_no_cell_is_a_formula(line, name):
    """A name that a stranger's voice-mail system taught us is text for a spreadsheet."""
    line.do("contact", "add", "jo", "--proxy", "jo@elsewhere.example")
    try:
        line.do("contact", "set", "jo", f"--display-name={name}", f"--first-name={name}", f"--last-name={name}")
        line.do("site", "set", "smart_host.host=smart.example.net", "recipient_not_found=smart-host")
        rows = list(csv.reader(io.StringIO(line.do("scope", "addressbook", "Default"))))
    finally:
        line.do("contact", "delete", "jo")
    assert rows[0] == list(COLUMNS)
    for row in rows[1:]:
        for column, cell in zip(COLUMNS, row, strict=True):
            if column in ("Name", "First Name", "Last Name", "E-mail Display Name", "Categories"):
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (column, cell)
    shown = [row[0] for row in rows[1:] if row[-1] == "Contact"]
    assert not shown or shown == [name if name[0] not in "=+-@" else f"'{name}"]


def test_cells_stay_in_their_row():
    """Quotes, separators and line ends in a cell begin no other cell."""
    row = ('a"b', "a,b", "a;b", "a\nb", "a\r\nb", '"', "", "=1")
    (again,) = list(csv.reader(io.StringIO("".join(csv_lines([row]).__iter__()), newline="")))[1:]
    assert tuple(again) == row
