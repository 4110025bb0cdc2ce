"""OBJECTID (RFC 8474): mailboxes, messages and conversations have names that stay.

MAILBOXID here, and in the answer of CREATE; EMAILID and THREADID in `imap.fetch.items.objectid` and
`imap.search.keys.identity`.
"""

from __future__ import annotations

from unitymail.imap.session import Session
from unitymail.interfaces.store import FolderStatus


def _of_selected(session: Session) -> bytes:
    return b"* OK [MAILBOXID (%b)] Its name for good\r\n" % session.folder.id.encode("ascii")


def _of_status(status: FolderStatus) -> bytes:
    return b"(%b)" % status.mailboxid.encode("ascii")


CAPABILITIES = ("OBJECTID",)
SELECT_LINES = {"MAILBOXID": _of_selected}
STATUS_ITEMS = {"MAILBOXID": _of_status}
