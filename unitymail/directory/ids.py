"""Names that never change and never repeat, on any node: 20 characters of 0-9 and a-v, 96 bits of chance."""

from __future__ import annotations

import base64
import secrets


def new_id() -> str:
    """A fresh id; also good as a directory name."""
    return base64.b32hexencode(secrets.token_bytes(12)).decode("ascii").rstrip("=").lower()
