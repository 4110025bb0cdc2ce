"""Signing in to a server: PLAIN (RFC 4616), LOGIN and SCRAM-SHA-256 (RFC 5802, 7677), as a client. Pure, no network.

Knows what is answered to each challenge; refuses to know whether the connection is safe enough to say it. SCRAM costs
tens of milliseconds of hashing: call `answer` in a thread.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Protocol

FEWEST_ITERATIONS = 4_096
"""RFC 7677 4."""
MOST_ITERATIONS = 1_000_000


class Distrust(Exception):
    """The server's part of the exchange is wrong; the message says how."""


class Mechanism(Protocol):
    name: str

    def first(self) -> bytes | None:
        """The initial response; None for none."""
        ...

    def answer(self, challenge: bytes) -> bytes:
        """Raises Distrust."""
        ...

    def finish(self) -> None:
        """The server says that we are in. Raises Distrust when it has not shown that it may say so."""
        ...


class Plain:
    name = "PLAIN"

    def __init__(self, username: str, password: bytes) -> None:
        self._response = b"\0" + username.encode() + b"\0" + password

    def first(self) -> bytes | None:
        return self._response

    def answer(self, challenge: bytes) -> bytes:
        raise Distrust("asked for more than PLAIN has to say")

    def finish(self) -> None:
        pass


class Login:
    """Two prompts, whatever their words: the name, then the password."""

    name = "LOGIN"

    def __init__(self, username: str, password: bytes) -> None:
        self._answers = [username.encode(), password]

    def first(self) -> bytes | None:
        return None

    def answer(self, challenge: bytes) -> bytes:
        if not self._answers:
            raise Distrust("asked for more than LOGIN has to say")
        return self._answers.pop(0)

    def finish(self) -> None:
        pass


class SaltedPasswords:
    """Salted passwords of earlier exchanges, so that each connection need not be hashed for."""

    def __init__(self, most: int = 16) -> None:
        self._known: dict[tuple[bytes, bytes, int], bytes] = {}
        self._most = most

    def salted(self, password: bytes, salt: bytes, iterations: int) -> bytes:
        key = (hashlib.sha256(password).digest(), salt, iterations)
        found = self._known.get(key)
        if found is None:
            found = hashlib.pbkdf2_hmac("sha256", password, salt, iterations)
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[key] = found
        return found


class ScramSha256:
    """Both sides prove that they know the password, and neither says it."""

    name = "SCRAM-SHA-256"

    def __init__(
        self, username: str, password: bytes, salted: Callable[[bytes, bytes, int], bytes], nonce: str = ""
    ) -> None:
        self._password = password
        self._salted = salted
        self._nonce = nonce or secrets.token_urlsafe(24)
        name = username.replace("=", "=3D").replace(",", "=2C")
        self._bare = f"n={name},r={self._nonce}".encode()
        self._expected: bytes | None = None
        self._proved = False

    def first(self) -> bytes | None:
        return b"n,," + self._bare

    def answer(self, challenge: bytes) -> bytes:
        if self._expected is None:
            return self._prove(challenge)
        self._check(challenge)
        return b""

    def _prove(self, challenge: bytes) -> bytes:
        words = _attributes(challenge)
        nonce = words.get("r", "")
        if not nonce.startswith(self._nonce) or nonce == self._nonce or "m" in words:
            raise Distrust("did not take up our nonce")
        iterations = int(words["i"]) if words.get("i", "").isdecimal() and len(words["i"]) < 10 else 0
        if not FEWEST_ITERATIONS <= iterations <= MOST_ITERATIONS:
            raise Distrust(f"asks for {words.get('i', 'no')[:20]} iterations")
        salted = self._salted(self._password, _from_base64(words.get("s", "")), iterations)
        bare = b"c=biws,r=" + nonce.encode()
        whole = b",".join((self._bare, challenge, bare))
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), whole, "sha256")
        self._expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), whole, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return bare + b",p=" + base64.b64encode(proof)

    def _check(self, challenge: bytes) -> None:
        words = _attributes(challenge)
        if "e" in words:
            raise Distrust(f"ended the exchange: {words['e'][:60]}")
        if not hmac.compare_digest(_from_base64(words.get("v", "")), self._expected or b""):
            raise Distrust("does not know the password itself")
        self._proved = True

    def finish(self) -> None:
        if not self._proved:
            raise Distrust("did not show that it knows the password itself")


def _attributes(message: bytes) -> dict[str, str]:
    try:
        text = message.decode()
    except UnicodeDecodeError as error:
        raise Distrust("sent what is no SCRAM message") from error
    return {part[:1]: part[2:] for part in text.split(",") if part[1:2] == "="}


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Distrust("sent what is no base64") from error


def challenge_of(text: str) -> bytes:
    """The text of a 334 reply. Raises Distrust."""
    return _from_base64(text.strip())


def choose(
    offered: tuple[str, ...], username: str, password: bytes, *, encrypted: bool, near: bool, verified: bool,
    prepared: Callable[[bytes], bytes], salted: Callable[[bytes, bytes, int], bytes],
) -> Mechanism | None:  # fmt: skip
    """The best mechanism on offer; None when none may be used.

    `near`: the server is this machine, which may hear the password; our own doors take one from there. `verified`: its
    certificate is for its name, so that nobody in between plays the server. Everybody else hears no password, and under
    TLS a proof at most.
    """
    if "SCRAM-SHA-256" in offered and (encrypted or near):
        return ScramSha256(prepared(username.encode()).decode(), prepared(password), salted)
    if not (near or (encrypted and verified)):
        return None
    if "PLAIN" in offered:
        return Plain(username, password)
    return Login(username, password) if "LOGIN" in offered else None
