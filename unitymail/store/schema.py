"""The tables of an account's index, whole from the first day. Refuses to know who reads them.

A message's `id` is `folder << 32 | uid`, so that a folder is a range of rowids and a walk in UID order never seeks.
What a STORE touches (`messages`) is apart from what is rendered once (`summaries`, `fields`, `terms`), and the
rendered part belongs to the content, which copies of a message share.

*Note: a message that has left.* EXPUNGE removes the row of `messages` and adds one of `expunged`; the rows of
`files` and `facts` stay until the file itself has gone, and then `expunged.base` takes over the name. A row of
`files` without one of `messages` is therefore a name that scans must not see as new.

*Note: CONTENT.* `facts.content` grows with the clock in microseconds and is never given twice, not even after the
index was lost, so that it also serves as EMAILID (RFC 8474).
"""

from __future__ import annotations

VERSION = 4
UID_BITS = 32
UID_MASK = (1 << UID_BITS) - 1

EXPUNGED, MOVED, VANISHED, RENEWED, PURGED = 0, 1, 2, 3, 4
"""Kinds of `expunged`: by a client's EXPUNGE, by MOVE, by a foreign hand; the message has another UID now; it is gone
for good, past undelete."""

RECEIPTS = (
    "CREATE TABLE receipts (content INTEGER PRIMARY KEY, trace TEXT NOT NULL)",
    """CREATE TABLE owed (
        content INTEGER PRIMARY KEY, kind TEXT NOT NULL, at REAL NOT NULL, trace TEXT NOT NULL,
        header BLOB NOT NULL)""",
    "CREATE TABLE read_before (content INTEGER PRIMARY KEY)",
)
"""Whose senders want to know, what they are to be told, and what was read once but is marked as new."""

FOR_EXTENSIONS = (
    "DROP TABLE IF EXISTS metadata",
    """CREATE TABLE IF NOT EXISTS metadata (
        folder INTEGER NOT NULL, entry TEXT NOT NULL, value BLOB, modseq INTEGER NOT NULL,
        PRIMARY KEY (folder, entry))""",
    """CREATE TABLE IF NOT EXISTS sorting (
        content INTEGER PRIMARY KEY, "subject" TEXT NOT NULL, "from" TEXT NOT NULL, "to" TEXT NOT NULL,
        "cc" TEXT NOT NULL, "displayfrom" TEXT NOT NULL, "displayto" TEXT NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS ties (content INTEGER PRIMARY KEY, ties BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS thread_of_tie (tie INTEGER PRIMARY KEY, thread INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS lettered (folder INTEGER PRIMARY KEY, keywords TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS secrecy (content INTEGER PRIMARY KEY, marks INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS withholding (
        one INTEGER PRIMARY KEY CHECK (one = 1), rule INTEGER NOT NULL, usn INTEGER NOT NULL, at INTEGER NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS moments (modseq INTEGER PRIMARY KEY, at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS bins (folder INTEGER PRIMARY KEY, since INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS marked_by_age (content INTEGER PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS recordings (content INTEGER PRIMARY KEY, state INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS alerts (
        rule TEXT PRIMARY KEY, told_to REAL NOT NULL, at INTEGER NOT NULL, messages INTEGER NOT NULL,
        first REAL NOT NULL, sent INTEGER NOT NULL)""",
    "UPDATE facts SET size = (SELECT max(size) FROM facts AS twin WHERE twin.content = facts.content)"
    " WHERE size IS NULL",
)
"""What version 3 has more. Annotations of folder 0 are the account's own; those without a value were removed. `secrecy`
and `withholding` are those of `withholding`, which wants the rows of one content to have a size all or none.
What `aging` has to know is in the tables from `moments` to `alerts`.
A row of `lettered` says what the letters in the names of a folder's files meant when they were last looked at.
A row of `thread_of_tie` says in which thread a message is that has or refers to this message id under this subject."""

LANDING = (
    """CREATE TABLE IF NOT EXISTS landing (
        number INTEGER PRIMARY KEY, maker TEXT NOT NULL, base BLOB NOT NULL, octets BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS landing_by_maker ON landing (maker)",
)
"""Messages whose files may not be durable yet: see `landing`. `maker`: the `Namer.mark` of the process."""

STATEMENTS = (
    """CREATE TABLE counters (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        modseq INTEGER NOT NULL, reserved INTEGER NOT NULL, clean INTEGER NOT NULL,
        content INTEGER NOT NULL, identity INTEGER NOT NULL)""",
    "INSERT INTO counters VALUES (1, 0, 0, 1, 0, random())",
    """CREATE TABLE folders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        directory BLOB NOT NULL UNIQUE, name TEXT NOT NULL, mailboxid TEXT NOT NULL UNIQUE,
        special_use TEXT NOT NULL DEFAULT '',
        uidvalidity INTEGER NOT NULL, uidnext INTEGER NOT NULL DEFAULT 1,
        highest_modseq INTEGER NOT NULL, recent_from INTEGER NOT NULL DEFAULT 1,
        messages INTEGER NOT NULL DEFAULT 0, octets INTEGER NOT NULL DEFAULT 0,
        vanished_from INTEGER NOT NULL DEFAULT 0,
        new_mark INTEGER NOT NULL DEFAULT 0, new_verify REAL NOT NULL DEFAULT 0,
        cur_mark INTEGER NOT NULL DEFAULT 0, cur_verify REAL NOT NULL DEFAULT 0)""",
    "CREATE TABLE combinations (id INTEGER PRIMARY KEY, flags TEXT NOT NULL UNIQUE)",
    "INSERT INTO combinations VALUES (0, '')",
    "CREATE TABLE keywords (folder INTEGER, name TEXT COLLATE NOCASE, PRIMARY KEY (folder, name)) WITHOUT ROWID",
    "CREATE TABLE messages (id INTEGER PRIMARY KEY, flags INTEGER NOT NULL, modseq INTEGER NOT NULL)",
    "CREATE INDEX messages_changed ON messages (id >> 32, modseq)",
    "CREATE TABLE files (id INTEGER PRIMARY KEY, base BLOB NOT NULL, seen BLOB NOT NULL)",
    "CREATE INDEX files_by_base ON files (base)",
    """CREATE TABLE facts (
        id INTEGER PRIMARY KEY, content INTEGER NOT NULL, date INTEGER NOT NULL, internaldate BLOB NOT NULL,
        size INTEGER, octets INTEGER NOT NULL, saved INTEGER NOT NULL, withheld INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX facts_by_content ON facts (content)",
    "CREATE INDEX facts_unmeasured ON facts (id) WHERE size IS NULL",
    """CREATE TABLE summaries (
        content INTEGER PRIMARY KEY, envelope BLOB NOT NULL, bodystructure BLOB NOT NULL, sent INTEGER)""",
    "CREATE TABLE fields (content INTEGER PRIMARY KEY, fields BLOB NOT NULL)",
    "CREATE TABLE terms (content INTEGER PRIMARY KEY, terms TEXT NOT NULL)",
    "CREATE TABLE previews (content INTEGER PRIMARY KEY, preview TEXT NOT NULL)",
    "CREATE TABLE threads (content INTEGER PRIMARY KEY, thread INTEGER NOT NULL)",
    "CREATE TABLE pending (id INTEGER PRIMARY KEY)",
    """CREATE TABLE expunged (
        id INTEGER PRIMARY KEY, modseq INTEGER NOT NULL, at INTEGER NOT NULL, kind INTEGER NOT NULL,
        flags INTEGER NOT NULL DEFAULT 0, base BLOB)""",
    "CREATE INDEX expunged_changed ON expunged (id >> 32, modseq)",
    "CREATE INDEX expunged_names ON expunged (base) WHERE base IS NOT NULL",
    "CREATE INDEX expunged_leaving ON expunged (id) WHERE base IS NULL",
    """CREATE TABLE undelete (
        id INTEGER PRIMARY KEY, folder TEXT NOT NULL, path BLOB NOT NULL UNIQUE, flags TEXT NOT NULL,
        date INTEGER NOT NULL, octets INTEGER NOT NULL, at INTEGER NOT NULL)""",
    """CREATE TABLE intents (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, directory BLOB NOT NULL, at INTEGER NOT NULL,
        detail TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE packed (
        folder INTEGER PRIMARY KEY, modseq INTEGER NOT NULL, uidvalidity INTEGER NOT NULL,
        uids BLOB NOT NULL, flags BLOB NOT NULL, modseqs BLOB NOT NULL)""",
    *RECEIPTS,
    *FOR_EXTENSIONS,
    *LANDING,
    f"PRAGMA user_version = {VERSION}",
)

UPGRADES = {1: RECEIPTS, 2: FOR_EXTENSIONS, 3: LANDING}
"""What brings an index of a version to the next one."""


def first_id(folder: int) -> int:
    """The smallest id a message of the folder can have."""
    return folder << UID_BITS


def last_id(folder: int) -> int:
    """The largest."""
    return folder << UID_BITS | UID_MASK
