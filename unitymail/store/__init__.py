"""The mail store: Maildir++ on disk, an SQLite index beside it, snapshots in memory.

Reading order: `schema`, `folder`, `looking`, `settling`, `intents`, `access`.
"""

from unitymail.store.store import Store

__all__ = ["Store"]
