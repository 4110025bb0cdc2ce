"""A real server on loopback that takes mail and remembers it, with whatever manners a test gives it."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer

from unitymail.relay.tls import fingerprint_of
from unitymail.smtp.framing import Framer


@implementer(IOpenSSLServerConnectionCreator)
class ServerSide:
    """TLS of the sink: its certificate (and its issuers') and key in PEM, and which clients' keys it saw."""

    def __init__(self, certificate, key, *, asks=False, highest=None):
        self.seen = []
        self.context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self.context.use_certificate(x509.load_pem_x509_certificate(certificate))
        for issuer in x509.load_pem_x509_certificates(certificate)[1:]:
            self.context.add_extra_chain_cert(issuer)
        self.context.use_privatekey(load_pem_private_key(key, None))
        self.context.set_session_id(b"sink")
        if highest:
            self.context.set_max_proto_version(highest)
        if asks:
            self.context.set_verify(SSL.VERIFY_PEER, self._look)

    def _look(self, connection, certificate, error, depth, good):
        if depth == 0 and fingerprint_of(certificate) not in self.seen:
            self.seen.append(fingerprint_of(certificate))
        return True

    def serverConnectionForTLS(self, protocol):
        return SSL.Connection(self.context, None)


class Sink(Factory):
    """`at` maps a verb (or `BANNER`, `END`) to what is answered to it instead, or to a function of the session.

    None is silence, "" ends the connection.
    """

    noisy = False

    def __init__(self, *extensions, at=None, tls=None, interface="127.0.0.1", port=0):
        self.extensions = extensions
        self.at = at or {}
        self.tls = tls
        self.messages = []
        self.envelopes = []
        self.connections = 0
        self.sessions = set()
        self.port = reactor.listenTCP(port, self, interface=interface)
        self.number = self.port.getHost().port

    def buildProtocol(self, address):
        self.connections += 1
        return Session(self)

    async def stop(self):
        if self.port.connected:
            await self.port.stopListening()
        for session in list(self.sessions):
            session.transport.abortConnection()
        while self.sessions:
            turn = Deferred()
            reactor.callLater(0.01, turn.callback, None)
            await turn


class Session(Protocol):
    def __init__(self, sink):
        self.sink = sink
        self.framer = Framer()
        self.mode = "lines"
        self.envelope = []
        self.body = b""
        self.encrypted = False
        self.chunk = 0
        self.last = False

    def connectionMade(self):
        self.transport.setTcpNoDelay(True)
        self.sink.sessions.add(self)
        self.answer("BANNER", "220 sink.example.net ESMTP")

    def connectionLost(self, reason):
        self.sink.sessions.discard(self)

    def answer(self, step, usual):
        words = self.sink.at.get(step, usual)
        if callable(words):
            words = words(self)
        if words == "":
            self.mode = "over"
            self.transport.loseConnection()
        elif words is not None:
            self.transport.write(words.encode() + b"\r\n")
        return words

    def dataReceived(self, data):
        self.framer.feed(data)
        while self.go_on():
            pass

    def go_on(self):
        if self.mode == "over":
            return False
        if self.mode == "data":
            block, ended = self.framer.data()
            self.body += block
            if ended:
                self.taken()
            return ended
        if self.mode == "chunk":
            block, self.framer._buffer = self.framer._buffer[self.framer._start :], b""
            self.framer._start = 0
            self.body += block[: self.chunk]
            rest = block[self.chunk :]
            self.chunk -= len(block[: self.chunk])
            self.framer.feed(rest)
            if self.chunk:
                return False
            self.mode = "lines"
            if self.last:
                self.taken()
            else:
                self.answer("CHUNK", "250 more")
            return True
        line = self.framer.line(100_000)
        if line is None:
            return False
        self.command(line.decode())
        return True

    def taken(self):
        self.mode = "lines"
        words = self.answer("END", "250 2.0.0 taken")
        if words and words.startswith("250"):
            self.sink.messages.append(self.body)
            self.sink.envelopes.append(self.envelope)
        self.envelope, self.body = [], b""

    def command(self, line):
        verb = line.split(" ")[0].upper()
        if verb == "EHLO":
            extensions = [*self.sink.extensions, *(["STARTTLS"] if self.sink.tls and not self.encrypted else [])]
            lines = ["sink.example.net", *extensions]
            usual = "\r\n".join(f"250{' ' if n == len(lines) - 1 else '-'}{each}" for n, each in enumerate(lines))
        elif verb == "BDAT":
            self.chunk, self.last = int(line.split()[1]), line.endswith("LAST")
            self.mode = "chunk"
            return
        else:
            usual = {"DATA": "354 go on", "QUIT": "221 bye", "STARTTLS": "220 go on"}.get(verb, "250 2.1.0 fine")
        if verb in ("MAIL", "RCPT"):
            self.envelope = [*self.envelope, line]
        words = self.answer(verb, usual)
        if words and words.startswith("220") and verb == "STARTTLS":
            self.framer.clear()
            self.transport.startTLS(self.sink.tls)
            self.encrypted = True
        elif words and words.startswith("354"):
            self.mode = "data"
            self.framer.begin_data()
        elif verb == "QUIT":
            self.transport.loseConnection()
