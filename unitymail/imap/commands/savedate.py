"""SAVEDATE (RFC 8514): FETCH and SEARCH know when a message came into its mailbox.

See `imap.fetch.items.savedate` and `imap.search.keys.saved`.
"""

CAPABILITIES = ("SAVEDATE",)
