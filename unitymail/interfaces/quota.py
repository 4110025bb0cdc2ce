"""How full the mailboxes are."""

from __future__ import annotations

from zope.interface import Interface

# mypy: disable-error-code="misc,empty-body"


class IUsage(Interface):
    def used(account: str) -> int:
        """Octets in the mailbox as far as this process knows, from memory; 0 for an account never seen."""

    def add(account: str, octets: int) -> None:
        """Note a delivery (positive) or an expunge (negative)."""
