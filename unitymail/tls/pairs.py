"""Certificates and their keys as files: read, checked against each other, and described.

Knows where they lie and what can be wrong with them; refuses to know who is shown which. Blocking.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from unitymail.tls.names import folded

FILES = (("fullchain.pem", "privkey.pem"), ("cert.pem", "key.pem"))
"""(certificates, key) in the folder of a name: as certbot keeps them, or as we do."""
SHORTEST_RSA = 2_048
SHORTEST_EC = 224
SOON_DAYS = 14
DAY_S = 86_400


class BadPair(Exception):
    """Why certificates and keys cannot be used, each reason in one sentence."""

    def __init__(self, *complaints: str) -> None:
        super().__init__("; ".join(complaints))
        self.complaints = complaints


@dataclass(frozen=True, slots=True)
class Pair:
    """One certificate in use. `chain` has those that vouch for it behind it; `names` are those a client may ask for."""

    file: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    fingerprint: str
    weakness: str = ""
    chain: tuple[x509.Certificate, ...] = field(default=(), repr=False, compare=False)
    key: Any = field(default=None, repr=False, compare=False)

    def days_left(self, now: float) -> int:
        """Whole days until it ends, below zero afterwards; `now` is Unix seconds."""
        return int((self.ends.timestamp() - now) // DAY_S)

    def warning(self, now: float) -> str:
        """What an administrator should do something about, "" when nothing."""
        if self.ends.timestamp() <= now:
            return f"it has expired on {self.ends:%Y-%m-%d}: renew it"
        if self.begins.timestamp() > now:
            return f"it is not valid before {self.begins:%Y-%m-%d %H:%M} UTC: is the clock right?"
        if self.days_left(now) < SOON_DAYS:
            return f"it ends on {self.ends:%Y-%m-%d}, in {self.days_left(now)} days: renew it"
        return self.weakness


def read_pairs(certificate: str, key: str, names: str = "") -> tuple[Pair, ...]:
    """The pair of the node itself first, then one for each folder in `names`. Raises BadPair with all complaints."""
    pairs, complaints = look_at_pairs(certificate, key, names)
    if complaints:
        raise BadPair(*complaints)
    return tuple(pairs)


def look_at_pairs(certificate: str, key: str, names: str = "") -> tuple[list[Pair], list[str]]:
    """Those that can be used, as for `read_pairs`, and what is wrong with the others."""
    pairs: list[Pair] = []
    complaints: list[str] = []
    try:
        pairs.append(read_pair(certificate, key))
    except BadPair as bad:
        complaints += bad.complaints
    others: list[Pair] = []
    for files in _files_in(names, complaints):
        try:
            others.append(_with_names(read_pair(*files)))
        except BadPair as bad:
            complaints += bad.complaints
    return pairs + others, complaints + _claimed_twice(others)


def _files_in(folder: str, complaints: list[str]) -> Iterator[tuple[str, str]]:
    """(certificate, key) of each folder within; what begins with a dot, or is none, is nobody's name."""
    if not folder:
        return
    try:
        within = sorted(each.path for each in os.scandir(folder) if each.is_dir() and not each.name.startswith("."))
    except OSError as error:
        complaints.append(f"{folder} cannot be read: {error.strerror}")
        return
    for path in within:
        here = [pair for pair in FILES if any(os.path.lexists(os.path.join(path, name)) for name in pair)]
        if here:
            yield os.path.join(path, here[0][0]), os.path.join(path, here[0][1])
        else:
            complaints.append(f"{path} holds no cert.pem and key.pem: put them there, or take the folder away")


def _with_names(pair: Pair) -> Pair:
    if not pair.names:
        raise BadPair(f"{pair.file} is for no host name (subjectAltName), so nobody could ask for it")
    return pair


def _claimed_twice(pairs: list[Pair]) -> list[str]:
    owners: dict[str, Pair] = {}
    return [
        f"{owners[name].file} and {pair.file} are both for {name}: leave one of them"
        for pair in pairs
        for name in pair.names
        if owners.setdefault(name, pair) is not pair
    ]


def read_pair(certificate: str, key: str) -> Pair:
    """Raises BadPair when a file cannot be used, or the two do not belong together."""
    complaints: list[str] = []
    chain = _certificates(certificate, complaints)
    private = _private_key(key, complaints)
    if complaints:
        raise BadPair(*complaints)
    first = chain[0]
    if _spki(first.public_key()) != _spki(private.public_key()):
        raise BadPair(f"the certificate {certificate} and the key {key} do not fit each other")
    if why := _too_short(private):
        raise BadPair(f"the key {key} {why}: make a new key and certificate")
    return _pair(certificate, chain, private)


def _pair(file: str, chain: tuple[x509.Certificate, ...], key: Any) -> Pair:
    first = chain[0]
    return Pair(
        file, _names_of(first), first.not_valid_before_utc, first.not_valid_after_utc,
        hashlib.sha256(first.public_bytes(serialization.Encoding.DER)).hexdigest(), _weakness(first), chain, key,
    )  # fmt: skip


def as_words(pair: Pair) -> list[str]:
    """[file, certificates, key] in PEM form, for another process of ours."""
    chain = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in pair.chain)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return [pair.file, chain.decode(), pair.key.private_bytes(serialization.Encoding.PEM, *form).decode()]


def of_words(file: str, chain: str, key: str) -> Pair:
    """What `as_words` gave."""
    certificates = tuple(x509.load_pem_x509_certificates(chain.encode()))
    return _pair(file, certificates, serialization.load_pem_private_key(key.encode(), None))


def _certificates(path: str, complaints: list[str]) -> tuple[x509.Certificate, ...]:
    try:
        with open(path, "rb") as file:
            found = tuple(x509.load_pem_x509_certificates(file.read()))
        for each in found:
            _spki(each.public_key())
        return found
    except OSError as error:
        complaints.append(f"{path} cannot be read: {error.strerror}")
        return ()
    except (ValueError, UnsupportedAlgorithm):
        complaints.append(f"{path} cannot be read, or is no certificate in PEM form")
        return ()


def _private_key(path: str, complaints: list[str]) -> Any:
    try:
        with open(path, "rb") as file:
            key = serialization.load_pem_private_key(file.read(), None)
        _spki(key.public_key())
        return key
    except OSError as error:
        complaints.append(f"{path} cannot be read: {error.strerror}")
        return None
    except (TypeError, ValueError, AttributeError, UnsupportedAlgorithm):
        complaints.append(f"{path} cannot be read, or is no private key in PEM form without a passphrase")
        return None


def _spki(key: Any) -> bytes:
    octets: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return octets


def _too_short(key: Any) -> str:
    """What OpenSSL does not use at its usual level of security."""
    match key:
        case rsa.RSAPrivateKey() if key.key_size < SHORTEST_RSA:
            return f"has {key.key_size} bits, and RSA needs {SHORTEST_RSA} at least"
        case ec.EllipticCurvePrivateKey() if key.curve.key_size < SHORTEST_EC:
            return f"is on the curve {key.curve.name}, and {SHORTEST_EC} bits are needed at least"
    return ""


def _weakness(certificate: x509.Certificate) -> str:
    """What works, but many clients do not accept."""
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return "it is signed in a way that is unknown here: clients may not accept it"
    if isinstance(digest, hashes.SHA1 | hashes.MD5):
        return f"it is signed with {digest.name.upper()}, which clients do not accept: renew it"
    return ""


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(dict.fromkeys(map(folded, found.get_values_for_type(x509.DNSName))))

