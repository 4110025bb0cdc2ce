"""What names a peer: the fingerprint of its public key. Refuses to know which ones are known."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization


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
