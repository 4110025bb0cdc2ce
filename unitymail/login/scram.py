"""SCRAM-SHA-256 keys (RFC 5802, RFC 7677): what is kept so that a client can sign in without sending its password.

Knows how keys are derived; the exchange itself is a mechanism of the doors.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from unitymail.interfaces.directory import ScramKeys
from unitymail.login.saslprep import prepared

ITERATIONS = 100_000
SALT_OCTETS = 16


def derive(password: bytes, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> ScramKeys:
    """The keys of RFC 5802 section 3. Blocking: tens of milliseconds, without holding the interpreter."""
    salt = secrets.token_bytes(SALT_OCTETS) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", prepared(password), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return ScramKeys(salt, iterations, hashlib.sha256(client_key).digest(), server_key)


def decoy_salt(secret: bytes, name: str) -> bytes:
    """The salt that an unknown name is shown: always the same, so that names cannot be probed."""
    return hmac.digest(secret, b"scram salt\0" + name.casefold().encode("utf-8", "surrogatepass"), "sha256")[
        :SALT_OCTETS
    ]
