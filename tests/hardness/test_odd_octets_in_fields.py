"""NUL, controls, 8-bit of no charset, look-alikes and endless text in every field of the directory.

The fields are found by asking the command line for its options, so that a new one is tried as well. Each word is
either refused with a sentence, or kept as text of one line and shown as such; there is never a traceback, nothing of
another kind is in the database afterwards, and all of it is still read.
"""

import unicodedata

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import MetaData, create_engine, select

from tests.admin.small_desk import CommandLine
from tests.hardness.nasty import SPEAKS_TO_A_TERMINAL
from unitymail.admin.cli.main import command_line
from unitymail.admin.operations.peers import Ourselves
from unitymail.directory.book import Book

WORDS = (
    "Robin\r\nBcc: evil@evil.example", "a\nb", "\0", "a\0b", "\x1b[2J", "\x9b2J", "\x7f", "a\tb", "\u2028x", "\u202ex",
    "\ud800", "\udcff\udcfe", "\ufeffx", "\U0010ffff", "x" * 5_000, "\u0300" * 300, "'; DROP TABLE users; --", "%", "_",
    "\\", '"', "Zo\u00eb", "Zoe\u0308", "\u65e5\u672c\u8a9e", "\u05e9\u05dc\u05d5\u05dd", " ", "", "-", "..", "@",
    "a@b", "x@" + "y." * 200 + "z",
)  # fmt: skip
THINGS = {
    "user": ("robin",), "contact": ("jo",), "list": ("team",), "location": ("Tokyo",), "cos": ("Staff",),
    "template": ("Plain",), "scope": ("Near",), "peer": ("vm2",),
}
TURNS = "\u202e\ufeff"
OTHERS = "ab" * 32
NO_FIELDS = {"json", "password_file", "spoken_name"}


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("fields") / "directory.sqlite")
    line = CommandLine(path)
    line.path = path
    line.do("site", "set", "smart_host.host=smart.example.net")
    line.do("user", "add", "robin", "--password-stdin", input="tulips at noon\n")
    line.do("contact", "add", "jo")
    line.do("list", "add", "team")
    line.do("location", "add", "Tokyo", "--domain", "tokyo.example", "--dial-id", "881")
    line.do("cos", "add", "Staff")
    line.do("template", "add", "Plain")
    line.do("scope", "add", "Near", "--partition", "Default")
    line.desk.ourselves = Ourselves("vm1.example.com", 25, 8443, "vm1.example.com", "cd" * 32)
    there = ("--host", "192.0.2.9", "--port", "25", "--domain", "vm2.example", "--fingerprint", OTHERS)
    line.do("peer", "add", "vm2", *there)
    yield line
    line.desk.close()


def run(line, *words):
    """What came of it: an exception is nobody's answer."""
    result = CliRunner().invoke(line._group, ["-c", "x", *words], input="tulips at noon\n", catch_exceptions=False)
    assert result.exit_code in (0, 1, 2), result.output
    said = (result.stdout + result.stderr).replace("\n", "")
    assert not SPEAKS_TO_A_TERMINAL.search(said), said
    assert result.exit_code != 1 or len(result.stderr.strip()) > 10
    return result


def parameters(group, verb):
    commands = command_line(lambda config: None).commands[group].commands
    for parameter in commands[verb].params if verb in commands else ():
        if parameter.name not in NO_FIELDS and parameter.type in (click.STRING,):
            yield parameter


SETTINGS = [
    (group, name, parameter.opts[0])
    for group, names in THINGS.items()
    for name in names
    for parameter in parameters(group, "set")
    if isinstance(parameter, click.Option)
]
NAMES = [
    (group, verb)
    for group in (*THINGS, "partition", "access", "queue", "badmail", "mailbox")
    for verb in ("add", "show", "delete", "remove", "list", "stat", "unlock")
    for parameter in parameters(group, verb)
    if isinstance(parameter, click.Argument) and group not in ("queue", "badmail", "mailbox")
]


def test_the_fields_are_found():
    """Names, display names, addresses, extensions, prefixes, domains, hosts: dozens of them."""
    options = {option for _, _, option in SETTINGS}
    assert {"--display-name", "--proxy", "--extension", "--domain", "--relay-address", "--remote-prefix"} <= options
    assert len(SETTINGS) > 50 and len(NAMES) > 15


@pytest.mark.parametrize(("group", "name", "option"), SETTINGS, ids=lambda value: value.strip("-"))
def test_every_option_of_set(line, group, name, option):
    """Each word, given to each option of each thing there is."""
    for word in WORDS:
        if option in ("--alias", "--name", "--new-name", "--new-alias"):
            continue
        run(line, group, "set", f"{option}={word}", "--", name)
    run(line, group, "show", name, "--json")


@pytest.mark.parametrize(("group", "verb"), sorted(set(NAMES)))
def test_every_name(line, group, verb):
    """Each word as the name of a thing to make, to show, to delete."""
    for word in WORDS:
        more = {"list": ("--partition", "Default"), "location": ("--domain", "x.example"),
        "user": ("--password-stdin",),
                "access": ("--allow",), "scope": ("--partition", "Default"),
                "peer": ("--host", "h", "--port", "25", "--domain", "d.example", "--fingerprint", "cd" * 32)}
        run(line, group, verb, *(more.get(group, ()) if verb == "add" else ()), "--", word)


def test_every_setting_of_the_site(line):
    """Each word as each setting, by its key, and as a key."""
    keys = [row.split("=")[0] for row in line.do("site", "show").splitlines()]
    before = line.do("site", "show")
    for key in keys:
        for word in WORDS:
            run(line, "site", "set", f"{key}={word}")
    for word in WORDS:
        run(line, "site", "set", f"{word}=1")
    assert len(line.do("site", "show").splitlines()) == len(before.splitlines()), "no value makes a line of its own"


def test_a_file_of_users(line, tmp_path):
    """Each word in each column of a file, in UTF-8 and in octets that are none."""
    for number, word in enumerate(WORDS):
        for encoding in ("utf-8", "latin-1"):
            cell = word.replace('"', '""')
            file = tmp_path / f"users{number}.csv"
            rows = (
                "alias,display_name,extension,proxy,password",
                f'u{number},"{cell}","{cell}","{cell}",tulips at noon', f'"{cell}",x,,,tulips at noon',
            )
            file.write_bytes("\r\n".join(rows).encode(encoding, "replace"))
            run(line, "import", "users", str(file))


def test_what_is_kept_is_text(line):
    """After all of that: no control, no half character and no mark that turns text around is in the database."""
    engine = create_engine(f"sqlite:///{line.path}")
    tables = MetaData()
    tables.reflect(engine)
    seen = 0
    with engine.connect() as connection:
        for table in tables.sorted_tables:
            for row in connection.execute(select(table)):
                for column, value in row._mapping.items():
                    if not isinstance(value, str) or (table.name, column) in MADE_BY_US:
                        continue
                    seen += 1
                    bad = [c for c in value if unicodedata.category(c) in ("Cc", "Cs", "Zl",
                    "Zp") or c in TURNS]
                    assert not bad, (table.name, column, value)
                    assert value == unicodedata.normalize("NFC", value), (table.name, column, value)
    engine.dispose()
    assert seen > 100


MADE_BY_US = {("changes", "detail")}
"""What changed from what to what, for the log: line ends between several."""


def test_all_of_it_is_read_again(line):
    """The address book that every process holds is made of what is there, and lists show it."""
    assert Book.load(line.desk.database).user_named("robin") is not None
    for group in THINGS:
        run(line, group, "list")
        run(line, group, "list", "--json")
