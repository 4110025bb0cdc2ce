"""Good sign-ins of the last minute, so that a mail program with ten connections costs one password hash.

Knows HMACs of passwords under a key of this process, never a password. A hit only saves the hash: the caller still
reads the credential, whose version, lock and expiry decide.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

KEPT_S = 60.0
MOST = 20_000


@dataclass(frozen=True, slots=True)
class _Good:
    digest: bytes
    version: int
    until: float


class GoodSignIns:
    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._good: dict[str, _Good] = {}

    def version(self, owner: str, password: bytes, now: float) -> int | None:
        """The credential version that this password was right for, when that was seen within the last minute."""
        good = self._good.get(owner)
        digest = self._digest(owner, password)
        if good is None or not good.until - KEPT_S <= now < good.until:
            return None
        return good.version if hmac.compare_digest(good.digest, digest) else None

    def remember(self, owner: str, password: bytes, version: int, now: float) -> None:
        self._good.pop(owner, None)
        if len(self._good) >= MOST:
            self._forget_some(now)
        self._good[owner] = _Good(self._digest(owner, password), version, now + KEPT_S)

    def forget(self, owner: str) -> None:
        self._good.pop(owner, None)

    def _forget_some(self, now: float) -> None:
        """The outdated ones, or else the oldest tenth (entries are in the order they were made)."""
        outdated = [owner for owner, good in self._good.items() if now >= good.until]
        for owner in outdated or list(self._good)[: MOST // 10]:
            del self._good[owner]

    def _digest(self, owner: str, password: bytes) -> bytes:
        return hmac.digest(self._key, owner.encode() + b"\0" + password, "sha256")
