"""A connection's place among all SMTP connections of the node, and among those of its address.

Knows whom to ask and what to say when there is none. Refuses to know who else holds one: that is the ledger's.
"""

from __future__ import annotations

from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.ledger import Full, ILedger, Ticket
from unitymail.mail.reply import Reply
from unitymail.policy.limits import NOT_COUNTED, connection_counts, no_place
from unitymail.settings.site import SiteSettings


class Places:
    """All SMTP doors of a node share one ledger, whichever process they are in."""

    def __init__(self, ledger: ILedger) -> None:
        self._ledger = ledger

    async def take(self, ip: str, site: SiteSettings) -> Ticket | Reply:
        """A place for a connection from this address, or what to say instead."""
        try:
            taken = await self._ledger.take(connection_counts(ip, site))
        except Trouble:
            return NOT_COUNTED
        return no_place(taken) if isinstance(taken, Full) else taken

    def give_back(self, ticket: Ticket) -> None:
        self._ledger.give_back(ticket)
