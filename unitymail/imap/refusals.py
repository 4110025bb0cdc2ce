"""Failures of the store, said in IMAP: the response codes of RFC 5530 (and 9051). Refuses to know what failed."""

from __future__ import annotations

from unitymail.imap.registry import No
from unitymail.interfaces.errors import Trouble, TryAgain
from unitymail.interfaces.store import (
    MAX_METADATA_OCTETS,
    BadFolderName,
    FolderExists,
    MetadataTooLong,
    NoSuchFolder,
    OverQuota,
    TooManyKeywords,
    TooManySubscriptions,
    TooMuchMetadata,
    UseNotPossible,
)

_CODES: tuple[tuple[type[Trouble], bytes], ...] = (
    (NoSuchFolder, b"NONEXISTENT"),
    (FolderExists, b"ALREADYEXISTS"),
    (BadFolderName, b"CANNOT"),
    (OverQuota, b"OVERQUOTA"),
    (TooManyKeywords, b"LIMIT"),
    (TooManySubscriptions, b"LIMIT"),
    (MetadataTooLong, b"METADATA MAXSIZE %d" % MAX_METADATA_OCTETS),
    (TooMuchMetadata, b"METADATA TOOMANY"),
    (UseNotPossible, b"USEATTR"),
    (TryAgain, b"UNAVAILABLE"),
    (Trouble, b"CANNOT"),
)
_EXPLAINED = (BadFolderName, MetadataTooLong, TooMuchMetadata, UseNotPossible)
"""Whose reason is the client's own doing."""


def refusal_of(trouble: Trouble) -> No:
    """The NO for a failure that the store foresaw."""
    code = next(code for kind, code in _CODES if isinstance(trouble, kind))
    why = str(trouble)
    text = trouble.reply.text
    return No(f"{text}: {why}" if isinstance(trouble, _EXPLAINED) and why != text else text, code)
