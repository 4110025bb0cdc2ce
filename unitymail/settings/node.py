"""The settings of this node, as frozen values read from the text of `unitymail.toml`.

Knows every table and key, its default and its range, and reports every complaint at once with its line. Refuses to open
the file: who hands in the text also says which folder relative paths start from.
"""

from __future__ import annotations

import ipaddress
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import Any

from unitymail.settings.balancers import why_no_balancers


def key(
    default: Any, meaning: str, *, low: int | None = None, high: int | None = None, choices: tuple[str, ...] = ()
) -> Any:
    """A field with its default, its meaning for `etc/unitymail.toml`, and its range or choices."""
    return field(default=default, metadata={"meaning": meaning, "low": low, "high": high, "choices": choices})


def port(default: int, meaning: str) -> Any:
    return key(default, f"{meaning}; 0 turns the door off", low=0, high=65_535)


def folder(meaning: str) -> Any:
    """One that need not be."""
    return key("", meaning)


def balancers(door: str) -> Any:
    return key((), f"Load balancers in front of the {door} door, as [\"192.0.2.7\", \"10.0.0.0/24\"]")


@dataclass(frozen=True, slots=True)
class NodeTable:
    host_name: str = key("localhost", "The name this node gives itself in banners, Received fields and reports")
    workers: str = key("1", "Processes that serve the doors: a number, or auto for one a core of this machine")


@dataclass(frozen=True, slots=True)
class PathsTable:
    directory: str = key("directory.sqlite", "The directory's SQLite file")
    accounts: str = key("accounts", "The folder of the mailboxes; never on NFS")
    spool: str = key("spool", "The folder of messages on their way; best on the same file system as accounts")
    history: str = key("history.sqlite", "The history of messages, for `unitymail trace`; a local file system")
    run: str = key("run", "The folder of the doorbell's sockets; a local file system")
    keep_free_mib: int = key(
        64, "No mail is taken in while less than this is free where accounts or spool lie, in MiB; 0 takes it always",
        low=0, high=1_000_000,
    )


@dataclass(frozen=True, slots=True)
class ListenTable:
    address: str = key("", "The address to listen on; empty for all, IPv4 and IPv6")
    smtp: int = port(25, "SMTP from phone systems, peers and other servers")
    submission: int = port(587, "Submission with STARTTLS, for people's mail programs")
    submissions: int = port(465, "Submission with TLS from the first octet")
    imap: int = port(143, "IMAP with STARTTLS")
    imaps: int = port(993, "IMAP with TLS from the first octet")
    web: int = port(8443, "The web console; closed in this version")
    metrics: int = port(0, "Numbers for Prometheus, on 127.0.0.1 only, at /metrics; 9465 is a usual choice")


@dataclass(frozen=True, slots=True)
class ProxyFromTable:
    """From these addresses a PROXY protocol header is required, and believed; from all others it is refused."""

    smtp: tuple[str, ...] = balancers("smtp")
    submission: tuple[str, ...] = balancers("submission")
    submissions: tuple[str, ...] = balancers("submissions")
    imap: tuple[str, ...] = balancers("imap")
    imaps: tuple[str, ...] = balancers("imaps")


@dataclass(frozen=True, slots=True)
class TlsTable:
    certificate: str = key("tls/cert.pem", "The certificate chain, PEM; read again on SIGHUP")
    key: str = key("tls/key.pem", "Its private key, PEM")
    names: str = folder("Certificates for further names: a folder each in it, with cert.pem and key.pem; empty: none")


@dataclass(frozen=True, slots=True)
class LogTable:
    file: str = key("-", "Where the journal goes: a file, or - for standard output")
    format: str = key("text", "One line an event, for people or for programs", choices=("text", "json"))


@dataclass(frozen=True, slots=True)
class ThreadsTable:
    store: int = key(4, "Threads for mailboxes", low=1, high=64)
    directory: int = key(2, "Threads for the directory's SQL", low=1, high=16)
    passwords: int = key(2, "Threads for checking passwords", low=1, high=16)
    audio: int = key(2, "Threads for converting audio", low=1, high=64)
    relay: int = key(2, "Threads for reading what is sent to other systems", low=1, high=64)


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """`folder` is where relative paths start."""

    folder: str
    node: NodeTable = NodeTable()
    paths: PathsTable = PathsTable()
    listen: ListenTable = ListenTable()
    proxy_from: ProxyFromTable = ProxyFromTable()
    tls: TlsTable = TlsTable()
    log: LogTable = LogTable()
    threads: ThreadsTable = ThreadsTable()

    def path(self, relative: str) -> str:
        return str(PurePosixPath(self.folder) / relative)


def workers_of(settings: NodeSettings, cores: int) -> int:
    """How many processes serve the doors on a machine of so many cores."""
    return cores if settings.node.workers == "auto" else int(settings.node.workers)


TABLES: dict[str, type[Any]] = {
    "node": NodeTable,
    "paths": PathsTable,
    "listen": ListenTable,
    "proxy_from": ProxyFromTable,
    "tls": TlsTable,
    "log": LogTable,
    "threads": ThreadsTable,
}


ABOUT = {
    "proxy_from": "The PROXY protocol: from these addresses its header is required and believed, from others refused."
}
"""What is to be said of a table as a whole."""


@dataclass(frozen=True, slots=True)
class FileComplaint:
    """Something wrong in the file. `line` counts from 1; 0 when no line is to blame."""

    line: int
    words: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.words}" if self.line else self.words


class BadSettings(Exception):
    """All that is wrong with the file, in the order of its lines."""

    def __init__(self, complaints: tuple[FileComplaint, ...]) -> None:
        super().__init__("\n".join(map(str, complaints)))
        self.complaints = complaints


def read_node(text: str, folder: str, exists: Callable[[str], bool] | None = None) -> NodeSettings:
    """The settings that `text` holds; raises BadSettings with every complaint. `exists` checks the files it names."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings((_syntax(str(error)),)) from None
    lines = _lines_of_keys(text)
    complaints: list[FileComplaint] = []
    values: dict[str, Any] = {}
    for name, table in tables.items():
        if name not in TABLES:
            words = f"no such table [{name}]; there are {', '.join(f'[{known}]' for known in TABLES)}"
            complaints.append(FileComplaint(_line_of(lines, name), words))
        elif not isinstance(table, dict):
            complaints.append(FileComplaint(_line_of(lines, name), f"{name} is a table: write [{name}]"))
        else:
            values[name] = TABLES[name](**_read_table(name, table, lines, complaints))
    settings = NodeSettings(folder, **values)
    complaints.extend(_across(settings, lines, exists))
    if complaints:
        raise BadSettings(tuple(sorted(complaints, key=lambda complaint: complaint.line)))
    return settings


def _read_table(
    name: str, table: Mapping[str, Any], lines: Mapping[tuple[str, str], int], complaints: list[FileComplaint]
) -> dict[str, Any]:
    known = {f.name: f for f in fields(TABLES[name])}
    good: dict[str, Any] = {}
    for word, value in table.items():
        line = _line_of(lines, name, word)
        if word not in known:
            complaints.append(FileComplaint(line, f"[{name}] has no key {word!r}; it has {', '.join(known)}"))
            continue
        why = _why_not(value, known[word])
        if why:
            complaints.append(FileComplaint(line, f"{name}.{word}: {why}"))
        else:
            kind: Any = type(known[word].default)
            good[word] = kind(value)
    return good


def _why_not(value: Any, known: Any) -> str:
    """Why `value` cannot be, "" when it can."""
    limits = known.metadata
    if known.name == "workers":
        return "" if re.fullmatch(r"auto|[1-9]\d?", str(value)) else f"{value!r} is neither auto nor 1 to 99"
    if isinstance(known.default, tuple):
        return why_no_balancers(value)
    if isinstance(value, bool) or not isinstance(value, type(known.default)):
        kind = "a whole number" if isinstance(known.default, int) else "text in quotes"
        return f"{value!r} should be {kind}"
    if isinstance(value, str) and not value.isprintable():
        return f"{value!r} holds a control character"
    if limits["choices"] and value not in limits["choices"]:
        return f"{value!r} is not one of {', '.join(limits['choices'])}"
    if limits["low"] is not None and not limits["low"] <= value <= limits["high"]:
        return f"{value} is outside {limits['low']} to {limits['high']}"
    return ""


def _across(
    settings: NodeSettings, lines: Mapping[tuple[str, str], int], exists: Callable[[str], bool] | None
) -> list[FileComplaint]:
    """What only shows when several values are seen together, or the disk."""
    found = []
    ports: dict[int, str] = {}
    for f in fields(ListenTable):
        number = getattr(settings.listen, f.name)
        if f.name == "address" or not number:
            continue
        if number in ports:
            words = f"listen.{f.name}: port {number} is also listen.{ports[number]}; each door needs its own"
            found.append(FileComplaint(_line_of(lines, "listen", f.name), words))
        ports.setdefault(number, f.name)
    if settings.listen.address and not _is_address(settings.listen.address):
        words = f"listen.address: {settings.listen.address!r} is no IP address; write one, as 127.0.0.1, or nothing"
        found.append(FileComplaint(_line_of(lines, "listen", "address"), words))
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", settings.node.host_name):
        found.append(FileComplaint(_line_of(lines, "node", "host_name"), "node.host_name: not a domain name"))
    if exists is not None:
        for word in ("certificate", "key"):
            path = settings.path(getattr(settings.tls, word))
            if not exists(path):
                words = f"tls.{word}: {path} is not there or not readable; `unitymail init` makes a self-signed pair"
                found.append(FileComplaint(_line_of(lines, "tls", word), words))
        if settings.tls.names and not exists(path := settings.path(settings.tls.names)):
            words = f"tls.names: {path} is not there or not readable; make that folder, or write nothing"
            found.append(FileComplaint(_line_of(lines, "tls", "names"), words))
    return found


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _syntax(words: str) -> FileComplaint:
    at = re.search(r"\(at line (\d+), column \d+\)", words)
    return FileComplaint(int(at[1]) if at else 0, f"not TOML: {words}")


_WORD = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_WORDS = rf"{_WORD}(?:\s*\.\s*{_WORD})*"
_TABLE = re.compile(rf"\s*\[\[?\s*({_WORDS})\s*\]")
_KEY = re.compile(rf"\s*({_WORDS})\s*=")


def _lines_of_keys(text: str) -> dict[tuple[str, str], int]:
    """(table, key) → line, good enough to point at; (table, "") is the table's own line, ("", key) a bare key's."""
    lines: dict[tuple[str, str], int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _TABLE.match(line):
            table = _plain(match[1])
            lines.setdefault((table, ""), number)
        elif match := _KEY.match(line):
            above, _, key = f"{table}.{_plain(match[1])}".strip(".").rpartition(".")
            lines.setdefault((above, key), number)
    return lines


def _line_of(lines: Mapping[tuple[str, str], int], table: str, key: str = "") -> int:
    """The line to blame: the key's own, that of the table around it, or the first in that table; 0 for none."""
    within = (line for (above, _), line in lines.items() if above.split(".")[0] == table)
    return lines.get((table, key)) or lines.get((table, "")) or lines.get(("", table)) or min(within, default=0)


def _plain(words: str) -> str:
    return re.sub(r"""["'\s]""", "", words)


def write_node(values: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of a file with every key, its meaning as a comment, and `values` in place of defaults."""
    out = ["# Settings of this unitymail node. Rules of the site are elsewhere: `unitymail site show`.", ""]
    for name, table in TABLES.items():
        out.append(f"[{name}]")
        if name in ABOUT:
            out.append(f"# {ABOUT[name]}")
        for f in fields(table):
            value = values.get(name, {}).get(f.name, f.default)
            choices = f" ({' or '.join(f.metadata['choices'])})" if f.metadata["choices"] else ""
            out.append(f"# {f.metadata['meaning']}{choices}.")
            out.append(f"{f.name} = {_written(value)}")
        out.append("")
    return "\n".join(out)


def _written(value: int | str | Sequence[str]) -> str:
    """As TOML: its whole numbers, basic strings and arrays are JSON's too."""
    return json.dumps(value, ensure_ascii=False)
