"""The TLS of a door that tells peers from strangers by the key of the certificate they show."""

from __future__ import annotations

from typing import Any

from zope.interface import Interface

# mypy: disable-error-code="misc,empty-body"


class IMutualTls(Interface):
    """Beside what a door needs of any TLS: who the client proved to be."""

    def client_key(connection: Any) -> str:
        """The SHA-256 of the client's public key (hex, lower case) once the handshake is done, "" for none.

        `connection` is what the transport's `getHandle` gives.
        """
