"""One session of SMTP as a conversation: what was said so far, and what the client is expected to send next.

Refuses to know sockets, TLS records, timers and framing, which are the server's, and what each verb does, which is in
`verbs`. A line in gives the octets of its reply, or a coroutine for them when the answer takes time.
"""

from __future__ import annotations

from collections.abc import Coroutine
from enum import Enum
from typing import Any

from unitymail.interfaces.errors import SHUTTING_DOWN
from unitymail.mail.envelope import Envelope
from unitymail.mail.reply import Reply
from unitymail.policy.access import Client
from unitymail.policy.sasl import Exchange
from unitymail.policy.tarpit import WRONG_COMMAND, held_back_s, is_mistake
from unitymail.policy.tls import judge_unproven
from unitymail.routing.decision import Origin
from unitymail.smtp import commands, replies
from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.ending import answer_to
from unitymail.smtp.framing import Flaws
from unitymail.smtp.house import House
from unitymail.smtp.identity import Identity
from unitymail.smtp.reception import Reception
from unitymail.smtp.record import tell_abandoned, tell_end
from unitymail.smtp.refusal import Refused, require
from unitymail.smtp.transaction import Transaction
from unitymail.smtp.verbs import VERBS, Answer
from unitymail.smtp.verbs.authentication import respond
from unitymail.smtp.verbs.chunks import Chunk, announces_octets, end_of_chunk

__all__ = ["Answer", "Dialogue", "Mode"]

COMMAND_LINE = 2_048
LONGEST_LINE = 12_288
"""AUTH and its responses (RFC 4954 4)."""
MAX_WRONG = 10
UNPROVEN = frozenset(("EHLO", "HELO", "STARTTLS", "QUIT", "NOOP", "RSET"))
"""What a client may say that is only let in to prove that it is a peer."""


class Mode(Enum):
    """What comes next. START_TLS and CLOSING: nothing, until the server did what they say."""

    COMMAND = "command"
    AUTH = "auth"
    DATA = "data"
    CHUNK = "chunk"
    START_TLS = "start-tls"
    CLOSING = "closing"


class Dialogue:
    """One session; `session` names it in the journal. `who` is the client.

    `mail_refused`: the last MAIL was, and what is pipelined behind it comes yet; `chunk_refused` likewise. `chunk` is
    the BDAT whose octets come next, `reception` the message that is on its way in, between two of its chunks too.
    `held_back_s`: how long the newest reply is to wait, for all the mistakes before it. `doubtful`: what comes before
    that is not believed (see Note: whose end).
    """

    __slots__ = (
        "_exchange", "_mistakes", "_wrong", "chunk", "chunk_refused", "doubtful", "draining", "greeted", "held_back_s",
        "house", "mail_refused", "messages", "mode", "reception", "session", "sign_in_failures", "site", "transaction",
        "who",
    )
    verbs = VERBS

    def __init__(self, house: House, client: Client, ip: str, session: str) -> None:
        self.house = house
        self.site = house.book.site
        self.who = Identity(house, client, ip)
        self.session = session
        self.mode = Mode.COMMAND
        self.draining = False
        self.greeted = False
        self.transaction: Transaction | None = None
        self.mail_refused = self.chunk_refused = False
        self.chunk: Chunk | None = None
        self.messages = self.sign_in_failures = 0
        self.reception: Reception | None = None
        self._exchange: Exchange | None = None
        self._wrong = self._mistakes = 0
        self.held_back_s = 0.0
        self.doubtful = False

    @property
    def origin(self) -> Origin:
        return self.who.origin

    @property
    def ip(self) -> str:
        return self.origin.client

    @property
    def secure(self) -> bool:
        return bool(self.origin.tls)

    @property
    def closing(self) -> bool:
        return self.mode is Mode.CLOSING

    @property
    def receiving(self) -> bool:
        """Whether octets of a message come next, or more of its chunks."""
        return self.reception is not None or self.mode is Mode.CHUNK

    # What the server tells and asks

    def banner(self) -> bytes:
        return Reply(220, "", f"{self.house.host} ESMTP unitymail").octets()

    def tls_started(self, name: str = "TLS") -> None:
        """TLS is in use; whatever was said before is void (RFC 3207 4.2)."""
        self.begin_again()
        self.greeted = False
        self.who.under_tls(name)
        self.mode = Mode.COMMAND

    def hear(self, line: bytes) -> Answer:
        """A command, or a response in an AUTH exchange."""
        # Only a known verb goes to the journal: behind a refused AUTH LOGIN some clients send name and password anyway.
        verb = "?"
        try:
            if self.mode is Mode.AUTH:
                verb = "AUTH"
                return respond(self, self._end_exchange(), line)
            if self.draining and not self.receiving:
                return self.close(SHUTTING_DOWN)
            word, argument = commands.split(line)
            handler = self.verbs.get(word)
            if handler is None:
                raise Refused(replies.UNKNOWN_COMMAND)
            verb = word
            if self.who.unproven and word not in UNPROVEN:
                require(judge_unproven(self.secure))
            if len(line) > COMMAND_LINE and verb != "AUTH":
                raise Refused(replies.LINE_TOO_LONG)
            return handler(self, argument)
        except (Refused, BadSyntax) as refused:
            octets = self.refuse(verb, refused.reply)
            # How many octets a bad BDAT has behind it nobody knows, and they must not be taken for commands.
            if announces_octets(line) and not self.closing:
                octets += self.close(replies.COUNT_LOST)
            return octets
        except Exception as error:
            return self.surprised(verb, error)

    def line_too_long(self, *, endless: bool) -> bytes:
        """The framer gave a line up."""
        if endless:
            return self.close(replies.TALKED_TOO_LONG)
        if self.mode is Mode.AUTH:
            self._end_exchange()
            return self.refuse("AUTH", replies.AUTH_LINE_TOO_LONG)
        return self.refuse("?", replies.LINE_TOO_LONG)

    def take(self, octets: bytes, flaws: Flaws) -> None:
        """Octets of the message, with the flaws so far, which do not count in a chunk: it may be cut anywhere."""
        reception = self.reception
        if reception is None:
            return  # a chunk that is not wanted
        try:
            if self.mode is Mode.CHUNK:
                reception.take_piece(octets)
            else:
                reception.take(octets, flaws)
        except Exception as error:
            self.house.journal.trouble(f"SMTP session {self.session}: message {reception.trace}", error)
            reception.refuse(replies.BROKEN)

    def end_of_chunk(self) -> Answer:
        """All octets that BDAT counts are here."""
        chunk, self.chunk = self.chunk, None
        assert chunk is not None
        self.mode = Mode.COMMAND
        try:
            return end_of_chunk(self, chunk, self.reception)
        except Exception as error:
            return self.surprised("BDAT", error)

    def end_of_data(self, verb: str = "DATA") -> Coroutine[Any, Any, bytes]:
        """The final dot, or the last chunk: the reply comes once the message is durable, or refused."""
        transaction, reception = self.transaction, self.reception
        assert transaction is not None and reception is not None
        self.transaction = self.reception = None
        self.messages += 1
        self.mode = Mode.COMMAND
        return answer_to(self, transaction, reception, verb)

    def surprised(self, what: str, error: BaseException) -> bytes:
        """Something nobody expected: to the journal in full, to the client as 451."""
        self.house.journal.trouble(f"SMTP session {self.session}: {what}", error)
        self._forget("trouble inside")
        if not self.closing:
            self.mode = Mode.COMMAND
        return replies.BROKEN.octets()

    def close(self, reply: Reply) -> bytes:
        """Say goodbye; the server closes."""
        self.lost("QUIT" if reply is replies.BYE else reply.text)
        return reply.octets()

    def lost(self, why: str = "the connection ended") -> None:
        """Nothing more comes; a message not yet whole goes with it."""
        self._forget(why)
        self.mode = Mode.CLOSING

    # What the verbs tell

    def greet(self, host: str, protocol: str) -> None:
        """The client said hello, which ends what went on (RFC 5321 4.1.4)."""
        self.begin_again("hello again")
        self.greeted = True
        self.who.greets(host, protocol)

    def expect_tls(self) -> None:
        self._forget("STARTTLS")
        self.mode = Mode.START_TLS

    def expect_response(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.mode = Mode.AUTH

    def expect_message(self, reception: Reception) -> None:
        self.reception = reception
        self.mode = Mode.DATA

    def expect_chunk(self, chunk: Chunk, reception: Reception | None) -> None:
        """So many octets come next; without `reception` they are passed over."""
        self.chunk, self.reception = chunk, reception
        self.mode = Mode.CHUNK

    def chunk_failed(self, reply: Reply, *, last: bool) -> bytes:
        """No more of this message is wanted, though chunks of it may be on their way (RFC 3030 2)."""
        transaction, reception = self.transaction, self.reception
        self.chunk_refused = transaction is not None and not last
        if transaction is None:
            return self.refuse("BDAT", reply)
        self.transaction = self.reception = None
        tell_end(self.house, self.origin, self.session, transaction, reception, reply)
        if reception is None:
            return self._refused("BDAT", reply)
        self.messages += 1
        return self.refuse("BDAT", reply, reception.trace, transaction.envelope())

    def begin_again(self, why: str = "RSET") -> None:
        """As if no message had been tried."""
        self._forget(why)
        self.mail_refused = self.chunk_refused = False

    def refuse(self, verb: str, reply: Reply, trace: str = "", envelope: Envelope | None = None) -> bytes:
        """The reply, noted in the journal; the last one when it is 421, or when too much was wrong.

        `trace` and `envelope` belong to a message that was received whole.
        """
        self.house.journal.refused(self.origin.door, self.ip, self.session, verb, reply, trace, envelope)
        return self._refused(verb, reply)

    def _refused(self, verb: str, reply: Reply) -> bytes:
        """What the journal knows already."""
        if verb == "RCPT" and self.transaction is not None:
            self.transaction.refused += 1
        if reply.code == 421:
            return self.close(reply)
        if is_mistake(verb, reply.code, self.who.trust != "stranger" or bool(self.origin.user)):
            self._mistakes += 1
            self.held_back_s = held_back_s(self._mistakes)
        if reply.code in WRONG_COMMAND:
            self._wrong += 1
            if self._wrong >= MAX_WRONG:
                return reply.octets() + self.close(replies.TOO_MANY_ERRORS)
        return reply.octets()

    # Helpers

    def _forget(self, why: str) -> None:
        """End the transaction, if there is one."""
        if self.reception is not None:
            self.reception.abandon()
        if self.transaction is not None:
            tell_abandoned(self.house, self.origin, self.session, self.transaction, self.reception, why)
        self.transaction = self.reception = self._exchange = None

    def _end_exchange(self) -> Exchange:
        exchange, self._exchange = self._exchange, None
        assert exchange is not None
        self.mode = Mode.COMMAND
        return exchange
