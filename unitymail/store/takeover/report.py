"""What a take-over did, or would do. Refuses to know how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from unitymail.store.takeover.decision import Uids


@dataclass(frozen=True, slots=True)
class FolderTaken:
    """`messages` were found, of which `taken` came now and `known` were here; `skipped` are no messages.

    `uids`: kept, new, or renewed (with a new UIDVALIDITY), and `why`; `keywords`: those that messages came with.
    """

    folder: str
    directory: str
    messages: int
    taken: int
    known: int
    skipped: int
    uids: Uids
    why: str
    keywords: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """`subscribed` are the names that were not subscribed to here before; `copied` counts files that could not be
    linked; `notes` are sentences about what an administrator may not expect."""

    folders: list[FolderTaken] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)
    copied: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return sum(folder.taken for folder in self.folders)

    @property
    def known(self) -> int:
        return sum(folder.known for folder in self.folders)
