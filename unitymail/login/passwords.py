"""Passwords: what is kept of them, whether one matches, and whether a new one will do. Blocking; no SQL, no Twisted."""

from __future__ import annotations

from collections.abc import Sequence

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zope.interface import implementer

from unitymail.interfaces.directory import Refused, ScramKeys, Secret
from unitymail.interfaces.login import IPasswords
from unitymail.login import scram as scram_keys
from unitymail.login.saslprep import prepared
from unitymail.login.trivial import why_trivial
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.user import User

MEMORY_KIB, TIME_COST, LANES = 19 * 1024, 2, 1
"""The OWASP profile for argon2id: some 19 ms, and the interpreter is free meanwhile."""
MAX_OCTETS = 1_024


@implementer(IPasswords)
class Passwords:
    """argon2id with these costs (tests use smaller ones)."""

    def __init__(
        self, *, memory_kib: int = MEMORY_KIB, time_cost: int = TIME_COST, scram_iterations: int = scram_keys.ITERATIONS
    ) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=LANES)
        self.scram_iterations = scram_iterations

    def hash(self, password: bytes) -> str:
        return self._hasher.hash(prepared(password))

    def matches(self, password_hash: str, password: bytes) -> bool:
        """Takes the same time for right and wrong."""
        try:
            return self._hasher.verify(password_hash, prepared(password[:MAX_OCTETS])) and len(password) <= MAX_OCTETS
        except (VerificationError, InvalidHashError):
            return False

    def judge(self, password: bytes, user: User, rule: AuthenticationRule, old: Sequence[str]) -> None:
        text = _text(password)
        if len(text) < rule.min_length:
            raise Refused(f"The password has {len(text)} characters; give it at least {rule.min_length}.")
        if rule.no_trivial and (why := why_trivial(text, user)):
            raise Refused(f"The password is too easy to guess: {why}; choose another.")
        if any(self.matches(one, password) for one in old[: rule.history]):
            raise Refused(f"The password is one of the last {rule.history} of this user; choose a new one.")

    def secret(self, password: bytes, *, scram: bool, must_change: bool = False) -> Secret:
        return Secret(self.hash(password), self.scram_keys(password) if scram else None, must_change)

    def scram_keys(self, password: bytes) -> ScramKeys:
        return scram_keys.derive(password, iterations=self.scram_iterations)


def _text(password: bytes) -> str:
    if not password:
        raise Refused("The password is empty; give one.")
    if len(password) > MAX_OCTETS:
        raise Refused(f"The password has {len(password)} octets; at most {MAX_OCTETS} are taken.")
    try:
        text = password.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("The password is not UTF-8 text; write it in that encoding.") from error
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise Refused("The password holds a control character, which mail programs cannot send; leave it out.")
    return text
