"""Passwords: kept so that nobody can read them, refused when a stranger would try them."""

import hashlib
import hmac
import time
from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import ROBIN
from unitymail.interfaces.directory import Refused
from unitymail.login import passwords, scram
from unitymail.login.passwords import Passwords
from unitymail.login.saslprep import prepared, saslprep
from unitymail.login.trivial import why_trivial
from unitymail.people.authentication_rule import AuthenticationRule

RULE = AuthenticationRule()
QUICK = Passwords(memory_kib=64, time_cost=1, scram_iterations=64)


def test_the_profile_is_owasps():
    """argon2id, 19 MiB, two passes, one lane: named in the hash itself."""
    assert Passwords().hash(b"benchpass").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_right_and_wrong():
    """Only the same password matches, and a damaged hash matches nothing."""
    kept = QUICK.hash(b"tulips at noon")
    assert QUICK.matches(kept, b"tulips at noon")
    assert not QUICK.matches(kept, b"tulips at noon ")
    assert not QUICK.matches(kept, b"")
    assert not QUICK.matches("no hash", b"tulips at noon")
    assert not QUICK.matches(kept, b"x" * 100_000)


def test_the_longest_password_there_is():
    """One octet more is another password; what is longer by far costs no more than it does."""
    longest = b"tulips at noon".ljust(passwords.MAX_OCTETS, b"!")
    kept = QUICK.hash(longest)
    assert QUICK.matches(kept, longest)
    assert not QUICK.matches(kept, longest + b"!")
    began = time.thread_time()
    assert not QUICK.matches(kept, "\u0300\u0316".encode() * 32_000)
    assert time.thread_time() - began < 0.5


def test_the_same_password_is_kept_differently_each_time():
    """Two users with one password cannot be told from what is kept."""
    assert QUICK.hash(b"tulips at noon") != QUICK.hash(b"tulips at noon")
    one, other = QUICK.secret(b"tulips", scram=True), QUICK.secret(b"tulips", scram=True)
    assert one.scram.stored_key != other.scram.stored_key


def test_keyboards_that_spell_an_accent_in_two_ways():
    """A composed and a decomposed ü are one password, by hash and by SCRAM key."""
    kept = QUICK.hash("m\u00fcnchen-42".encode())
    assert QUICK.matches(kept, "mu\u0308nchen-42".encode())
    salt = b"0123456789abcdef"
    assert scram.derive("m\u00fcn".encode(), salt=salt) == scram.derive("mu\u0308n".encode(), salt=salt)


@pytest.mark.parametrize(
    "password",
    ["robin", "ROBIN", "nibor", "robin1041", "1041robin!", "smith123", "Robin Smith", "12345678", "87654321",
     "qwertyuiop", "abcdefgh", "password", "Passw0rd!", "letmein12", "aaaaaaaa", "1111", "qwe123asd", "unitymail1"],
)  # fmt: skip
def test_trivial_passwords_have_a_reason(password):
    """Names, numbers, runs and the words that everybody tries first."""
    assert why_trivial(password, ROBIN)


@pytest.mark.parametrize(
    "password", ["benchpass", "tulips at noon", "Correct-Horse-7", "robin-of-loxley", "x7!kQ", "пароль-зимой", "пила42"]
)
def test_other_passwords_have_none(password):
    """No mixture of character classes is asked for; length and surprise do."""
    assert why_trivial(password, ROBIN) == ""


@given(st.text(max_size=40))
def test_any_password_is_judged(text):
    """Whatever is typed gets an answer."""
    why_trivial(text, ROBIN)
    prepared(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "password", [b"", b"short", b"robin1041", b"a\nbcdefgh", b"tulips\0noon", b"\xff\xfetulips", b"x" * 1025]
)
def test_what_the_rule_forbids(password):
    """Each refusal is one sentence and never holds the password."""
    with pytest.raises(Refused) as refused:
        QUICK.judge(password, ROBIN, RULE, ())
    assert str(refused.value).endswith(".")
    assert not password or password.decode("latin-1") not in str(refused.value)


def test_old_passwords_do_not_come_back():
    """The last five by the rule, the present one counted; older ones may."""
    old = [QUICK.hash(f"tulips no {number}".encode()) for number in range(6)]
    for number in range(5):
        with pytest.raises(Refused):
            QUICK.judge(f"tulips no {number}".encode(), ROBIN, RULE, old)
    QUICK.judge(b"tulips no 5", ROBIN, RULE, old)


def test_a_rule_may_ask_for_less():
    """Every part of it can be switched off."""
    QUICK.judge(b"robin", ROBIN, AuthenticationRule(min_length=1, no_trivial=False), ())


def test_scram_keys_are_those_of_rfc_7677():
    """The example of RFC 7677 section 3: our keys check its client proof and give its server signature."""
    keys = scram.derive(b"pencil", salt=b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), iterations=4096)
    message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    proof = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signature = hmac.digest(keys.stored_key, message, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    assert hashlib.sha256(client_key).digest() == keys.stored_key
    assert hmac.digest(keys.server_key, message, "sha256") == b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_scram_keys_are_made_only_when_wanted():
    """And with as many iterations as Cyrus SASL computes unless a test says otherwise."""
    assert QUICK.secret(b"tulips", scram=False).scram is None
    assert Passwords().secret(b"tulips", scram=True).scram.iterations == 65_536
    assert passwords.MEMORY_KIB == 19_456


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [("I\u00adX", "IX"), ("user", "user"), ("USER", "USER"), ("\u00aa", "a"), ("\u2168", "IX")],
)
def test_saslprep_examples(given_text, wanted):
    """The table of RFC 4013 section 3."""
    assert saslprep(given_text) == wanted


@pytest.mark.parametrize("text", ["\u0007", "\u0627\u0031"])
def test_saslprep_refusals(text):
    """The prohibited and the bidirectional row of the same table."""
    with pytest.raises(ValueError):
        saslprep(text)


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_what_is_set_signs_in(text):
    """Whatever a password is made of, the same octets match it."""
    octets = text.encode("utf-8", "surrogatepass")
    assert QUICK.matches(QUICK.hash(octets), octets)
