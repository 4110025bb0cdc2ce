"""Signing in on a connection: which mechanism, what is sent, and that nothing secret is shown or said in the clear.

Knows AUTH (RFC 4954); refuses to know where passwords come from and how a mechanism answers (`relay.sasl`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure

from unitymail.interfaces.threads import IThreads
from unitymail.mail.reply import Reply
from unitymail.relay.client import Client
from unitymail.relay.sasl import Distrust, Mechanism, challenge_of, choose
from unitymail.relay.trouble import Trouble, diagnostic, passing, sentence, status_of

ANSWER_S = 120.0
LONGEST_AUTH = 510
"""A longer initial response is kept for the first challenge (RFC 4954 4)."""
HIDDEN = b"****"
_HIDDEN_CHALLENGE = Reply(334, "", "****")
"""What a server says while we sign in would let passwords be guessed at leisure."""
_ANOTHER = (432, 504, 534)
"""Replies that refuse the mechanism and not the password."""


class SignIn:
    """`salted` as in `relay.sasl.SaltedPasswords`; `prepared` makes one form of the spellings of a password."""

    def __init__(
        self, username: str, password: bytes, *, threads: IThreads, prepared: Callable[[bytes], bytes],
        salted: Callable[[bytes, bytes, int], bytes],
    ) -> None:  # fmt: skip
        self._username = username
        self._password = password
        self._threads = threads
        self._prepared = prepared
        self._salted = salted
        self._left: tuple[str, ...] = ()
        self._client: Any = None
        self._mechanism: Mechanism | None = None
        self._first: bytes | None = None

    def begin(self, client: Client) -> None:
        self._client = client
        self._left = client.offers.mechanisms
        self._try_next()

    def _try_next(self) -> None:
        client = self._client
        self._mechanism = mechanism = choose(
            self._left, self._username, self._password, encrypted=client.encrypted, near=client.near,
            verified=client.hop.tls in ("required", "pinned"), prepared=self._prepared, salted=self._salted,
        )  # fmt: skip
        if mechanism is None:
            return self._give_up("4.7.0", f"offers no sign-in that this node may use{self._why_none()}.")
        self._left = tuple(each for each in self._left if each != mechanism.name)
        verb = b"AUTH " + mechanism.name.encode()
        self._first = mechanism.first()
        if self._first is None:
            client.say(verb)
        else:
            coded = base64.b64encode(self._first)
            if len(verb) + len(coded) < LONGEST_AUTH:
                self._first = None
                client.say(verb + b" " + coded, verb + b" " + HIDDEN)
            else:
                client.say(verb)
        client.expect(ANSWER_S)

    def _why_none(self) -> str:
        client = self._client
        if not client.offers.mechanisms:
            return ""
        if not client.encrypted and not client.near:
            return " without TLS: the password is never said in the clear"
        if client.hop.tls == "opportunistic" and not client.near:
            return ": the password is said only to a server whose certificate is verified (smart_host.tls = required)"
        return ""

    def waiting_for(self) -> str:
        return "its answer to our sign-in"

    def broke(self, trouble: Trouble) -> None:
        self._mechanism = None

    def heard_all(self) -> None:
        """Each reply is answered by itself."""

    def replied(self, reply: Reply) -> None:
        self._client.dialogue.theirs(_HIDDEN_CHALLENGE if reply.code == 334 else reply)
        mechanism = self._mechanism
        if mechanism is None:
            return
        if reply.code == 334:
            self._challenged(mechanism, reply)
        elif reply.code == 235:
            self._accepted(mechanism)
        elif reply.code in _ANOTHER:
            self._try_next()
        else:
            words = f"did not accept our sign-in as {self._username}."
            self._give_up(passing(status_of(reply)), words, diagnostic(reply))

    def _challenged(self, mechanism: Mechanism, reply: Reply) -> None:
        if self._first is not None:
            answer, self._first = self._first, None
            return self._answer(answer)
        try:
            challenge = challenge_of(reply.text)
        except Distrust as distrust:
            return self._distrust(distrust)
        answering: Any = self._threads.run(mechanism.answer, challenge)
        answering.addCallbacks(self._answer, self._cannot_answer)

    def _answer(self, answer: bytes) -> None:
        if self._mechanism is not None:
            self._client.say(base64.b64encode(answer), HIDDEN)
            self._client.expect(ANSWER_S)

    def _cannot_answer(self, failure: Failure) -> None:
        failure.trap(Distrust)
        if self._mechanism is not None:
            self._distrust(failure.value)

    def _accepted(self, mechanism: Mechanism) -> None:
        try:
            mechanism.finish()
        except Distrust as distrust:
            return self._distrust(distrust)
        self._mechanism = None
        self._client.smtpState_from(235, None)

    def _distrust(self, distrust: BaseException) -> None:
        self._give_up("4.7.0", f"broke the sign-in: it {distrust}.")

    def _give_up(self, status: str, words: str, said: str = "") -> None:
        """No other address is tried: a wrong password must not be said more often than it is used."""
        self._mechanism = None
        self._client.give_up(Trouble(status, sentence(self._client.hop, words), said, elsewhere=False))
