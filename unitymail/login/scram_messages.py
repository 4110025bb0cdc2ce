"""The messages of SCRAM (RFC 5802 section 7) as a server reads and writes them: octets in, values out.

Sans-IO. Refuses to know keys and users. What does not fit raises BadScram, whose words name no user.

Note *Channel binding*. SCRAM-SHA-256-PLUS is not offered, so a client that could bind says `y`, one that cannot `n`;
`p=` asks for what was never offered and is refused (section 6).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from unitymail.interfaces.login import BadScram

DIGEST_OCTETS = 32

_nonce = re.compile(r"[!-+\--~]+").fullmatch
"""Printable ASCII without the comma."""
_extensions = re.compile(r"(?:,[A-Za-z]=[^,\0]+)*").fullmatch
"""Attributes that we do not know; they may follow the ones we do, and nobody must care (section 5.1)."""
_false_escape = re.compile(r"=(?!2C|3D)").search
_gs2 = re.compile(r"(?P<binding>[ny]|p=[A-Za-z0-9.\-]+),(?:a=(?P<acting_as>[^,\0]+))?,").match
_first = re.compile(r"n=(?P<name>[^,\0]+),r=(?P<nonce>[^,]*)(?P<extensions>.*)", re.DOTALL).fullmatch
_final = re.compile(
    r"(?P<unproven>c=(?P<binding>[A-Za-z0-9+/=]*+),r=(?P<nonce>[^,]*+)(?P<extensions>(?:,.*)?))"
    r",p=(?P<proof>[A-Za-z0-9+/=]*+)",
    re.DOTALL,
).fullmatch


@dataclass(frozen=True, slots=True)
class ClientFirst:
    """`header` is the GS2 header with its commas; `bare` what follows it, as the proof covers it."""

    header: bytes
    bare: bytes
    name: str
    acting_as: str
    nonce: str


@dataclass(frozen=True, slots=True)
class ClientFinal:
    """`unproven` is the message without its proof. `binding` must be the header of the first message again."""

    unproven: bytes
    binding: bytes
    nonce: str
    proof: bytes


def read_first(message: bytes) -> ClientFirst:
    """client-first-message."""
    text = _text(message)
    header = _gs2(text)
    if header is None:
        raise BadScram("the message does not begin with a GS2 header")
    if header["binding"].startswith("p="):
        raise BadScram("channel binding is not offered")
    bare = text[header.end() :]
    if bare.startswith("m="):
        raise BadScram("no mandatory extension is known")
    found = _first(bare)
    if found is None or not _nonce(found["nonce"]) or not _extensions(found["extensions"]):
        raise BadScram("that is no client-first-message")
    return ClientFirst(
        header[0].encode(), bare.encode(), _unescaped(found["name"]), _unescaped(header["acting_as"] or ""),
        found["nonce"],
    )  # fmt: skip


def server_first(nonce: str, salt: bytes, iterations: int) -> bytes:
    """server-first-message; `nonce` is the client's with ours behind it."""
    return b"r=%b,s=%b,i=%d" % (nonce.encode("ascii"), base64.b64encode(salt), iterations)


def read_final(message: bytes) -> ClientFinal:
    """client-final-message."""
    found = _final(_text(message))
    if found is None or not _nonce(found["nonce"]) or not _extensions(found["extensions"]):
        raise BadScram("that is no client-final-message")
    proof = _octets(found["proof"])
    if len(proof) != DIGEST_OCTETS:
        raise BadScram(f"a proof has {DIGEST_OCTETS} octets")
    return ClientFinal(found["unproven"].encode(), _octets(found["binding"]), found["nonce"], proof)


def server_final(signature: bytes) -> bytes:
    """server-final-message of a success. There is none for a failure (section 7): it could only tell too much."""
    return b"v=" + base64.b64encode(signature)


def _text(message: bytes) -> str:
    try:
        return message.decode("utf-8")
    except UnicodeDecodeError:
        raise BadScram("the message is not UTF-8") from None


def _octets(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise BadScram("that is not base64") from None


def _unescaped(name: str) -> str:
    """saslname: `=2C` is a comma, `=3D` an equals sign, and nothing else may follow `=`."""
    if _false_escape(name):
        raise BadScram("in a name only =2C and =3D may follow")
    return name.replace("=2C", ",").replace("=3D", "=")
