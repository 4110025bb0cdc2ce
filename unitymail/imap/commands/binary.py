"""BINARY (RFC 3516): parts come without their transfer encoding, and messages may be appended with NUL in them.

See `imap.fetch.items.binary` for the one, `imap.unbinary` for the other.
"""

CAPABILITIES = ("BINARY",)
