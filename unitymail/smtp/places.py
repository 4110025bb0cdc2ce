"""A connection's place among all SMTP connections of the node, and among those of its address.

Knows whom to ask and what to say when there is none. Refuses to know who else holds one: that is the ledger's.

*Note: a crowd turned away.* Under TLS a refusal waits for the handshake, which whoever floods a door never makes. So
there are only so many who are still told why; the others are cut off, and none of them keeps out who may come in.
"""

from __future__ import annotations

from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.ledger import Full, ILedger, Ticket
from unitymail.mail.reply import Reply
from unitymail.policy.limits import NOT_COUNTED, connection_counts, no_place
from unitymail.settings.site import SiteSettings

MOST_TURNED_AWAY = 1_000


class Places:
    """Of one door. All SMTP doors of a node share one ledger, whichever process they are in.

    `turned_away`: connections that were refused and are not gone yet.
    """

    def __init__(self, ledger: ILedger) -> None:
        self._ledger = ledger
        self.turned_away = 0

    @property
    def flooded(self) -> bool:
        """Whether nobody who was refused can be waited for any more (see Note: a crowd turned away)."""
        return self.turned_away > MOST_TURNED_AWAY

    async def take(self, ip: str, site: SiteSettings) -> Ticket | Reply:
        """A place for a connection from this address, or what to say instead."""
        try:
            taken = await self._ledger.take(connection_counts(ip, site))
        except Trouble:
            return NOT_COUNTED
        return no_place(taken) if isinstance(taken, Full) else taken

    def give_back(self, ticket: Ticket) -> None:
        self._ledger.give_back(ticket)
