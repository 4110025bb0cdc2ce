"""Twisted's own IMAP4Server with a mailbox of plain messages, to show what it does where ours does right."""

from email import message_from_bytes
from io import BytesIO

from twisted.internet import defer
from twisted.internet.testing import StringTransport
from twisted.mail import imap4
from zope.interface import implementer


@implementer(imap4.IMessage, imap4.IMessageFile)
class StockMessage:
    """A message as applications hand it to Twisted: parsed by the email package."""

    def __init__(self, octets, uid, flags=(), date="Wed, 18 Nov 2026 11:06:40 +0000"):
        self.octets, self.uid, self.flags, self.date = octets, uid, list(flags), date
        self.parsed = message_from_bytes(octets)

    def getHeaders(self, negate, *names):
        wanted = {name.lower() for name in (n.decode() if isinstance(n, bytes) else n for n in names)}
        return {name.lower(): str(value) for name, value in self.parsed.items() if (name.lower() in wanted) != negate}

    def getBodyFile(self):
        return BytesIO(self.octets.partition(b"\r\n\r\n")[2])

    def open(self):
        return BytesIO(self.octets)

    def getSize(self):
        return len(self.octets)

    def getInternalDate(self):
        return self.date

    def getFlags(self):
        return self.flags

    def getUID(self):
        return self.uid

    def isMultipart(self):
        return self.parsed.is_multipart()

    def getSubPart(self, part):
        inner = self.parsed.get_payload(part)
        return StockMessage(inner.as_bytes(), self.uid)


@implementer(imap4.IMailbox)
class StockMailbox:
    def __init__(self, messages):
        self.messages = messages

    def getUID(self, message):
        return self.messages[message - 1].uid

    def fetch(self, messages, uid):
        messages.last = self.messages[-1].uid if uid else len(self.messages)
        return [
            (number, message) for number, message in enumerate(self.messages, 1)
            if (message.uid if uid else number) in messages
        ]

    def addMessage(self, message, flags=(), date=None):
        return defer.fail(imap4.MailboxException("full"))

    def removeListener(self, listener):
        pass


class StockAccount:
    """Every mailbox is there but `Nowhere`."""

    def select(self, name, rw=True):
        return None if name == "Nowhere" else StockMailbox([])


def at_once(iterator):
    """A scheduler that needs no reactor."""
    done = defer.Deferred()

    def step(result):
        for result in iterator:
            if isinstance(result, defer.Deferred):
                result.addCallbacks(step, done.errback)
                return
        done.callback(None)

    try:
        step(None)
    except Exception:
        done.errback()
    return done


class StockClient:
    """A conversation with the stock server, the mailbox selected already."""

    def __init__(self, *messages):
        self.mailbox = StockMailbox([
            m if isinstance(m, StockMessage) else StockMessage(m, uid) for uid, m in enumerate(messages, 1)
        ])
        self.server = imap4.IMAP4Server(scheduler=at_once)
        self.wire = StringTransport()
        self.server.makeConnection(self.wire)
        self.server.account, self.server.mbox, self.server.state = StockAccount(), self.mailbox, "select"
        self.server.setTimeout(None)
        self.wire.clear()

    def say(self, line):
        """The octets that came back, with what its file producers had to send."""
        self.server.dataReceived((line.encode() if isinstance(line, str) else line) + b"\r\n")
        while self.wire.producer is not None and not self.wire.streaming:
            self.wire.producer.resumeProducing()
        heard = self.wire.value()
        self.wire.clear()
        return heard

    @property
    def closed(self):
        return self.wire.disconnecting

    def leave(self):
        self.server.setTimeout(None)
