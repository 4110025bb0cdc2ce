"""Folder names: what IMAP shows, and the Maildir++ directory that stands for it.

Knows modified UTF-7 and its escapes; refuses to know which folders exist.

Each level of a name is modified UTF-7 (RFC 3501 5.1.3) in which `.` and a leading `~` are encoded too, because a dot
separates levels on disk and `~` begins the name of a directory whose true name is too long for one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from unitymail.interfaces.store import MAX_NAME_OCTETS, BadFolderName

INBOX = "INBOX"
MAX_LEVELS = 20
MAX_DIRECTORY_OCTETS = 255
LONG_PREFIX = ".~"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ENCODED = re.compile(r"[^\x20-\x25\x27-\x2d\x2f-\x7e]+|&")
_RUN = re.compile(r"&([^-]*)-")
_RUN_BODY = re.compile(r"[A-Za-z0-9+,]+")


def canonical(name: str) -> str:
    """INBOX is case-blind, also as the first level of others; everything else stays as given."""
    first, slash, rest = name.partition("/")
    return INBOX + slash + rest if first.upper() == INBOX else name


def checked(name: str) -> str:
    """The canonical name; raises BadFolderName with the reason."""
    if not name:
        raise BadFolderName(why="a folder needs a name")
    if _CONTROL.search(name):
        raise BadFolderName(why="control characters cannot be part of a folder's name")
    if len(name.encode("utf-8")) > MAX_NAME_OCTETS:
        raise BadFolderName(why=f"a folder's name can have {MAX_NAME_OCTETS} octets")
    levels = name.split("/")
    if not all(levels):
        raise BadFolderName(why="a level of the folder's name is empty")
    if len(levels) > MAX_LEVELS:
        raise BadFolderName(why=f"folders can be {MAX_LEVELS} levels deep")
    return canonical(name)


def directory_of(name: str) -> str:
    """The directory below the account's for a canonical name; "" for INBOX.

    A name too long for a directory gets `.~` and a digest; its true name is kept in a file inside.
    """
    if name == INBOX:
        return ""
    directory = "." + ".".join(encoded_level(level) for level in name.split("/"))
    if len(directory) <= MAX_DIRECTORY_OCTETS:
        return directory
    return LONG_PREFIX + hashlib.sha256(name.encode("utf-8")).hexdigest()[:40]


def name_of(directory: str) -> str | None:
    """The name a directory stands for; None when it is no folder's, or a long one whose name is inside.

    Levels that are not modified UTF-7 (written raw by another program) are shown as they are.
    """
    if not directory:
        return INBOX
    if not directory.startswith(".") or directory.startswith(LONG_PREFIX):
        return None
    levels = directory[1:].split(".")
    if not all(levels):
        return None
    name = "/".join(decoded_level(level) for level in levels)
    return None if _CONTROL.search(name) else canonical(name)


def encoded_level(level: str) -> str:
    """`level` in modified UTF-7 with `.` and a leading `~` encoded."""
    if level.startswith("~"):
        return _base64_run("~") + _ENCODED.sub(_encode, level[1:])
    return _ENCODED.sub(_encode, level)


def decoded_level(level: str) -> str:
    """The text of a level; a level that is not modified UTF-7 as it stands."""
    try:
        return _RUN.sub(_decode, level) if _well_formed(level) else level
    except (ValueError, binascii.Error):
        return level


def _encode(match: re.Match[str]) -> str:
    return "&-" if match[0] == "&" else _base64_run(match[0])


def _base64_run(text: str) -> str:
    octets = base64.b64encode(text.encode("utf-16-be"), b"+,").rstrip(b"=")
    return f"&{octets.decode('ascii')}-"


def _well_formed(level: str) -> bool:
    return level.isascii() and "&" not in _RUN.sub("", level)


def _decode(match: re.Match[str]) -> str:
    body = match[1]
    if not body:
        return "&"
    if not _RUN_BODY.fullmatch(body):
        raise ValueError(body)
    text = base64.b64decode(body + "=" * (-len(body) % 4), b"+,", validate=True).decode("utf-16-be")
    if "/" in text:
        raise ValueError(body)
    return text
