"""Keys of SCRAM-SHA-256: those of the standard, what they prove, and the ones that a name of nobody is shown."""

from base64 import b64decode

from hypothesis import given, settings
from hypothesis import strategies as st

from unitymail.login import scram

# The example of RFC 7677 section 3.
KEYS = scram.derive(b"pencil", salt=b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), iterations=4096)
MESSAGE = (
    b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
)
PROOF = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")


def test_the_example_of_the_standard():
    """Its proof is right, its server signature is ours, and any other proof or message is wrong."""
    assert scram.proves(KEYS, MESSAGE, PROOF)
    assert scram.signature(KEYS, MESSAGE) == b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert not scram.proves(KEYS, MESSAGE + b"x", PROOF)
    assert not scram.proves(KEYS, MESSAGE, PROOF[::-1])


@settings(max_examples=40)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80))
def test_nobody_proves_a_decoy(proof, message):
    """Whatever is sent for a name of nobody, it is wrong."""
    assert not scram.proves(scram.decoy(b"secret", "nobody", iterations=64), message, proof)


def test_decoys_are_stable():
    """Asked twice the answer is the same; another name or another node's secret gives another; nothing looks odd."""
    keys = scram.decoy(b"secret", "nobody")
    assert keys == scram.decoy(b"secret", "nobody")
    assert (len(keys.salt), keys.iterations) == (scram.SALT_OCTETS, scram.ITERATIONS)
    assert keys.salt not in (scram.decoy(b"secret", "somebody").salt, scram.decoy(b"other", "nobody").salt)
    assert len({keys.salt, keys.stored_key[:16], keys.server_key[:16]}) == 3
    assert scram.decoy(b"secret", "\ud800").salt != keys.salt
