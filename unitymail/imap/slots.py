"""A connection's place among all IMAP connections of the node, and among those of the user who signs in over it.

Knows whom to ask and what to say when there is none. Refuses to know who else holds one: that is the ledger's.
"""

from __future__ import annotations

from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.ledger import Full, ILedger, Ticket
from unitymail.policy.imap import NOT_COUNTED, ImapRefusal, connections, connections_of, too_many
from unitymail.settings.site import SiteSettings


class Slots:
    """All IMAP doors of a node share one ledger, whichever process they are in."""

    def __init__(self, ledger: ILedger) -> None:
        self._ledger = ledger

    async def enter(self, site: SiteSettings) -> Ticket | None:
        """A place for a connection; None when there is none, or nobody can tell."""
        try:
            taken = await self._ledger.take((connections(site),))
        except Trouble:
            return None
        return taken if isinstance(taken, Ticket) else None

    async def sign_in(self, user: str, client: str, site: SiteSettings) -> Ticket | ImapRefusal:
        """Count a connection from this address to the user, or say why not."""
        try:
            taken = await self._ledger.take((connections_of(user, site),), client)
        except Trouble:
            return NOT_COUNTED
        return too_many(taken) if isinstance(taken, Full) else taken

    def give_back(self, ticket: Ticket) -> None:
        self._ledger.give_back(ticket)
