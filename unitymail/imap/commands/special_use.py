"""SPECIAL-USE (RFC 6154): which folder is for drafts, for what was sent, and so on, in LIST.

The attributes are always shown; `listing.Wanted.special` selects by them.
"""

from __future__ import annotations

CAPABILITIES = ("SPECIAL-USE",)
LIST_SELECTIONS = {"SPECIAL-USE": None}
LIST_RETURNS = {"SPECIAL-USE": None}
