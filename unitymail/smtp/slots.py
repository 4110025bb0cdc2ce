"""How many connections there are, and from where, over all SMTP doors of the process. Refuses to know what they do."""

from __future__ import annotations

from collections import Counter

from unitymail.mail.reply import Reply
from unitymail.policy.limits import judge_connections
from unitymail.policy.verdict import Reject
from unitymail.settings.site import SiteSettings


class Slots:
    def __init__(self) -> None:
        self.total = 0
        self.by_address: Counter[str] = Counter()

    def take(self, address: str, site: SiteSettings) -> Reply | None:
        """A slot for a connection from this address, or the reply that says why there is none."""
        verdict = judge_connections(self.total, self.by_address[address], site)
        if isinstance(verdict, Reject):
            return verdict.reply
        self.total += 1
        self.by_address[address] += 1
        return None

    def give_back(self, address: str) -> None:
        self.total -= 1
        self.by_address[address] -= 1
        if not self.by_address[address]:
            del self.by_address[address]
