"""From a client's arrival to our banner: may it come in, is there a place for it, and does it wait to be greeted.

Knows the order of these questions, and gives the place back, once, when the connection is over. Refuses to know what
is said from the banner on.

*Note: early talkers.* A mail server waits for our banner (RFC 5321 4.3.1); what floods the world with spam and worms
often does not. So a stranger at the mta door is greeted after a moment of silence, and turned away when it speaks in
it. Whom we know, and people's mail programs at the submission doors, are greeted at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from unitymail.interfaces.ledger import Ticket
from unitymail.mail.reply import Reply
from unitymail.policy.access import Client, judge_client
from unitymail.policy.limits import NOT_COUNTED
from unitymail.settings.site import SiteSettings
from unitymail.smtp import replies

if TYPE_CHECKING:
    from unitymail.smtp.server import SMTPDoor

SILENCE_S = 0.2


class Admission:
    """One connection's. Calls either `welcome` or `turn_away`, once, or neither when the client leaves before."""

    __slots__ = (
        "_client", "_door", "_ip", "_over", "_talked", "_ticket", "_timer", "_turn_away", "_welcome", "_where",
    )

    def __init__(
        self, door: SMTPDoor, ip: str, *, welcome: Callable[[Client], None], turn_away: Callable[[Reply], None]
    ) -> None:
        self._door = door
        self._ip = ip
        self._welcome = welcome
        self._turn_away = turn_away
        self._client: Client | None = None
        self._ticket: Ticket | None = None
        self._timer: Any = None
        self._talked = self._over = False
        self._where: Literal["outside", "turned away", ""] = ""

    def begin(self) -> None:
        self._stand("outside")
        door, site = self._door, self._door.house.book.site
        smart_host = (site.smart_host_host, *door.smart_host_addresses())
        client = judge_client(self._ip, door.house.book.access, site, smart_host, door.peer_addresses())
        refusal = client.refusal or door.refusal()
        if refusal is not None:
            self.refuse(refusal)
            return
        self._client = client
        door.house.journal.guard(self._find_place(site), "letting an SMTP client in")

    @property
    def decided(self) -> bool:
        return self._over

    def talked(self) -> None:
        """The client said something before the banner."""
        self._talked = True
        if self._timer is not None:
            self.refuse(replies.TALKED_TOO_EARLY)

    def refuse(self, reply: Reply) -> None:
        """Not in, whatever was to come."""
        if not self._over:
            self._settle()
            self._stand("turned away")
            self._turn_away(reply)

    def leave(self) -> None:
        """The connection is over."""
        self._settle()
        self._stand("")
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            self._door.places.give_back(ticket)

    async def _find_place(self, site: SiteSettings) -> None:
        try:
            place = await self._door.places.take(self._ip, site)
        except Exception as error:
            self._door.house.journal.trouble("counting SMTP connections", error)
            place = NOT_COUNTED
        self._counted(place)

    def _counted(self, place: Ticket | Reply) -> None:
        if isinstance(place, Reply):
            self.refuse(place)
        elif self._over:
            self._door.places.give_back(place)
        else:
            self._ticket = place
            self._stand("")
            self._listen()

    def _listen(self) -> None:
        """Greet at once, or after a moment (see Note: early talkers)."""
        client = self._client
        assert client is not None
        if self._door.house.door != "mta" or client.trust != "stranger" or client.at_peer:
            self._greet()
        elif self._talked:
            self.refuse(replies.TALKED_TOO_EARLY)
        else:
            self._timer = self._door.house.clock.callLater(SILENCE_S, self._greet)

    def _greet(self) -> None:
        client = self._client
        assert client is not None
        self._settle()
        self._welcome(client)

    def _stand(self, where: Literal["outside", "turned away", ""]) -> None:
        """Count a connection that has no place: it waits for one, or was turned away and is not closed yet."""
        before, self._where = self._where, where
        self._door.outside += (where == "outside") - (before == "outside")
        self._door.places.turned_away += (where == "turned away") - (before == "turned away")

    def _settle(self) -> None:
        self._over = True
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
