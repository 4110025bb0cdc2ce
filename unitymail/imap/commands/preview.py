"""PREVIEW (RFC 8970): FETCH can tell the first words of a message; see `imap.fetch.items.preview`."""

CAPABILITIES = ("PREVIEW",)
