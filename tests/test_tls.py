"""The node's certificate: what cannot be used is said in one sentence, and never asks the terminal."""

import pytest
from cryptography.hazmat.primitives import serialization

from unitymail.tls import BadPair, ServerTls, self_signed


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
