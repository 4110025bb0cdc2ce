"""TLS towards a hop: anybody's certificate, one for the name from an authority, or the pinned key of a peer.

Names are checked by service-identity, in OpenSSL's own verification, so that one handshake settles it. Refuses to know
when TLS is begun, and what is said under it.

*Note: a peer is its key.* Its certificate may be self-signed, renewed or expired: what counts is the SHA-256 of its
SubjectPublicKeyInfo, which the handshake proves it holds, and that the certificate names the host we meant to reach.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any

import idna
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import SSL, crypto
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from zope.interface import implementer

from unitymail.interfaces.threads import IThreads
from unitymail.routing.next_hop import NextHop

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:RSA+AES:!aNULL:!eNULL:!MD5:!DSS"
_VERIFY = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
_FLAWS = {
    9: "is not valid yet", 10: "has expired", 18: "is self-signed", 19: "comes from an unknown authority",
    20: "comes from an unknown authority", 21: "comes from an unknown authority", 23: "was revoked",
}  # fmt: skip


class CannotVerify(Exception):
    """A file needed to make or check certificates cannot be used; the message says which and why."""


@implementer(IOpenSSLClientConnectionCreator)
class Handshake:
    """TLS for one connection. `flaw` says what was wrong with the certificate, "" for nothing or none seen yet."""

    def __init__(self, context: SSL.Context, hop: NextHop, host: str) -> None:
        self.flaw = ""
        self._context = context
        self._hop = hop
        self._name, self._is_dns = ascii_name(host)

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        if self._is_dns:
            connection.set_tlsext_host_name(self._name.encode())
        if self._hop.tls in ("required", "pinned"):
            connection.set_verify(_VERIFY, self._verify)
        else:
            connection.set_verify(SSL.VERIFY_NONE)
        return connection

    def _verify(self, connection: Any, certificate: crypto.X509, error: int, depth: int, good: int) -> bool:
        # OpenSSL swallows what a callback raises: anything unforeseen must mean no.
        try:
            flaw = self._flaw_of(certificate, error, depth, bool(good))
        except Exception as trouble:
            flaw = f"cannot be checked ({type(trouble).__name__})"
        self.flaw = self.flaw or flaw
        return not flaw

    def _flaw_of(self, certificate: crypto.X509, error: int, depth: int, good: bool) -> str:
        if self._hop.tls == "pinned":
            if depth:
                return ""
            if not hmac.compare_digest(fingerprint_of(certificate), _plain(self._hop.fingerprint)):
                return "has another key than the one that was entered for it"
        elif not good:
            return _FLAWS.get(error, f"cannot be verified (OpenSSL error {error})")
        return "" if depth else self._flaw_of_name(certificate)

    def _flaw_of_name(self, certificate: crypto.X509) -> str:
        wanted: Any = DNS_ID(self._name) if self._is_dns else IPAddress_ID(self._name)
        try:
            verify_service_identity(extract_patterns(certificate), [wanted], [])
        except (VerificationError, CertificateError):
            return f"is not for {self._name}"
        return ""


def fingerprint_of(certificate: crypto.X509) -> str:
    """The SHA-256 of the SubjectPublicKeyInfo, hex."""
    key = certificate.to_cryptography().public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _plain(fingerprint: str) -> str:
    return fingerprint.replace(":", "").lower()


def ascii_name(host: str) -> tuple[str, bool]:
    """(the host as it stands in certificates, whether it is a name and no address)."""
    host = host.strip("[]").rstrip(".")
    if isIPAddress(host) or isIPv6Address(host):
        return host, False
    if host.isascii():
        return host.lower(), True
    try:
        return idna.encode(host, uts46=True).decode(), True
    except idna.IDNAError:
        return host.encode("ascii", "replace").decode(), True


class ClientTls:
    """The contexts of all hops: made in a thread when first needed, kept until a file they are made of changes."""

    def __init__(self, *, threads: IThreads, certificate: str = "", key: str = "") -> None:
        self._threads = threads
        self._own = certificate, key
        self._contexts: dict[tuple[str, str], tuple[object, SSL.Context]] = {}

    def forget(self) -> None:
        """Our certificate was renewed: connections that follow show the new one."""
        self._contexts.clear()

    async def handshake(self, hop: NextHop, host: str) -> Handshake:
        """For a connection to this host of the hop. Raises CannotVerify."""
        kind = hop.tls, hop.ca_file if hop.tls == "required" else ""
        made, context = self._contexts.get(kind, (None, None))
        if context is None or kind[1]:
            stamp = await self._threads.run(_stamp, kind[1])
            if context is None or stamp != made:
                context = await self._threads.run(self._make, *kind)
                self._contexts[kind] = stamp, context
        return Handshake(context, hop, host)

    def _make(self, tls: str, ca_file: str) -> SSL.Context:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_cipher_list(CIPHERS)
        if tls == "required":
            _trust(context, ca_file)
        if tls == "pinned":
            _show(context, *self._own)
        return context


def _stamp(path: str) -> object:
    """What changes when the file does; None for no file."""
    try:
        found = os.stat(path) if path else None
    except OSError:
        return None
    return found and (found.st_mtime_ns, found.st_size, found.st_ino)


def _trust(context: SSL.Context, ca_file: str) -> None:
    if not ca_file:
        context.set_default_verify_paths()
        return
    try:
        context.load_verify_locations(ca_file)
    except SSL.Error as error:
        raise CannotVerify(f"{ca_file} cannot be read, or holds no certificates in PEM form") from error


def _show(context: SSL.Context, certificate: str, key: str) -> None:
    if not certificate:
        raise CannotVerify("this node has no certificate to show to its peers")
    try:
        context.use_certificate_chain_file(certificate)
        context.use_privatekey_file(key or certificate)
        context.check_privatekey()
    except SSL.Error as error:
        raise CannotVerify(f"the certificate {certificate} and the key {key} cannot be used") from error
