"""SCRAM-SHA-256 as a client has it, and a sign-in of one password for doors whose login is a stand-in."""

import hashlib
import hmac
from base64 import b64decode, b64encode

from unitymail.interfaces.login import SignInRefused
from unitymail.login import scram
from unitymail.login.scram_exchange import ScramExchange


class Client:
    """Says what a client says. `header` is the GS2 header; with `proof_of` the proof is made of another password."""

    def __init__(self, name, password, *, header="n,,", nonce="rOprNGfwEbeRWgbNEkqO"):
        self.header, self.nonce, self.password = header, nonce, password
        self.bare = f"n={name.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
        self.signature = None

    def first(self):
        return (self.header + self.bare).encode()

    def final(self, server_first):
        """The answer to the server's first message, by RFC 5802 section 3 word by word."""
        fields = dict(part.split("=", 1) for part in server_first.decode().split(","))
        assert fields["r"].startswith(self.nonce)
        assert len(fields["r"]) > len(self.nonce) + 16
        salted = hashlib.pbkdf2_hmac("sha256", self.password, b64decode(fields["s"]), int(fields["i"]))
        unproven = f"c={b64encode(self.header.encode()).decode()},r={fields['r']}"
        message = ",".join((self.bare, server_first.decode(), unproven)).encode()
        key = hmac.digest(salted, b"Client Key", "sha256")
        mask = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, mask, strict=True))
        self.signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
        return f"{unproven},p={b64encode(proof).decode()}".encode()

    def believes(self, server_final):
        """Whether the server knows the password too."""
        return server_final == b"v=" + b64encode(self.signature)


def one_password(password, user, place, answer=None):
    """A server's exchange in which `password` signs `user` in; `answer` is raised when it is an exception."""
    keys = scram.derive(password, salt=b"0123456789abcdef", iterations=64)

    async def shown(name):
        return keys

    async def enter(given):
        if isinstance(answer, Exception):
            raise answer
        if not scram.proves(given.keys, given.message, given.proof):
            raise SignInRefused("bad-credentials", "wrong password")
        return user

    return ScramExchange(place, shown=shown, enter=enter)
