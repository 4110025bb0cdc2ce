"""The tables of the history. Knows why they are shaped so; refuses to know what is written into them.

Note *Shape*. `part` has a row for each message and batch: a message whose story goes on has several. Trace ids and row
numbers grow with time, so both of its trees grow at their ends, and a story is one short range: what is derived from
TRACE is called TRACE-something. `word` finds messages by their words (`history.words`); its key begins with the day, so
that new entries go to a tree of today's size, whatever is kept, and old days go by ranges.
"""

VERSION = 1
DAY_S = 86_400

STATEMENTS = (
    "CREATE TABLE part (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, trace TEXT NOT NULL, events TEXT NOT NULL)",
    "CREATE INDEX part_of ON part (trace)",
    "CREATE TABLE word (day INTEGER NOT NULL, key INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (day, key, n))"
    " WITHOUT ROWID",
    f"PRAGMA user_version = {VERSION}",
)


def root_of(trace: str) -> str:
    """The message that a trace belongs to: its own, or that of the message it was derived from."""
    return trace.partition("-")[0]
