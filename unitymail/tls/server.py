"""TLS as the doors use it: the certificates in use, and a connection for each client.

Knows when new ones are taken; refuses to know any protocol.

Note *Who shows a certificate*. `ServerTls` asks nobody for one. Its `mutual` side, for the door that peers come to,
asks and accepts whatever is shown, an expired or unknown one too, and none: a stranger that shows its certificate to
everybody, as Postfix may, goes on as if it had not. What counts is the key, whose possession the handshake proves and
whose `public_key_fingerprint` the address book knows or does not. So a renewed certificate with the same key is as good
as the one before. Sessions are resumed under a session id context of their own: a session of another door, where no
certificate was asked for, cannot become one that had shown it.

Note *As long as a handshake*. A client may be asked for a second hello (RFC 8446 4.1.4), and OpenSSL then asks for its
name again: it calls what the context of the first hello set, though the connection has another one by now. A reload in
between must not have freed that, or the process jumps into the void. So each connection holds all that was in use when
it began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface import implementer

from unitymail.interfaces.tls import IMutualTls
from unitymail.tls.contexts import context_for
from unitymail.tls.fingerprint import public_key_fingerprint
from unitymail.tls.pairs import BadPair, Pair, read_pairs


@dataclass(frozen=True, slots=True)
class InUse:
    """Everything that one reading of the files gave."""

    pairs: tuple[Pair, ...]
    plain: SSL.Context
    asking: SSL.Context


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a certificate when new ones were taken into use."""

    what: Literal["added", "renewed", "removed"]
    pair: Pair


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """TLS 1.2 and later for the doors; a client gets the certificate for the name it asks for, or the node's own.

    `certificate` and `key` are the node's own files; a client of this node that shows its certificate uses them too.
    `names` is a folder with a folder for each further certificate, "" for none. `mutual` is the same for the door that
    asks for certificates.
    """

    def __init__(self, certificate: str, key: str, names: str = "", otherwise: Sequence[Pair] = ()) -> None:
        """`otherwise` is used where the files cannot be, and `flaw` says why. Without it that raises BadPair."""
        self.certificate = certificate
        self.key = key
        self._names = names
        self.flaw: BadPair | None = None
        try:
            self._in_use = self.read()
        except BadPair as bad:
            if not otherwise:
                raise
            self.flaw = bad
            self._in_use = _made_of(tuple(otherwise))
        self.mutual = MutualTls(self)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The certificates in use, the node's own first."""
        return self._in_use.pairs

    def read(self) -> InUse:
        """What the files hold now: all of it or, with BadPair, nothing. Blocking, for any thread."""
        return _made_of(read_pairs(self.certificate, self.key, self._names))

    def use(self, found: InUse) -> list[Change]:
        """Take these for the connections that follow; those that stand keep theirs. What is different now."""
        before, self._in_use = self._in_use.pairs, found
        old, new = ({pair.file: pair for pair in pairs} for pairs in (before, found.pairs))
        changes = [Change("added" if file not in old else "renewed", pair)
                   for file, pair in new.items() if pair != old.get(file)]  # fmt: skip
        return changes + [Change("removed", pair) for file, pair in old.items() if file not in new]

    def reload(self) -> list[Change]:
        """Read the files again and take what they hold; with BadPair everything stays as it is."""
        return self.use(self.read())

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return _holding(self._in_use, self._in_use.plain)

    def asking_connection(self) -> SSL.Connection:
        """One that asks the client for a certificate (see Note: who shows a certificate)."""
        return _holding(self._in_use, self._in_use.asking)


def _made_of(pairs: tuple[Pair, ...]) -> InUse:
    return InUse(pairs, context_for(pairs, b"unitymail"), context_for(pairs, b"unitymail mutual", asking=True))


def _holding(in_use: InUse, context: SSL.Context) -> SSL.Connection:
    """See Note: as long as a handshake."""
    connection = SSL.Connection(context, None)
    connection.set_app_data(in_use)
    return connection


@implementer(IOpenSSLServerConnectionCreator, IMutualTls)
class MutualTls:
    """The side of `ServerTls` that asks the client for a certificate and accepts any, or none."""

    def __init__(self, tls: ServerTls) -> None:
        self._tls = tls

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return self._tls.asking_connection()

    def client_key(self, connection: Any) -> str:
        """The fingerprint of the key that the client proved to have, "" when it showed none (that can be read)."""
        shown = connection.get_peer_certificate(as_cryptography=True)
        try:
            return public_key_fingerprint(shown) if shown is not None else ""
        except ValueError:
            return ""
