"""Numbers about what the doors do, for those who watch a node from outside."""

from __future__ import annotations

from zope.interface import Interface, implementer

# mypy: disable-error-code="misc,empty-body"


class IMetrics(Interface):
    """Reactor thread only. No method raises. `door` is mta, submission, submissions, imap, imaps or peer."""

    def connected(door: str) -> None:
        """A connection is open."""

    def disconnected(door: str) -> None:
        """One that was `connected` has ended."""

    def turned_away(door: str, reply: str) -> None:
        """A connection was refused in place of a greeting; `reply` is its code."""

    def replied(door: str, reply: str) -> None:
        """A command was answered: an SMTP code (`250`), or the word of a tagged IMAP response (`OK`)."""

    def signed_in(door: str, mechanism: str, outcome: str) -> None:
        """A sign-in ended: `outcome` is ok, bad-credentials, expired, not-allowed, needs-tls or busy."""

    def octets_in(door: str, count: int) -> None:
        """Octets came from clients."""

    def octets_out(door: str, count: int) -> None:
        """Octets went to clients."""

    def took(door: str, what: str, seconds: float) -> None:
        """How long an answer took that had to wait for something; `what` is the verb, or `message` for a whole one."""


@implementer(IMetrics)
class Unmeasured:
    """Nobody watches."""

    def connected(self, door: str) -> None: ...
    def disconnected(self, door: str) -> None: ...
    def turned_away(self, door: str, reply: str) -> None: ...
    def replied(self, door: str, reply: str) -> None: ...
    def signed_in(self, door: str, mechanism: str, outcome: str) -> None: ...
    def octets_in(self, door: str, count: int) -> None: ...
    def octets_out(self, door: str, count: int) -> None: ...
    def took(self, door: str, what: str, seconds: float) -> None: ...
