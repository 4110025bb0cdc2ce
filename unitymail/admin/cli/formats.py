"""Whether a path holds mail in the format that was named. Refuses to read the mail."""

from __future__ import annotations

import os

from unitymail.interfaces.directory import Refused

BEGIN = 4_096
"""Octets in which an mbox file has its first line, empty ones before it counted."""


def must_be(kind: str, path: str) -> None:
    """Who names another kind of file is told so, not that no messages were imported."""
    if kind == "maildir":
        if missing := [part for part in ("cur", "new") if not os.path.isdir(os.path.join(path, part))]:
            why = f"it has no folder {missing[0]}. Name the folder that holds cur and new."
            raise Refused(f"{path} is no Maildir: {why}")
    elif os.path.isdir(path):
        raise Refused(f"{path} is a folder, and an mbox is a file. Name the file, or say --format maildir.")
    else:
        with open(path, "rb") as file:
            begin = file.read(BEGIN).lstrip(b"\r\n")
        if begin and not begin.startswith(b"From "):
            raise Refused(f"{path} is no mbox file: it does not begin with a line “From …”.")
