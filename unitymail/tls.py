"""TLS of this node: its certificate, how doors use it, and how a first one is made. Refuses to know any protocol."""

from __future__ import annotations

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

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!MD5"
LIFETIME = timedelta(days=825)


class BadPair(Exception):
    """Why a certificate and its key cannot be used, in one sentence."""


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """TLS 1.2 and later for the doors; `reload` takes a renewed certificate for the connections that follow."""

    def __init__(self, certificate: str, key: str) -> None:
        self._files = certificate, key
        self.reload()

    def reload(self) -> None:
        """Read both files again; the old pair stays in use when they cannot be read or do not fit (raises BadPair)."""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_RENEGOTIATION)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.set_cipher_list(CIPHERS)
        context.set_session_id(b"unitymail")
        _use(context, *self._files)
        self._context = context

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return SSL.Connection(self._context, None)


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
