"""The IMAP commands, a file per verb family or extension, found by name (``imap.registry``)."""
