"""How many IMAP connections there are, and of whom, over all doors of the process. Refuses to know what they do."""

from __future__ import annotations

from unitymail.policy.imap import ImapRefusal, judge_imap_connections
from unitymail.settings.site import SiteSettings


class Slots:
    def __init__(self) -> None:
        self.total = 0
        self._clients: dict[str, list[str]] = {}

    def enter(self, site: SiteSettings) -> bool:
        """Take a place for a connection; False when there is none."""
        if self.total >= site.imap_max_connections:
            return False
        self.total += 1
        return True

    def leave(self) -> None:
        self.total -= 1

    def sign_in(self, user: str, client: str, site: SiteSettings) -> ImapRefusal | None:
        """Count a connection from this address to the user, or say why not."""
        clients = self._clients.get(user, [])
        refusal = judge_imap_connections(clients, site)
        if refusal is None:
            self._clients.setdefault(user, []).append(client)
        return refusal

    def sign_out(self, user: str, client: str) -> None:
        clients = self._clients[user]
        clients.remove(client)
        if not clients:
            del self._clients[user]
