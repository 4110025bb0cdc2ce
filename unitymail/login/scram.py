"""SCRAM-SHA-256 keys (RFC 5802 section 3, RFC 7677): what is kept instead of a password, and what it can prove.

Knows keys, proofs and signatures, and the keys that a name of nobody is shown; the exchange is `scram_exchange`'s.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from unitymail.interfaces.directory import ScramKeys
from unitymail.login.saslprep import prepared

ITERATIONS = 65_536
"""As many as Cyrus SASL computes (2.1.28: "iteration-count is too big, refusing to compute" beyond 0x10000): mbsync,
KMail and Postfix sign in by it."""
SALT_OCTETS = 16
ID_OCTETS = 12


def derive(password: bytes, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> ScramKeys:
    """The keys of a password. Blocking: tens of milliseconds, without holding the interpreter."""
    salt = secrets.token_bytes(SALT_OCTETS) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", prepared(password), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return ScramKeys(salt, iterations, hashlib.sha256(client_key).digest(), server_key)


def proves(keys: ScramKeys, message: bytes, proof: bytes) -> bool:
    """Whether the proof for this AuthMessage was made with the password of the keys. Takes the same time either way."""
    signature = hmac.digest(keys.stored_key, message, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), keys.stored_key)


def signature(keys: ScramKeys, message: bytes) -> bytes:
    """ServerSignature: it shows the client that we know the keys."""
    return hmac.digest(keys.server_key, message, "sha256")


def decoy(secret: bytes, name: str, *, iterations: int = ITERATIONS) -> ScramKeys:
    """The keys that a name without any is answered with: always the same, so that names cannot be probed.

    No password belongs to them. With another count of iterations all is another, as when a user's keys are made anew.
    """

    def derived(what: str) -> bytes:
        return _derived(secret, f"{what} {iterations}", name)

    return ScramKeys(derived("salt")[:SALT_OCTETS], iterations, derived("stored key"), derived("server key"))


def place_of(secret: bytes, name: str) -> str:
    """Where this name stands among the ids of users, as if it were one's: in which neighbourhood nobody can tell."""
    return base64.b32hexencode(_derived(secret, "place", name)[:ID_OCTETS]).decode("ascii").rstrip("=").lower()


def _derived(secret: bytes, what: str, name: str) -> bytes:
    return hmac.digest(secret, f"scram {what}\0{name}".encode("utf-8", "surrogatepass"), "sha256")
