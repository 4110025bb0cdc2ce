"""What Twisted's own ESMTP lets in, shown by running it, and that our session does not.

The numbers are those of the list in our notes on Twisted 26.10. When an upgrade closes a hole, its first half fails
and may go; the second half stays.
"""

import pytest
from OpenSSL import SSL
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, ITLSTransport
from twisted.internet.testing import StringTransport
from twisted.mail import smtp
from twisted.mail.imap4 import PLAINCredentials
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.smtp.conversation import LETTER, Conversation, codes
from unitymail.settings.site import SiteSettings
from unitymail.smtp.admission import SILENCE_S

CLEAR = SiteSettings(smtp_allow_untrusted=True, smtp_untrusted_tls="optional", smtp_auth_without_tls=True)
TLS = object()
ENVELOPE = b"EHLO a.example\r\nMAIL FROM:<robin@vm1.example.com>\r\nRCPT TO:<chris@vm1.example.com>\r\n"


@implementer(smtp.IMessage)
class StockMessage:
    def __init__(self, delivery):
        self.delivery = delivery
        self.lines = []

    def lineReceived(self, line):
        self.lines.append(line)

    def eomReceived(self):
        self.delivery.messages.append(self.lines)
        return self.delivery.verdicts.pop(0) if self.delivery.verdicts else succeed(None)

    def connectionLost(self):
        pass


@implementer(smtp.IMessageDelivery)
class StockDelivery:
    """Accepts everything, as the hooks of the stock class ask for it."""

    def __init__(self):
        self.messages = []
        self.verdicts = []
        self.sender_verdict = None
        self.begin = lambda: StockMessage(self)

    def receivedHeader(self, helo, origin, recipients):
        return b""

    def validateFrom(self, helo, origin):
        return self.sender_verdict or origin

    def validateTo(self, user):
        return self.begin


@implementer(ITLSTransport)
class TlsWire(StringTransport):
    tls = None

    def startTLS(self, context, normal=True):
        self.tls = context


class Stock:
    """The stock class with an open delivery, talking to a string."""

    def __init__(self, wire=None):
        self.delivery = StockDelivery()
        self.session = smtp.ESMTP({b"PLAIN": PLAINCredentials}, contextFactory=TLS)
        self.session.noisy = False
        self.session.timeout = None
        self.session.delivery = self.delivery
        self.wire = wire or TlsWire()
        self.session.makeConnection(self.wire)
        self.wire.clear()

    def send(self, octets):
        self.session.dataReceived(octets)
        said = self.wire.value().decode()
        self.wire.clear()
        return said


def greeted(**options):
    return Conversation(**options).greeted()


class Holes(SynchronousTestCase):
    def test_1_commands_before_tls_run_after_it(self):
        """What a man in the middle puts behind STARTTLS is not executed inside TLS; the envelope does not survive."""
        injected = b"EHLO a.example\r\nSTARTTLS\r\nMAIL FROM:<evil@example.com>\r\n"
        stock = Stock()
        self.assertEqual(codes(stock.send(injected)), ["250", "220", "250"])
        self.assertEqual(codes(stock.send(b"RCPT TO:<chris@vm1.example.com>\r\n")), ["250"])

        ours = greeted(tls=TLS)
        self.assertEqual(codes(ours.send(injected)), ["250", "220 2.0.0"])
        self.assertEqual(ours.codes("EHLO a.example", "RCPT TO:<chris@vm1.example.com>"), ["250", "503 5.5.1"])

    def test_2_a_long_line_turns_the_message_into_commands(self):
        """A line of 20,000 octets is message text, and so is what follows it."""
        smuggled = b"RSET\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<chris@vm1.example.com>\r\n"
        stock = Stock()
        stock.send(ENVELOPE + b"DATA\r\n")
        stock.send(b"x" * 20_000 + b"\r\n")
        self.assertEqual(codes(stock.send(smuggled)), ["250", "250", "250"])

        ours = greeted()
        ours.send(ENVELOPE + b"DATA\r\n")
        self.assertEqual(ours.send(LETTER + b"x" * 20_000 + b"\r\n"), "")
        self.assertEqual(ours.send(smuggled), "")
        self.assertEqual(ours.codes("."), ["250 2.0.0"])
        self.assertEqual(ours.spool.committed[0].octets, LETTER + b"x" * 20_000 + b"\r\n" + smuggled)

    def test_3_a_line_without_end_fills_the_memory(self):
        """Megabytes without a line end are not kept, and answered once."""
        stock = Stock()
        said = "".join(stock.send(b"x" * 65_536) for _ in range(64))
        self.assertEqual(codes(said), ["500"] * 64)
        self.assertEqual(len(stock.session._buffer), 64 * 65_536)

        ours = greeted()
        said = "".join(ours.send(b"x" * 65_536) for _ in range(64))
        self.assertEqual(codes(said), ["500 5.5.2", "421 4.5.2"])
        self.assertLess(len(ours.session._order.framer), 2 * 65_536)

    def test_4_replies_out_of_order(self):
        """A verdict that takes time holds back what is pipelined behind it, QUIT too."""
        stock = Stock()
        stock.delivery.sender_verdict = Deferred()
        self.assertEqual(codes(stock.send(ENVELOPE)), ["250", "503"], "RCPT was answered before MAIL")
        stock = Stock()
        stock.delivery.verdicts = [Deferred()]
        stock.send(ENVELOPE + b"DATA\r\n")
        self.assertEqual(codes(stock.send(LETTER + b".\r\nQUIT\r\n")), ["221"], "closed without a verdict")

        ours = greeted()
        ours.spool.hold = True
        ours.send(ENVELOPE + b"DATA\r\n")
        self.assertEqual(ours.send(LETTER + b".\r\nQUIT\r\n"), "")
        self.assertFalse(ours.wire.disconnecting)
        ours.spool.release()
        self.assertEqual(codes(ours.heard()), ["250 2.0.0", "221 2.0.0"])

    def test_5_a_passing_failure_becomes_permanent(self):
        """A full disk is 452, for the message as a whole: nobody gets it twice, nobody is told it failed for good."""
        stock = Stock()
        stock.delivery.verdicts = [succeed(None), fail(smtp.SMTPServerError(452, "disk full"))]
        stock.send(ENVELOPE + b"RCPT TO:<terry@vm1.example.com>\r\nDATA\r\n")
        self.assertEqual(codes(stock.send(LETTER + b".\r\n")), ["550"])
        self.assertEqual(len(stock.delivery.messages), 2, "one copy was kept although the message was refused")
        self.flushLoggedErrors(smtp.SMTPServerError)

        from unitymail.interfaces.errors import DISK_FULL, TryAgain

        ours = greeted()
        ours.spool.commit_error = TryAgain(DISK_FULL)
        self.assertEqual(ours.letter("chris@vm1.example.com", "terry@vm1.example.com")[-1], "452 4.3.1")
        self.assertEqual((ours.spool.committed, ours.spool.held), ([], set()))

    def test_6_a_refusal_at_data_drops_the_connection(self):
        """A spool that takes nothing now gives a reply, not a traceback."""

        def refuse():
            raise smtp.SMTPServerError(452, "disk full")

        stock = Stock()
        stock.delivery.begin = refuse
        with pytest.raises(TypeError):
            stock.send(ENVELOPE + b"DATA\r\n")

        from unitymail.interfaces.errors import DISK_FULL, TryAgain

        ours = greeted()
        ours.spool.receive_error = TryAgain(DISK_FULL)
        self.assertEqual(codes(ours.send(ENVELOPE + b"DATA\r\nNOOP\r\n"))[-2:], ["452 4.3.1", "250 2.0.0"])

    def test_7_malformed_input_drops_the_connection(self):
        """AUTH without an argument, a verb of raw octets, a broken response: a reply each, and the session goes on."""
        for octets, error in ((b"AUTH\r\n", IndexError), (b"\xc3\xa9\xff\r\n", UnicodeDecodeError)):
            with pytest.raises(error):
                Stock().send(b"EHLO a.example\r\n" + octets)
        stock = Stock()
        stock.session.noisy = True
        with pytest.raises(UnicodeDecodeError):
            stock.send(ENVELOPE.replace(b"<robin@", b'<"\xff\xfe"@') + b"DATA\r\n")

        for octets, code in (
            (b"AUTH\r\n", "501 5.5.4"), (b"\xc3\xa9\xff\r\n", "500 5.5.2"), (b"AUTH PLAIN AAA\r\n", "501 5.5.2"),
            (b"AUTH PLAIN cm9iaW4=\r\n", "501 5.5.2"), (b'MAIL FROM:<"\xff\xfe"@a.example>\r\n', "500 5.5.2"),
        ):
            ours = greeted(site=CLEAR)
            self.assertEqual(codes(ours.send(octets + b"NOOP\r\n")), [code, "250 2.0.0"])

    def test_8_addresses_it_cannot_read(self):
        """Address literals, UTF-8 addresses and quoted local parts are addresses; our Received field needs no hook."""
        stock = Stock()
        self.assertEqual(codes(stock.send(b"EHLO a.example\r\nMAIL FROM:<u@[127.0.0.1]>\r\n")), ["250", "501"])
        self.assertEqual(codes(stock.send("MAIL FROM:<é@a.example> SMTPUTF8\r\n".encode())), ["501"])
        stock.session.delivery = None
        with pytest.raises(TypeError):
            stock.session.receivedHeader((b"a", b"192.0.2.1"), smtp.Address(b"a@b.example"), [])
        self.assertEqual(smtp.xtext_encode(b"a+b=c")[0], b"a+b=c", "xtext must escape + and =")

        for address in ("u@[127.0.0.1]", "u@[IPv6:::1]", '"robin smith"@a.example'):
            ours = greeted()
            self.assertEqual(ours.codes(f"MAIL FROM:<{address}>"), ["250 2.1.0"])
        self.assertEqual(greeted().codes("MAIL FROM:<é@a.example> SMTPUTF8"), ["250 2.1.0"])
        ours = greeted()
        ours.letter("chris@vm1.example.com")
        self.assertIn(b"Received: from client.example ([192.0.2.7])", ours.spool.committed[0].head)

    def test_9_starttls_inside_tls(self):
        """On port 465 STARTTLS is not offered."""

        @implementer(IOpenSSLServerConnectionCreator)
        class Context:
            def serverConnectionForTLS(self, protocol):
                return SSL.Connection(SSL.Context(SSL.TLS_SERVER_METHOD), None)

        class Door:
            def buildProtocol(self, address):
                self.session = smtp.ESMTP(contextFactory=TLS)
                self.session.timeout = None
                return self.session

            def doStart(self):
                pass

        door = Door()
        TLSMemoryBIOFactory(Context(), False, door).buildProtocol(None).makeConnection(TlsWire())
        self.assertIn(b"STARTTLS", door.session.extensions())

        ours = Conversation(door="submissions", tls=TLS, implicit_tls=True)
        self.assertNotIn("STARTTLS", ours.say("EHLO a.example"))

    def test_10_unix_sockets_and_passwords_in_the_clear(self):
        """EHLO works on a UNIX socket; AUTH is not offered to a remote client without TLS."""
        stock = Stock(TlsWire(peerAddress=UNIXAddress("/run/mail")))
        with pytest.raises(AttributeError):
            stock.send(b"EHLO a.example\r\n")
        self.assertIn("AUTH PLAIN", Stock(TlsWire(peerAddress=IPv4Address("TCP", "192.0.2.7", 1))).send(b"EHLO a\r\n"))

        ours = Conversation(connect=False, site=CLEAR)
        ours.session = ours.door.buildProtocol(None)
        ours.wire = TlsWire(peerAddress=UNIXAddress("/run/mail"))
        ours.session.makeConnection(ours.wire)
        ours.clock.advance(SILENCE_S)
        self.assertEqual(codes(ours.heard() + ours.say("EHLO a.example")), ["220", "250"])
        self.assertNotIn("AUTH", Conversation(tls=TLS).say("EHLO a.example"))

    def test_11_bare_line_ends_pass_in_silence(self):
        """A bare LF or CR, with which mail is smuggled past the next server, is refused."""
        smuggled = LETTER + b"x\n.\nMAIL FROM:<evil@example.com>\n"
        stock = Stock()
        stock.send(ENVELOPE + b"DATA\r\n")
        self.assertEqual(codes(stock.send(smuggled + b"\r\n.\r\n")), ["250"])
        self.assertIn(b"x\n.\nMAIL FROM:<evil@example.com>\n", stock.delivery.messages[0])

        ours = greeted()
        self.assertEqual(ours.letter("chris@vm1.example.com", octets=smuggled + b"\r\n")[-1], "550 5.6.0")
        self.assertEqual((ours.spool.committed, ours.spool.held), ([], set()))

    def test_it_lacks_what_the_rfc_requires(self):
        """NOOP and VRFY are required by RFC 5321; unknown parameters and impossible sizes must not be swallowed."""
        stock = Stock()
        self.assertEqual(codes(stock.send(b"EHLO a.example\r\nNOOP\r\nVRFY x\r\n")), ["250", "500", "500"])
        self.assertEqual(codes(stock.send(b"MAIL FROM:<a@b.example> SIZE=99999999999 FOO=1\r\n")), ["250"])

        ours = greeted()
        self.assertEqual(ours.codes("NOOP", "VRFY x"), ["250 2.0.0", "252 2.0.0"])
        self.assertEqual(ours.codes("MAIL FROM:<a@b.example> SIZE=99999999999"), ["552 5.3.4"])
        self.assertEqual(ours.codes("MAIL FROM:<a@b.example> FOO=1"), ["555 5.5.4"])
