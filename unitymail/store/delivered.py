"""Whether a message was delivered into an account already: a delivery that is tried again must not bring it twice.

Knows every place that a file of the INBOX, or the memory of it, can be; refuses to know deliveries.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from unitymail.store import layout
from unitymail.store.index import Index
from unitymail.store.schema import VANISHED
from unitymail.store.snapshots import read_row

if TYPE_CHECKING:
    from unitymail.store.account import Account


def knows_name(account: Account, index: Index, base: bytes) -> bool:
    """Whether a file of this name is in the INBOX, or a client had its message expunged, or moved it away.

    A row alone proves nothing, nor does a name that vanished: a power cut may have taken the name in new/ and
    spared the row.
    """
    row = read_row(index, "WHERE directory = ?", b"")
    if row is None:
        return layout.holds(account.path, base)
    inbox = account.folder_of(row)
    ids, last_seen = inbox.ids(), inbox.path_of_base(base)
    return bool(
        os.path.exists(os.path.join(inbox.path, b"new", base))
        or (last_seen is not None and os.path.exists(last_seen))
        or index.one("SELECT 1 FROM expunged WHERE base = ? AND kind <> ? AND id BETWEEN ? AND ?", base, VANISHED, *ids)
        or index.one(
            "SELECT 1 FROM files JOIN expunged USING (id) WHERE files.base = ? AND id BETWEEN ? AND ?", base, *ids
        )
        or layout.holds(account.path, base)
    )
