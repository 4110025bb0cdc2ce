"""Where things lie under DIR/spool, and what they are called. Refuses to know what is in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress

from unitymail.interfaces.disk import IDisk

_TRACE = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,62}[0-9A-Za-z])?")


class Places:
    """Paths; `make` creates the directories."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.intake = os.path.join(root, "intake")
        self.journal = os.path.join(root, "journal")
        self.items = os.path.join(root, "items")
        self.shunted = os.path.join(root, "shunted")
        self.badmail = os.path.join(root, "badmail")
        self.nudges = os.path.join(root, "nudges")

    def make(self, disk: IDisk) -> None:
        """Create what is missing, durably."""
        rooms = (self.intake, self.journal, self.items, self.shunted, self.badmail, self.nudges)
        missing = [place for place in rooms if not _is_there(place)]
        if not missing:
            return
        if not _is_there(self.root):
            disk.make_directory(self.root)
            disk.flush_directory(os.path.dirname(self.root) or ".")
        for place in missing:
            with suppress(FileExistsError):
                disk.make_directory(place)
        disk.flush_directory(self.root)


def _is_there(path: str) -> bool:
    return os.path.isdir(path)


def is_trace(text: str) -> bool:
    """Whether `text` can be a trace: letters, digits and inner hyphens, so that it is safe as a file name."""
    return _TRACE.fullmatch(text) is not None


def parent_of(trace: str) -> str:
    """The trace that this one is derived from (`TRACE-SUFFIX`, as reports are), "" for one of its own."""
    parent, hyphen, _ = trace.rpartition("-")
    return parent if hyphen else ""


def maildir_name(trace: str, arrived: float, host: str, size: int, *, asks_receipt: bool = False) -> str:
    """The name of the message in every mailbox, what Maildir forbids in `host` escaped; `,N=1` asks for a receipt."""
    place = host.replace("/", "\\057").replace(":", "\\072").replace(",", "\\054")
    return f"{int(arrived)}.{trace}.{place},S={size}{',N=1' if asks_receipt else ''}"


def traces_in(directory: str, ending: str) -> Iterator[str]:
    """The traces of the files `TRACE + ending` in a directory, in no order."""
    with os.scandir(directory) as entries:
        for entry in entries:
            trace = entry.name.removesuffix(ending)
            if trace != entry.name and is_trace(trace):
                yield trace


def unlink_if_there(disk: IDisk, path: str) -> None:
    with suppress(FileNotFoundError):
        disk.unlink(path)
