"""Real sockets and real TLS: what a string transport cannot show."""

import select
import smtplib
import socket
import ssl

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import ServerFactory
from twisted.internet.threads import deferToThread
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from tests.smtp.conversation import LETTER, Conversation
from unitymail.people.access import AccessRule
from unitymail.settings.site import SiteSettings
from unitymail.tls import self_signed

SITE = SiteSettings(smtp_max_messages_per_connection=0)


@implementer(IOpenSSLServerConnectionCreator)
class Context:
    """A certificate for localhost, made once."""

    def __init__(self):
        certificate, key = self_signed("localhost")
        self.context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self.context.use_certificate(x509.load_pem_x509_certificate(certificate))
        self.context.use_privatekey(load_pem_private_key(key, None))

    def serverConnectionForTLS(self, protocol):
        return SSL.Connection(self.context, None)


CONTEXT = Context()
CLIENT_CONTEXT = ssl._create_unverified_context()


class OverTheWire(TestCase):
    def serve(self, implicit=False, **options):
        self.c = Conversation(
            connect=False, access=(AccessRule("127.0.0.1", allow=True),), clock=reactor_clock(), tls=CONTEXT,
            implicit_tls=implicit, site=SITE, door="submissions" if implicit else "mta", **options,
        )
        factory: ServerFactory = TLSMemoryBIOFactory(CONTEXT, False, self.c.door) if implicit else self.c.door
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.addCleanup(lambda: self.c.door.drain(1))
        return port.getHost().port

    async def test_starttls_with_a_real_client(self):
        """Python's smtplib signs in under STARTTLS and sends; Received names the TLS version."""
        port = self.serve()

        def client():
            with smtplib.SMTP("127.0.0.1", port) as smtp:
                smtp.starttls(context=CLIENT_CONTEXT)
                smtp.login("robin", "secret")
                smtp.sendmail("robin@vm1.example.com", ["chris@vm1.example.com"], LETTER + b".dot\r\n")

        await deferToThread(client)
        [kept] = self.c.spool.committed
        self.assertEqual(kept.octets, LETTER + b".dot\r\n")
        self.assertIn(b"with ESMTPSA id", kept.head)
        self.assertIn(b"(TLSv1.3:TLS_AES_256_GCM_SHA384)", kept.head)
        self.assertTrue(self.c.login.asked[0][2].tls)

    async def test_implicit_tls_with_a_real_client(self):
        """The same on port 465; a message of 5 MB goes through."""
        port = self.serve(implicit=True)
        big = LETTER + b"0123456789abcdef\r\n" * 300_000

        def client():
            with smtplib.SMTP_SSL("localhost", port, context=CLIENT_CONTEXT) as smtp:
                smtp.login("robin", "secret")
                smtp.sendmail("robin@vm1.example.com", ["chris@vm1.example.com"], big)

        await deferToThread(client)
        self.assertEqual(self.c.spool.committed[0].octets, big)
        self.assertIn(b"(TLSv1.3:TLS_AES_256_GCM_SHA384)", self.c.spool.committed[0].head)

    async def test_injection_over_a_real_handshake(self):
        """Octets in the segment of STARTTLS are gone when TLS is up."""
        port = self.serve()

        def client():
            with socket.create_connection(("127.0.0.1", port)) as plain:
                plain.recv(4096)
                plain.sendall(b"EHLO a.example\r\nSTARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@example.com>\r\n")
                said = b""
                while b"\r\n220 " not in said:
                    said += plain.recv(4096)
                with CLIENT_CONTEXT.wrap_socket(plain) as secure:
                    secure.sendall(b"RCPT TO:<chris@vm1.example.com>\r\n")
                    return secure.recv(4096)

        self.assertTrue((await deferToThread(client)).startswith(b"503 5.5.1"))

    async def test_a_client_that_never_reads(self):
        """Replies nobody reads do not fill the memory: the node stops listening to that client."""
        port = self.serve()

        def client():
            with socket.create_connection(("127.0.0.1", port)) as s:
                s.setblocking(False)
                sent, quiet = 0, 0
                while quiet < 20 and sent < 200_000_000:
                    try:
                        sent += s.send(b"NOOP\r\n" * 10_000)
                        quiet = 0
                    except BlockingIOError:
                        quiet += 1
                        select.select([], [s], [], 0.02)
                s.setblocking(True)
                s.settimeout(20)
                read, said = 0, b"?"
                while read < 1_000_000 and said:
                    said = s.recv(65_536)
                    read += len(said)
                return sent, read

        sent, read = await deferToThread(client)
        self.assertLess(sent, 50_000_000)
        self.assertGreaterEqual(read, 1_000_000)


def reactor_clock():
    """The reactor as a clock that a Conversation may also turn."""

    class ReactorClock:
        callLater = staticmethod(reactor.callLater)
        seconds = staticmethod(reactor.seconds)
        advance = staticmethod(lambda seconds: None)

    return ReactorClock()
