"""Signing in as a client: what is answered, and to whom."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.login.scram import derive
from unitymail.relay.sasl import Distrust, Login, Plain, SaltedPasswords, ScramSha256, challenge_of, choose

SALTED = SaltedPasswords().salted
ALL = ("PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5")


def rfc():
    return ScramSha256("user", b"pencil", SALTED, nonce="rOprNGfwEbeRWgbNEkqO")


FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
LAST = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_the_example_of_rfc_7677():
    """The exchange of the standard, octet for octet."""
    scram = rfc()
    assert scram.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert scram.answer(FIRST) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert scram.answer(LAST) == b""
    scram.finish()


def test_a_server_that_only_pretends():
    """One that lets us in without knowing the password is not believed."""
    scram = rfc()
    scram.answer(FIRST)
    with pytest.raises(Distrust, match="does not know"):
        scram.answer(LAST.replace(b"6rri", b"7rri"))
    scram = rfc()
    scram.answer(FIRST)
    with pytest.raises(Distrust, match="did not show"):
        scram.finish()


@pytest.mark.parametrize("challenge", [
    FIRST.replace(b"r=rO", b"r=xO"), b"r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096", FIRST.replace(b"i=4096", b"i=1"),
    FIRST.replace(b"i=4096", b"i=99999999"), FIRST.replace(b"i=4096", b"i="), FIRST.replace(b"s=W2", b"s=?"),
    b"m=x," + FIRST, b"", b"\xff", b"e=no",
])  # fmt: skip
def test_challenges_that_are_wrong(challenge):
    """Another nonce, too few rounds, endless ones, an extension we must know: no proof is given."""
    with pytest.raises(Distrust):
        rfc().answer(challenge)


@given(st.binary(max_size=80))
def test_any_challenge(challenge):
    """No challenge does more than end the exchange."""
    try:
        rfc().answer(challenge)
    except Distrust as distrust:
        assert str(distrust)


def test_against_our_own_keys():
    """The keys that our doors keep fit the proof that this client gives."""
    keys = derive("pässword".encode(), salt=b"0123456789abcdef", iterations=4096)
    known = SaltedPasswords()
    salted = known.salted("pässword".encode(), keys.salt, keys.iterations)
    assert known.salted("pässword".encode(), keys.salt, keys.iterations) is salted
    assert hmac.digest(salted, b"Server Key", "sha256") == keys.server_key
    assert hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest() == keys.stored_key


def test_salted_passwords_are_few():
    """A server that asks for another salt each time fills no memory."""
    known = SaltedPasswords(most=3)
    for number in range(20):
        known.salted(b"x", bytes([number]), 1)
    assert len(known._known) <= 3


def test_plain_and_login():
    """The two that say the password itself."""
    plain = Plain("robin", b"secret")
    assert plain.first() == b"\0robin\0secret"
    with pytest.raises(Distrust):
        plain.answer(b"more")
    login = Login("robin", b"secret")
    assert [login.first(), login.answer(b"User Name\0"), login.answer(b"Password\0")] == [None, b"robin", b"secret"]
    with pytest.raises(Distrust):
        login.answer(b"again")


@pytest.mark.parametrize(("offered", "how", "name"), [
    (ALL, "encrypted", "SCRAM-SHA-256"), (ALL, "near", "SCRAM-SHA-256"), (ALL, "", None),
    (("PLAIN", "LOGIN"), "encrypted verified", "PLAIN"), (("LOGIN",), "encrypted verified", "LOGIN"),
    (("PLAIN", "LOGIN"), "encrypted near", "PLAIN"), (("PLAIN", "LOGIN"), "encrypted", None),
    (("PLAIN", "LOGIN"), "verified", None), (("PLAIN", "LOGIN"), "near", "PLAIN"),
    (("CRAM-MD5",), "encrypted near verified", None), ((), "encrypted near verified", None),
])  # fmt: skip
def test_choosing(offered, how, name):
    """The best there is; the password under TLS only and to nobody who may be another, a proof in the clear to us."""
    known = {word: word in how.split() for word in ("encrypted", "near", "verified")}
    found = choose(offered, "robin", b"secret", **known, prepared=lambda password: password, salted=SALTED)
    assert (found and found.name) == name


def test_challenge_of():
    """Base64, or nothing to go on with."""
    assert challenge_of(base64.b64encode(b"x").decode()) == b"x"
    assert challenge_of("") == b""
    with pytest.raises(Distrust):
        challenge_of("?")


def test_a_name_that_scram_must_write_otherwise():
    """RFC 5802 5.1: what separates attributes is escaped in a name, the sign of escape first."""
    first = ScramSha256("a=b,c", b"secret", SALTED, nonce="n").first()
    assert first == b"n,,n=a=3Db=2Cc,r=n"
