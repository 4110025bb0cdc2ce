"""The next hop of a step: which system takes it now, and what is known of it. A value; found anew at each attempt.

Refuses to know how a connection is made (the relay) and which step leads where (`routing.hops`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

HopTls = Literal["none", "opportunistic", "required", "pinned"]


@dataclass(frozen=True, slots=True)
class NextHop:
    """`key` names its queue, its pool and its back-off: `smart-host`, `peer ID` or `vpim ID`; `name` is for people.

    `host` is a name or an address, with `mx` a domain whose MX records are asked. tls: none; opportunistic, whoever
    answers; required, a certificate for the name from `ca_file` ("" for the system's authorities); pinned, as a peer:
    both sides show certificates, and the SHA-256 of the other's public key is `fingerprint` (hex). `username` is "" for
    no sign-in; the password is the first line of `password_file`.
    """

    key: str
    name: str
    host: str
    port: int = 25
    mx: bool = False
    tls: HopTls = "opportunistic"
    ca_file: str = ""
    fingerprint: str = ""
    username: str = ""
    password_file: str = ""

    @property
    def is_peer(self) -> bool:
        """Whether it is a node of this site, which takes XUNITYMAIL and forgets no XID."""
        return self.tls == "pinned"

    def requiring_tls(self) -> NextHop:
        """Where a message goes whose sender wants the next server's name verified (RFC 8689 4.2.1).

        Unless that is so for all, it is a hop of its own: where its certificate is no good, it is down for such only.
        """
        if self.tls in ("required", "pinned"):
            return self
        return replace(self, key=f"{self.key} with TLS", tls="required")
