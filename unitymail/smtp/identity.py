"""Who a client is by now: what the access list says of its address, what its certificate proves, whom it signed in as.

Knows what each of these makes of it; refuses to know what it may do with that (`policy`), and how it came to prove it.
"""

from __future__ import annotations

from dataclasses import replace

from unitymail.people.user import User
from unitymail.policy.access import Client
from unitymail.routing.decision import Origin, Trust
from unitymail.smtp.house import House


class Identity:
    """Of one session. `client` is what the access list says of the address, `origin` who it is by now.

    `trust` is what its address or its certificate makes of it, signed in or not. `unproven`: it is only let in to prove
    that it is a peer, and has not yet.
    """

    __slots__ = ("_house", "_key", "_since", "client", "origin", "trust", "unproven")

    def __init__(self, house: House, client: Client, ip: str) -> None:
        self._house = house
        self._key = ""
        self._since = 0
        self.client = client
        self.trust: Trust = client.trust
        self.unproven = client.must_prove
        self.origin = Origin(house.door, client=ip, trust=client.trust, legacy=client.legacy)

    def under_tls(self, name: str) -> None:
        """Whatever it said before is void (RFC 3207 4.2)."""
        client = self.client
        self.origin = Origin(
            self._house.door, client=self.origin.client, trust=client.trust, tls=name, legacy=client.legacy
        )

    def tls_named(self, name: str, key: str = "") -> None:
        """The handshake is done: the version it agreed on, and the key that the client proved to have, if any."""
        self.origin = replace(self.origin, tls=name)
        if not key:
            return
        house = self._house
        peer = house.book.peer_with(key)
        if peer is not None:
            self._key, self.unproven, self.trust = key, False, "peer"
            self.origin = replace(self.origin, door="peer", trust="peer", peer=peer.id)
            house.journal.signed_in("peer", peer.name, self.origin.client)
        elif self.client.at_peer:
            why = "no peer has a certificate with this key"
            house.journal.sign_in_failed("peer", key, self.origin.client, why)

    def greets(self, host: str, protocol: str) -> None:
        """What it calls itself, which nobody believes."""
        self.origin = replace(self.origin, helo=host, protocol=protocol)

    def signs_in(self) -> None:
        """From now on a change of the password counts, which the exchange may have seen or not."""
        self._since = self._house.book.usn

    def signed_in(self, user: User) -> None:
        self.origin = replace(self.origin, user=user.id, trust="authenticated")

    def still_a_peer(self) -> bool:
        """Whether the peer that came in is one yet: a long session may outlast `peer remove`."""
        peer = self._house.book.peer_with(self._key)
        return peer is not None and peer.id == self.origin.peer

    def still_signed_in(self) -> bool:
        """Whether the password that the client came in with is the user's yet."""
        return self._house.book.password_changed(self.origin.user) <= self._since
