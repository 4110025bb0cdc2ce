"""The node's certificate: what cannot be used is said in one sentence, and never asks the terminal."""

import hashlib

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from tests.certificates import DAY, certificate, new_key
from unitymail.interfaces.tls import IMutualTls
from unitymail.tls import BadPair, ServerTls, public_key_fingerprint, self_signed


@pytest.fixture
def pair(tmp_path):
    certificate, key = self_signed("localhost")
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)
    return tmp_path / "cert.pem", tmp_path / "key.pem"


def why_not(pair):
    with pytest.raises(BadPair) as bad:
        ServerTls(*map(str, pair))
    return str(bad.value)


def test_what_is_no_certificate_is_named(pair):
    """The sentence names the file, for each way of being none."""
    pair[0].write_text("junk")
    assert why_not(pair) == f"{pair[0]} cannot be read, or is no certificate in PEM form"
    pair[0].unlink()
    assert why_not(pair) == f"{pair[0]} cannot be read, or is no certificate in PEM form"


def test_a_key_with_a_passphrase_is_refused_without_asking(pair):
    """A node that starts at boot has nobody to ask."""
    key = serialization.load_pem_private_key(pair[1].read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"passphrase")
    pair[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    )
    assert why_not(pair) == f"{pair[1]} cannot be read, or is no private key in PEM form without a passphrase"


def test_a_pair_that_does_not_fit_is_said_so(pair):
    """Half a renewal is found before it is used; the old pair stays in use."""
    tls = ServerTls(*map(str, pair))
    before = tls._context
    pair[1].write_bytes(self_signed("localhost")[1])
    with pytest.raises(BadPair, match="do not fit each other"):
        tls.reload()
    assert tls._context is before


def test_the_fingerprint_is_of_the_key_not_of_the_certificate():
    """A renewed certificate names the same peer; PEM, DER and the parsed certificate give the same."""
    key = new_key()
    first, renewed = certificate(key), certificate(key, ends=90 * DAY)
    assert first != renewed
    parsed = x509.load_pem_x509_certificate(renewed)
    der = parsed.public_bytes(serialization.Encoding.DER)
    found = {public_key_fingerprint(each) for each in (first, renewed, parsed, der)}
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert found == {hashlib.sha256(spki).hexdigest()}
    assert public_key_fingerprint(certificate(new_key())) not in found


def test_what_is_no_certificate_has_no_fingerprint():
    """Junk is a ValueError, in either form."""
    for junk in (b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(ValueError, match=r"\S"):
            public_key_fingerprint(junk)


def test_the_files_are_known_to_those_who_show_them(pair):
    """The relaying client shows the same pair to peers."""
    tls = ServerTls(*map(str, pair))
    assert (tls.certificate, tls.key) == tuple(map(str, pair))


class Unreadable:
    """A connection whose client showed something with a key of no known kind."""

    def get_peer_certificate(self, *, as_cryptography):
        return self

    def public_key(self):
        raise UnsupportedAlgorithm("a key from the future")


def test_a_key_of_an_unknown_kind_is_nobodys(pair):
    """A stranger with a strange key goes on as a stranger."""
    assert ServerTls(*map(str, pair)).mutual.client_key(Unreadable()) == ""


def test_a_renewed_certificate_serves_both_sides(pair):
    """After SIGHUP the mta door shows the new certificate too."""
    tls = ServerTls(*map(str, pair))
    before = tls.mutual.serverConnectionForTLS(None).get_context()
    tls.reload()
    assert tls.mutual.serverConnectionForTLS(None).get_context() is not before
    assert IMutualTls.providedBy(tls.mutual)
    assert not IMutualTls.providedBy(tls)
