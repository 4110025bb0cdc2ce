"""UTF8=ACCEPT (RFC 6855): once enabled, mailbox names and strings travel in UTF-8 (`session.utf8`).

APPEND of messages with UTF-8 in their headers is in `utf8_append`.
"""

from __future__ import annotations

CAPABILITIES = ("UTF8=ACCEPT",)
ENABLES = {"UTF8=ACCEPT": None}
