"""Names of mailboxes: one spelling on the wire, one directory on disk and never one outside; patterns end in time."""

from __future__ import annotations

from unitymail.imap.wire import names as wire
from unitymail.imap.wire.pattern import Pattern
from unitymail.interfaces.store import MAX_NAME_OCTETS, BadFolderName
from unitymail.store import names as disk

WORDS = [b"INBOX", b"inbox/", b"&AOk-", b"&-", b"&AC8-", b"&AC4-", b"..", b"../", b"/", b".", b"~", b"&2AA-", b"*",
         b"%", b"\0", b"&",
         b"&AAA-", b"\xc3\xa9", b"\xed\xa0\x80", b"&AAo-"]
SEEDS = [b"INBOX", b"Sent/&AOk-t&AOk-", b"v1.2", b"a/b.c", b"..", b"../../etc/passwd", b"~", b"&AC4-&AC4-/x",
         b"*%*%*%", b"x" * 255,
         "été/~/.".encode()]


def one(data: bytes) -> None:
    _check_wire(data)
    _check_disk(data.decode("utf-8", "replace"))
    _check_directory(data)
    pattern, _, name = data.partition(b"\0")
    if len(data) <= 2000:
        Pattern(pattern).matches(name)
        assert Pattern(b"*").matches(name)


def _check_wire(data: bytes) -> None:
    try:
        name = wire.decode(data)
    except wire.BadName:
        return
    assert wire.encode(name) == data and data.isascii()
    assert wire.decode(wire.encode(wire.canonical(name))) == wire.canonical(name)


def _check_disk(text: str) -> None:
    """A name that may be has a directory directly below the account's, which stands for it again."""
    try:
        name = disk.checked(text)
    except BadFolderName as bad:
        assert str(bad.reply if hasattr(bad, "reply") else bad)
        return
    assert len(name.encode()) <= MAX_NAME_OCTETS
    assert wire.decode(wire.encode(name)) == name
    directory = disk.directory_of(name)
    assert directory == "" or (directory.startswith(".") and directory not in (".", ".."))
    assert "/" not in directory and "\0" not in directory and directory.isascii()
    assert len(directory) <= disk.MAX_DIRECTORY_OCTETS
    if not directory.startswith(disk.LONG_PREFIX):
        assert disk.name_of(directory) == name


def _check_directory(data: bytes) -> None:
    """A directory that anybody made stands for a name that can be shown, or for none."""
    found = disk.name_of(data.decode("utf-8", "surrogateescape"))
    if found is not None:
        wire.encode(found)
        assert "\n" not in found and "\r" not in found
