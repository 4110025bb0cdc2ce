"""Every call that changes a disk, so that tests can record them, cut the power between two, or fill the disk."""

from __future__ import annotations

import sqlite3

from zope.interface import Interface

# mypy: disable-error-code="misc,empty-body,no-untyped-def"


class IDisk(Interface):
    """Blocking. Every method raises OSError (or sqlite3.OperationalError) as the system does. Paths are str."""

    def create(path: str, mode: int = 0o600) -> int:
        """Create a new file that must not exist; a descriptor for reading and writing."""

    def append_to(path: str, mode: int = 0o600) -> int:
        """Open for appending, created when absent; a descriptor."""

    def overwrite(path: str) -> int:
        """Open a file that is there (no symbolic link) for reading and writing; a descriptor."""

    def write(fd: int, data: bytes) -> None:
        """Write all of `data` at the descriptor's position."""

    def write_at(fd: int, data: bytes, offset: int) -> None:
        """Overwrite at `offset` octets from the start."""

    def truncate(fd: int, size: int) -> None:
        """Cut the file to `size` octets."""

    def flush(fd: int) -> None:
        """Return once the file's data is durable (fdatasync)."""

    def close(fd: int) -> None:
        """Close the descriptor."""

    def link(source: str, target: str) -> None:
        """Another name for the same inode; FileExistsError when `target` exists."""

    def rename(source: str, target: str) -> None:
        """Atomic; replaces `target`."""

    def unlink(path: str) -> None:
        """Remove a name."""

    def set_times(path: str, seconds: float) -> None:
        """Set the modification time of a file."""

    def set_mode(path: str, mode: int) -> None:
        """Set who may read and write a file or directory."""

    def make_directory(path: str) -> None:
        """Create a directory; FileExistsError when it exists."""

    def remove_directory(path: str) -> None:
        """Remove an empty directory."""

    def flush_directory(path: str) -> None:
        """Return once the names in the directory are durable (fsync of the directory)."""

    def flush_filesystem(path: str) -> None:
        """Return once everything on the file system of `path` is durable (syncfs)."""

    def connect(path: str) -> sqlite3.Connection:
        """Open a SQLite file (created when absent) in WAL mode, with no implicit transactions."""

    def begin(connection: sqlite3.Connection, *, durable: bool) -> None:
        """BEGIN IMMEDIATE, with synchronous FULL when `durable`, else NORMAL."""

    def commit(connection: sqlite3.Connection) -> None:
        """COMMIT; when the transaction began durable, it is so on return."""

    def rollback(connection: sqlite3.Connection) -> None:
        """ROLLBACK; harmless when no transaction is open."""
