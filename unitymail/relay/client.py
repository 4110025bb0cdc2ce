"""One SMTP connection to a hop: greeting, EHLO and STARTTLS by Twisted; whose every further reply is, is settled here.

Knows how a connection becomes ready for mail, and how long an answer may take; refuses to know what a message is
(`relay.sending`), in which order they go (`relay.conversation`) and how many connections there are (`relay.pool`).

*Note: whose reply it is.* First Twisted's state machine speaks (`_expected`, `_okresponse`, `_failresponse`), up to
`smtpState_from`. From then on, and while we sign in, replies belong to the talk under way, which notes them too.
Without one, whatever the server says means that it is about to close.

*Note: one at a time.* Until the connection is ready we wait for the reply to each line. What comes behind one before we
spoke again was asked by nobody: it may have been slipped in before TLS, to be believed under it (CVE-2021-33515 and its
kin). Such a connection is dropped.
"""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.mail import smtp
from twisted.python.failure import Failure

from unitymail.mail.reply import Reply
from unitymail.relay import prompt
from unitymail.relay.deadline import Deadline
from unitymail.relay.dialogue import Dialogue
from unitymail.relay.offers import NOTHING, Offers, offers_of, words_of
from unitymail.relay.replies import ReplyReader
from unitymail.relay.talk import ISignIn, Talk
from unitymail.relay.tls import Handshake
from unitymail.relay.trouble import Trouble, sentence, unusable
from unitymail.routing.next_hop import NextHop

GREETING_S = EHLO_S = 300.0
STARTTLS_S = 120.0
QUIT_S = 5.0


class Client(smtp.ESMTPClient):
    """`ready` fires with None once mail can be sent, or with the Trouble. `ended` is called once the connection is.

    `clean`: the server is between two messages. `messages` are the transactions begun on this connection. `dialogue` is
    what was said besides them, and becomes the first one's.
    """

    debug = False
    transport: Any
    __setattr__ = object.__setattr__

    def __init__(
        self, hop: NextHop, host: str, *, identity: str, clock: Any, handshake: Handshake | None,
        sign_in: ISignIn | None, ended: Callable[[Client], None],
    ) -> None:  # fmt: skip
        super().__init__(None, handshake, identity.encode("ascii", "replace"))
        self.requireTransportSecurity = hop.tls in ("required", "pinned")
        self.requireAuthentication = sign_in is not None
        self.hop = hop
        self.host = host
        self.ready: Deferred[Trouble | None] = Deferred()
        self.dialogue = Dialogue()
        self.offers: Offers = NOTHING
        self.address = ""
        self.remote = ""
        self.messages = 0
        self.clean = True
        self._handshake = handshake
        self._sign_in = sign_in
        self._ended = ended
        self._reader = ReplyReader()
        self._heard: deque[Reply] = deque()
        self._talk: Talk | None = None
        self._reply = Reply(220, "", "")
        self._items: dict[bytes, bytes] = {}
        self._asked = ""
        self._starting_tls = False
        self._made_ready = False
        self._leaving = False
        self._dropped = False
        self._deaf = False
        self._lost = False
        self._deadline = Deadline(clock, self._took_too_long)

    # What others ask of a connection.

    @property
    def is_ready(self) -> bool:
        """Whether it was made ready for mail, or found out that it will not be."""
        return self._made_ready

    @property
    def usable(self) -> bool:
        """Whether another message may be begun."""
        return self._made_ready and not self._leaving and not self._lost

    @property
    def is_leaving(self) -> bool:
        """Whether it is ending politely, so that the server has it still."""
        return self._leaving and not self._dropped

    @property
    def encrypted(self) -> bool:
        return bool(self._tlsMode)

    @property
    def near(self) -> bool:
        """Whether the server is on this machine."""
        try:
            return ipaddress.ip_address(self.address).is_loopback
        except ValueError:
            return False

    def take_dialogue(self) -> Dialogue:
        """For a message to go on with: the first one's tells how the connection was made."""
        taken, self.dialogue = self.dialogue, Dialogue()
        return taken

    def talk(self, talk: Talk | None) -> None:
        """Replies that follow are this talk's; None when it is over."""
        self._talk = talk
        if talk is None:
            self._deadline.lift()

    def write(self, octets: bytes) -> None:
        """What somebody else takes care to note."""
        prompt.write(self.transport, octets)

    def say(self, line: bytes, shown: bytes = b"") -> None:
        """A line, which the dialogue may have to show otherwise."""
        self.dialogue.ours((shown or line,))
        self.write(line + b"\r\n")

    def sendLine(self, line: bytes) -> None:
        self._asked = line.partition(b" ")[0].decode()
        self.say(line)
        self.expect(STARTTLS_S if line == b"STARTTLS" or self._starting_tls else EHLO_S)

    def expect(self, seconds: float) -> None:
        """The next reply must be complete by then."""
        self._deadline.set(seconds)

    def rest(self, seconds: float) -> None:
        """Nothing to do for now; the connection ends when that lasts too long."""
        self.expect(seconds)

    def quit(self) -> None:
        """End the connection politely."""
        if self._lost or self._leaving:
            return
        self._leaving = True
        if not self._starting_tls:
            self.say(b"QUIT")
        self.expect(QUIT_S)

    def drop(self) -> None:
        """End the connection at once: what the server makes of it is unknown, and it is not believed any more."""
        self._leaving = self._dropped = self._deaf = True
        self._heard.clear()
        if not self._lost:
            self.transport.abortConnection()

    def leave(self) -> None:
        """End the connection since the server does: whatever it says without being asked tells of that.

        What it says besides is not heard, and buys it no time.
        """
        self._leaving = self._deaf = True
        self._heard.clear()
        self.expect(QUIT_S)
        self.transport.loseConnection()

    # What the network tells.

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        peer = self.transport.getPeer()
        self.address = peer.host
        self.remote = f"{self.host} [{peer.host}]:{peer.port}"
        super().connectionMade()
        self.expect(GREETING_S)

    def dataReceived(self, data: bytes) -> None:
        if self._deaf:
            return
        heard = self._heard
        heard += self._reader.read(data)
        whole = bool(heard)
        while heard:
            reply = heard.popleft()
            if not self._made_ready and (heard or not self._reader.is_between_replies):
                self.dialogue.theirs(reply)
                self._broke(Trouble("4.5.0", sentence(self.hop, "said more than it was asked.")))
                return
            if self._talk is not None:
                self._talk.replied(reply)
            else:
                self._greeted(reply)
        if self._reader.flaw is not None:
            self._broke(Trouble("4.5.0", sentence(self.hop, f"answered with {self._reader.flaw}.")))
        elif whole and self._talk is not None:
            self._talk.heard_all()

    def _greeted(self, reply: Reply) -> None:
        self.dialogue.theirs(reply)
        if self._leaving or self._made_ready:
            self.leave()
        else:
            self._shake_hands(reply)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self._lost = True
        self._deadline.end()
        self._broke(self._why_lost(reason))
        self._ended(self)

    def _why_lost(self, reason: Failure) -> Trouble:
        if self._handshake is not None and self._handshake.flaw:
            return Trouble("4.7.5", sentence(self.hop, f"showed a certificate that {self._handshake.flaw}."))
        if self._starting_tls:
            why = sentence(self.hop, f"and this node could not agree on TLS ({_words(reason)}).")
            return Trouble("4.7.5", why, in_the_clear=self._is_better_without_tls)
        return Trouble("4.4.2", sentence(self.hop, f"closed the connection before {self._waiting_for()}."))

    def _took_too_long(self) -> None:
        if self._leaving:
            self.drop()
        elif self._talk is None and self._made_ready:
            self.quit()
        else:
            status = "4.4.2" if self.offers is not NOTHING else "4.4.1"
            why = sentence(self.hop, f"took too long for {self._waiting_for()}.")
            self._broke(Trouble(status, why, silent=True, in_the_clear=self._is_better_without_tls))

    @property
    def _is_better_without_tls(self) -> bool:
        """Whether it came to an end, or to a standstill, in a handshake that need not be."""
        return self._starting_tls and not self.requireTransportSecurity

    def _waiting_for(self) -> str:
        if self._talk is not None:
            return self._talk.waiting_for()
        if self._starting_tls:
            return "TLS and its answer to EHLO under it"
        return f"its answer to {self._asked}" if self._asked else "its greeting"

    def _broke(self, trouble: Trouble) -> None:
        """The conversation cannot go on: whoever is concerned hears why."""
        talk, self._talk = self._talk, None
        self.drop()
        if talk is not None:
            talk.broke(trouble)
        self._fail(trouble)

    def _fail(self, trouble: Trouble) -> None:
        if not self._made_ready:
            self._made_ready = True
            self.ready.callback(trouble)

    def give_up(self, trouble: Trouble) -> None:
        """The server answered, but mail cannot be sent on this connection."""
        self._talk = None
        self.quit()
        self._fail(trouble)

    # The steps of Twisted's handshake that are ours to decide.

    def _shake_hands(self, reply: Reply) -> None:
        self._reply = reply
        if reply.code == 421:
            return self.give_up(unusable(reply, self.hop, "before any mail was sent"))
        step = self._okresponse if reply.code in self._expected else self._failresponse
        step(reply.code, reply.text.encode())

    def smtpConnectionFailed(self, code: int, resp: bytes) -> None:
        self.give_up(unusable(self._reply, self.hop, "the connection when it greeted us"))

    def smtpState_helo(self, code: int, resp: bytes) -> None:
        super().smtpState_helo(code, resp)
        self._failresponse = self._helo_refused

    def _helo_refused(self, code: int, resp: bytes) -> None:
        self.give_up(unusable(self._reply, self.hop, "our HELO"))

    def esmtpEHLORequired(self, code: int = -1, resp: bytes | None = None) -> None:
        self.give_up(unusable(self._reply, self.hop, "our EHLO, without which there is neither TLS nor a sign-in"))

    def esmtpState_serverConfig(self, code: int, resp: bytes) -> None:
        self._starting_tls = False
        words = words_of(self._reply.text)
        self.offers = offers_of(words)
        self._items = {keyword.encode(): parameters.encode() for keyword, parameters in words.items()}
        self.tryTLS(code, resp, self._items)

    def esmtpState_starttls(self, code: int, resp: bytes) -> None:
        self.offers = NOTHING
        self._starting_tls = True
        super().esmtpState_starttls(code, resp)

    def esmtpTLSRequired(self, code: int = -1, resp: bytes | None = None) -> None:
        why = sentence(self.hop, "offers no TLS, and mail goes there under TLS only.")
        self.give_up(Trouble("4.7.4", why, no_tls=True))

    def esmtpTLSFailed(self, code: int = -1, resp: bytes | None = None) -> None:
        if self.requireTransportSecurity:
            self.give_up(unusable(self._reply, self.hop, "to begin TLS, and mail goes there under TLS only"))
        else:
            self.authenticate(code, resp, self._items)

    def authenticate(self, code: int, resp: bytes | None, items: dict[bytes, bytes]) -> None:
        if self._sign_in is None:
            return self.smtpState_from(code, resp)
        self._talk = self._sign_in
        self._sign_in.begin(self)

    def smtpState_from(self, code: int, resp: bytes | None) -> None:
        """Twisted's name for being ready for mail."""
        self.talk(None)
        if self.hop.is_peer and not self.offers.unitymail:
            why = sentence(self.hop, "does not know this node as its peer: `unitymail peer add` is missing there.")
            return self.give_up(Trouble("4.7.1", why))
        self._made_ready = True
        self.ready.callback(None)

    def sendError(self, exc: Exception) -> None:
        self._broke(Trouble("4.5.0", sentence(self.hop, "answered as no SMTP server does.")))


def _words(reason: Failure) -> str:
    """What OpenSSL says, without its way of saying it."""
    arguments = getattr(reason.value, "args", ())
    if arguments and isinstance(arguments[0], list) and arguments[0]:
        return str(arguments[0][0][-1])
    return str(reason.getErrorMessage())[:100] or "the connection ended"
