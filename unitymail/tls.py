"""TLS of this node: its certificate, how doors use it, and how a first one is made. Refuses to know any protocol.

Note *Who shows a certificate*. `ServerTls` asks nobody for one. Its `mutual` side, for the door that peers come to,
asks and accepts whatever is shown, an expired or unknown one too, and none: a stranger that shows its certificate to
everybody, as Postfix may, goes on as if it had not. What counts is the key, whose possession the handshake proves and
whose `public_key_fingerprint` the address book knows or does not. So a renewed certificate with the same key is as good
as the one before. Sessions are resumed under a session id context of their own: a session of another door, where no
certificate was asked for, cannot become one that had shown it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface import implementer

from unitymail.interfaces.tls import IMutualTls

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!MD5"
LIFETIME = timedelta(days=825)


def public_key_fingerprint(certificate: bytes | x509.Certificate) -> str:
    """The SHA-256 of a certificate's SubjectPublicKeyInfo, in lower-case hexadecimal: what names a peer.

    `certificate` may be PEM (the first one counts) or DER. Raises ValueError when it cannot be read, or has a key of an
    unknown kind.
    """
    if isinstance(certificate, bytes):
        pem = b"-----BEGIN" in certificate
        certificate = (x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate)(certificate)
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm as error:
        raise ValueError("the certificate's key is of an unknown kind") from error
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


class BadPair(Exception):
    """Why a certificate and its key cannot be used, in one sentence."""


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """TLS 1.2 and later for the doors; `reload` takes a renewed certificate for the connections that follow.

    `certificate` and `key` are the files; a client of this node that shows its certificate uses them too. `mutual` is
    the same for the door that asks for certificates.
    """

    def __init__(self, certificate: str, key: str) -> None:
        self.certificate = certificate
        self.key = key
        self.reload()
        self.mutual = MutualTls(self)

    def reload(self) -> None:
        """Read both files again; the old pair stays in use when they cannot be read or do not fit (raises BadPair)."""
        context = _context(b"unitymail", self.certificate, self.key)
        asking = _context(b"unitymail mutual", self.certificate, self.key)
        asking.set_verify(SSL.VERIFY_PEER, _accept_any)
        self._context, self._asking = context, asking

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return SSL.Connection(self._context, None)

    def asking_connection(self) -> SSL.Connection:
        """One that asks the client for a certificate (see Note: who shows a certificate)."""
        return SSL.Connection(self._asking, None)


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


def _accept_any(connection: SSL.Connection, certificate: Any, error: int, depth: int, ok: int) -> bool:
    return True


def _context(session_id: bytes, certificate: str, key: str) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_cipher_list(CIPHERS)
    context.set_session_id(session_id)
    _use(context, certificate, key)
    return context


def _use(context: SSL.Context, certificate: str, key: str) -> None:
    try:
        context.use_certificate_chain_file(certificate)
    except (SSL.Error, OSError) as error:
        raise BadPair(f"{certificate} cannot be read, or is no certificate in PEM form") from error
    try:
        with open(key, "rb") as file:
            private: Any = serialization.load_pem_private_key(file.read(), None)
    except (TypeError, ValueError, UnsupportedAlgorithm, OSError) as error:
        raise BadPair(f"{key} cannot be read, or is no private key in PEM form without a passphrase") from error
    try:
        context.use_privatekey(private)
        context.check_privatekey()
    except SSL.Error as error:
        raise BadPair(f"the certificate {certificate} and the key {key} do not fit each other") from error


def expiry_of(certificate: str) -> datetime | None:
    """When the certificate in this file ends; None when it cannot be read."""
    try:
        with open(certificate, "rb") as file:
            return x509.load_pem_x509_certificate(file.read()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def self_signed(host_name: str, now: datetime | None = None) -> tuple[bytes, bytes]:
    """(certificate, key) as PEM, for the host name, `localhost` and the loopback addresses."""
    now = now or datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host_name[:64])])
    names: list[x509.GeneralName] = [x509.DNSName(each) for each in dict.fromkeys((host_name, "localhost"))]
    names += [x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
