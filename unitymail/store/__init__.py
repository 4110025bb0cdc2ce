"""The mail store: a Maildir++ per account with a SQLite index beside it."""
