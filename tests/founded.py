"""Directories as founding leaves them: founded once, which makes many tables, and copied for each test."""

import functools
import tempfile
from pathlib import Path

from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database


def found(path, domain="vm1.example.com", host="vm1.example.com", now=1_000_000.0):
    """Put the file of a new directory at `path`. All that have one domain and host are the same system."""
    Path(path).write_bytes(_octets(domain, host, now))


@functools.cache
def _octets(domain, host, now):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "directory.sqlite")
        database = Database(path)
        Directory(database, lambda: now).found(domain, host)
        database.close()
        return path.read_bytes()
