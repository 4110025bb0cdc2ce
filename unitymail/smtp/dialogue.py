"""What each SMTP command does, in one session. Knows the order that RFC 5321 4.1.4 asks for, and whom to ask when.

Refuses to know sockets, TLS records, timers and framing: those are the server's. A line in gives the octets of its
reply, or a coroutine for them when the answer takes time; `mode` tells what the client is expected to send next.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from enum import Enum
from typing import Any

from unitymail.interfaces.errors import SHUTTING_DOWN, Trouble
from unitymail.interfaces.login import Place
from unitymail.mail.envelope import Recipient
from unitymail.mail.reply import Reply
from unitymail.people.user import User
from unitymail.policy.access import Client
from unitymail.policy.limits import judge_messages, judge_recipients, judge_size, largest_message
from unitymail.policy.recipient import judge_recipient
from unitymail.policy.sender import judge_envelope_sender
from unitymail.policy.tls import auth_offered, judge_auth, judge_mail, starttls_offered
from unitymail.policy.verdict import ACCEPT, Reject, Verdict
from unitymail.routing.decision import Origin
from unitymail.smtp import commands, replies
from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.extensions import Situation, mail_fields, offered, rcpt_fields
from unitymail.smtp.framing import Flaws
from unitymail.smtp.house import House
from unitymail.smtp.sasl import Challenge, Credentials, Exchange, begin, read_response
from unitymail.smtp.sign_in import sign_in
from unitymail.smtp.transaction import Reception, Transaction, settle

Answer = bytes | Coroutine[Any, Any, bytes]

COMMAND_LINE = 2_048
LONGEST_LINE = 12_288
"""AUTH and its responses (RFC 4954 4)."""
MAX_WRONG = 10
MAX_SIGN_IN_FAILURES = 3

_WRONG = frozenset((500, 501, 502, 503, 504, 555))
_SENDER_OK = replies.SENDER_OK.octets()
_RECIPIENT_OK = replies.RECIPIENT_OK.octets()
_START_MESSAGE = replies.START_MESSAGE.octets()


class Mode(Enum):
    """What comes next. START_TLS and CLOSING: nothing, until the server did what they say."""

    COMMAND = "command"
    AUTH = "auth"
    DATA = "data"
    START_TLS = "start-tls"
    CLOSING = "closing"


class Refused(Exception):
    """A command stops here with this reply. Never leaves the module."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


def _require(verdict: Verdict) -> None:
    if verdict is not ACCEPT and isinstance(verdict, Reject):
        raise Refused(verdict.reply)


class Dialogue:
    """One session. `client` is what the access list says of the peer; `session` names it in the journal."""

    __slots__ = (
        "_exchange", "_greeted", "_mail_refused", "_messages", "_origin", "_reception", "_sign_in_failures",
        "_transaction", "_wrong", "client", "draining", "house", "mode", "session", "site",
    )

    def __init__(self, house: House, client: Client, ip: str, session: str) -> None:
        self.house = house
        self.site = house.book.site
        self.client = client
        self.session = session
        self.mode = Mode.COMMAND
        self.draining = False
        self._greeted = False
        self._origin = Origin(house.door, client=ip, trust=client.trust, legacy=client.legacy)
        self._transaction: Transaction | None = None
        self._reception: Reception | None = None
        self._exchange: Exchange | None = None
        self._mail_refused = False
        self._messages = self._wrong = self._sign_in_failures = 0

    # What the server tells and asks

    def banner(self) -> bytes:
        return Reply(220, "", f"{self.house.host} ESMTP unitymail").octets()

    def tls_started(self, name: str = "TLS") -> None:
        """TLS is in use; whatever was said before is void (RFC 3207 4.2)."""
        self._begin_again()
        self._greeted = False
        self._origin = Origin(
            self.house.door, client=self.ip, trust=self.client.trust, tls=name, legacy=self.client.legacy
        )
        self.mode = Mode.COMMAND

    def tls_named(self, name: str) -> None:
        """The handshake is done: the version it agreed on."""
        self._origin = replace(self._origin, tls=name)

    def hear(self, line: bytes) -> Answer:
        """A command, or a response in an AUTH exchange."""
        if self.mode is Mode.AUTH:
            return self._hear_response(line)
        if self.draining:
            return self.close(SHUTTING_DOWN)
        # Only a known verb goes to the journal: behind a refused AUTH LOGIN some clients send name and password anyway.
        verb = "?"
        try:
            word, argument = commands.split(line)
            handler = _HANDLERS.get(word)
            if handler is None:
                raise Refused(replies.UNKNOWN_COMMAND)
            verb = word
            if len(line) > COMMAND_LINE and verb != "AUTH":
                raise Refused(replies.LINE_TOO_LONG)
            return handler(self, argument)
        except (Refused, BadSyntax) as refused:
            return self._refuse(verb, refused.reply)
        except Exception as error:
            return self.surprised(verb, error)

    def line_too_long(self, *, endless: bool) -> bytes:
        """The framer gave a line up."""
        if endless:
            return self.close(replies.TALKED_TOO_LONG)
        if self.mode is Mode.AUTH:
            self._end_exchange()
            return self._refuse("AUTH", replies.AUTH_LINE_TOO_LONG)
        return self._refuse("?", replies.LINE_TOO_LONG)

    def take(self, octets: bytes, flaws: Flaws) -> None:
        """Octets of the message."""
        reception = self._reception
        assert reception is not None
        try:
            reception.take(octets, flaws)
        except Exception as error:
            self.house.journal.trouble(f"SMTP session {self.session}: message {reception.trace}", error)
            reception.refuse(replies.BROKEN)

    def end_of_data(self) -> Coroutine[Any, Any, bytes]:
        """The final dot: the reply comes once the message is durable, or refused."""
        transaction, reception = self._transaction, self._reception
        assert transaction is not None and reception is not None
        self._transaction = self._reception = None
        self._messages += 1
        self.mode = Mode.COMMAND
        return self._settle(transaction, reception)

    def surprised(self, what: str, error: BaseException) -> bytes:
        """Something nobody expected: to the journal in full, to the client as 451."""
        self.house.journal.trouble(f"SMTP session {self.session}: {what}", error)
        self._forget()
        if self.mode is not Mode.CLOSING:
            self.mode = Mode.COMMAND
        return replies.BROKEN.octets()

    def close(self, reply: Reply) -> bytes:
        """Say goodbye; the server closes."""
        self._forget()
        self.mode = Mode.CLOSING
        return reply.octets()

    def lost(self) -> None:
        """The connection is gone; a message not yet whole goes with it."""
        self._forget()
        self.mode = Mode.CLOSING

    @property
    def ip(self) -> str:
        return self._origin.client

    # Helpers

    def _forget(self) -> None:
        """End the transaction, if there is one."""
        if self._reception is not None:
            self._reception.abandon()
        self._transaction = self._reception = self._exchange = None

    def _begin_again(self) -> None:
        """As if no message had been tried."""
        self._forget()
        self._mail_refused = False

    def _refuse(self, verb: str, reply: Reply) -> bytes:
        self.house.journal.refused(self.house.door, self.ip, self.session, verb, reply)
        if reply.code == 421:
            return self.close(reply)
        if reply.code in _WRONG:
            self._wrong += 1
            if self._wrong >= MAX_WRONG:
                return reply.octets() + self.close(replies.TOO_MANY_ERRORS)
        return reply.octets()

    def _secure(self) -> bool:
        return bool(self._origin.tls)

    def _may_start_tls(self) -> bool:
        return self.house.tls is not None and starttls_offered(
            self.house.door, self.client.trust, self._secure(), self.site
        )

    # Commands

    def _ehlo(self, argument: str) -> bytes:
        self._greet(argument, "ESMTP")
        now = Situation(
            max_octets=largest_message(self.site),
            starttls=self._may_start_tls(),
            auth=not self._origin.user
            and auth_offered(self.house.door, self.ip, self.client.trust, self._secure(), self.site),
        )
        return Reply(250, "", "\n".join((self.house.host, *offered(now)))).octets()

    def _helo(self, argument: str) -> bytes:
        self._greet(argument, "SMTP")
        return Reply(250, "", self.house.host).octets()

    def _greet(self, argument: str, protocol: str) -> None:
        host = commands.read_host(argument)
        self._begin_again()
        self._greeted = True
        self._origin = replace(self._origin, helo=host, protocol=protocol)

    def _mail(self, argument: str) -> bytes:
        if not self._greeted:
            raise Refused(replies.SAY_HELLO_FIRST)
        if self._transaction is not None:
            raise Refused(replies.ALREADY_A_SENDER)
        self._mail_refused = True
        _require(judge_messages(self._messages, self.site))
        origin = self._origin
        _require(
            judge_mail(self.house.door, self.client.trust, bool(origin.tls), bool(origin.user), self.site)
        )
        path = commands.read_mail(argument)
        fields = mail_fields(path.parameters) if path.parameters else {}
        if not path.address.isascii() and "smtputf8" not in fields:
            raise Refused(replies.NEEDS_SMTPUTF8)
        if "declared_size" in fields:
            _require(judge_size(fields["declared_size"], self.site))
        _require(judge_envelope_sender(path.address, origin, self.house.book, self.house.usage))
        self._transaction = Transaction(path.address, fields)
        self._mail_refused = False
        return _SENDER_OK

    def _rcpt(self, argument: str) -> bytes:
        transaction = self._transaction
        if transaction is None:
            return self._out_of_order("RCPT")
        path = commands.read_rcpt(argument)
        address = path.address
        if not address.isascii() and not transaction.smtputf8:
            raise Refused(replies.NEEDS_SMTPUTF8)
        if "@" not in address:
            # RFC 5321 4.5.1: <postmaster> without a domain is ours.
            address = f"{address}@{self.house.book.domain}"
        fields: dict[str, Any] = rcpt_fields(path.parameters) if path.parameters else {}
        _require(judge_recipients(len(transaction.recipients), self.site))
        _require(
            judge_recipient(address, self._origin, self.house.book, self.house.usage, sender=transaction.sender)
        )
        transaction.recipients.append(Recipient(address, **fields))
        return _RECIPIENT_OK

    def _out_of_order(self, verb: str) -> bytes:
        """Behind a refused MAIL the rest of a pipelined group is no mistake of the client's (RFC 2920 3.1)."""
        if not self._mail_refused:
            raise Refused(replies.NO_SENDER)
        return replies.NO_SENDER.octets()

    def _data(self, argument: str) -> bytes:
        if argument:
            raise Refused(commands.NO_ARGUMENT)
        transaction = self._transaction
        if transaction is None:
            return self._out_of_order("DATA")
        if not transaction.recipients:
            raise Refused(replies.NO_RECIPIENTS)
        try:
            self._reception = Reception(self.house, self.site, self.client.legacy)
        except Trouble as trouble:
            raise Refused(trouble.reply)
        self.mode = Mode.DATA
        return _START_MESSAGE

    async def _settle(self, transaction: Transaction, reception: Reception) -> bytes:
        try:
            refusal = await settle(self.house, self.site, self._origin, transaction.envelope(), reception)
        except Exception as error:
            return self.surprised(f"message {reception.trace}", error)
        if refusal is not None:
            return self._refuse("DATA", refusal)
        return b"250 2.0.0 Accepted; trace %b\r\n" % reception.trace.encode("ascii")

    def _rset(self, argument: str) -> bytes:
        if argument:
            raise Refused(commands.NO_ARGUMENT)
        self._begin_again()
        return replies.RESET.octets()

    def _noop(self, argument: str) -> bytes:
        return replies.NOTHING_DONE.octets()

    def _quit(self, argument: str) -> bytes:
        if argument:
            raise Refused(commands.NO_ARGUMENT)
        return self.close(replies.BYE)

    def _vrfy(self, argument: str) -> bytes:
        if not argument:
            raise Refused(commands.NEEDS_ARGUMENT)
        return replies.CANNOT_VERIFY.octets()

    def _expn(self, argument: str) -> bytes:
        return replies.NO_EXPANSION.octets()

    def _help(self, argument: str) -> bytes:
        site = self.site
        return Reply(
            214, "2.0.0",
            f"Commands: {' '.join(_HANDLERS)}\n"
            f"Largest message: {site.smtp_max_message_kib or 'unlimited'} KiB\n"
            f"Recipients of a message: {site.smtp_max_recipients or 'unlimited'}\n"
            f"Messages in a connection: {site.smtp_max_messages_per_connection or 'unlimited'}",
        ).octets()

    def _starttls(self, argument: str) -> bytes:
        if argument:
            raise Refused(commands.NO_ARGUMENT)
        if self._secure():
            raise Refused(replies.TLS_ALREADY)
        if not self._may_start_tls():
            raise Refused(replies.NO_TLS)
        self._forget()
        self.mode = Mode.START_TLS
        return replies.START_TLS.octets()

    def _auth(self, argument: str) -> Answer:
        if not self._greeted:
            raise Refused(replies.SAY_HELLO_FIRST)
        if self._origin.user:
            raise Refused(replies.ALREADY_SIGNED_IN)
        if self._transaction is not None:
            raise Refused(replies.NOT_IN_A_TRANSACTION)
        _require(judge_auth(self.house.door, self.ip, self.client.trust, self._secure(), self.site))
        self._exchange, response = begin(argument)
        return self._take_response(response)

    def _hear_response(self, line: bytes) -> Answer:
        try:
            return self._take_response(read_response(line))
        except BadSyntax as refused:
            self._end_exchange()
            return self._refuse("AUTH", refused.reply)

    def _take_response(self, response: bytes | None) -> Answer:
        assert self._exchange is not None
        step = self._exchange.answer(response)
        if isinstance(step, Challenge):
            self.mode = Mode.AUTH
            return step.line()
        self._end_exchange()
        return self._sign_in(step)

    def _end_exchange(self) -> None:
        self._exchange = None
        self.mode = Mode.COMMAND

    async def _sign_in(self, credentials: Credentials) -> bytes:
        place = Place("smtp", self.house.door, self.ip, self._secure())
        try:
            result = await sign_in(self.house.login, credentials, place)
        except Exception as error:
            return self.surprised("signing in", error)
        if isinstance(result, User):
            self._origin = replace(self._origin, user=result.id, trust="authenticated")
            return replies.SIGNED_IN.octets()
        octets = self._refuse("AUTH", result)
        self._sign_in_failures += not result.temporary
        if self._sign_in_failures >= MAX_SIGN_IN_FAILURES and self.mode is not Mode.CLOSING:
            octets += self.close(replies.TOO_MANY_FAILURES)
        return octets


_HANDLERS: dict[str, Callable[[Dialogue, str], Answer]] = {
    "EHLO": Dialogue._ehlo,
    "HELO": Dialogue._helo,
    "MAIL": Dialogue._mail,
    "RCPT": Dialogue._rcpt,
    "DATA": Dialogue._data,
    "RSET": Dialogue._rset,
    "NOOP": Dialogue._noop,
    "QUIT": Dialogue._quit,
    "VRFY": Dialogue._vrfy,
    "EXPN": Dialogue._expn,
    "HELP": Dialogue._help,
    "STARTTLS": Dialogue._starttls,
    "AUTH": Dialogue._auth,
}
