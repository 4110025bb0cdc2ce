"""STATUS=SIZE (RFC 8438): how many octets the messages of a folder have together."""

from __future__ import annotations

CAPABILITIES = ("STATUS=SIZE",)
STATUS_ITEMS = {"SIZE": lambda status: b"%d" % status.size}
