"""The door on real sockets, with Python's imaplib as the client: STARTTLS, implicit TLS, back-pressure, cut lines."""

import imaplib
import socket
import ssl
import zlib

import trustme
from twisted.internet import reactor
from twisted.internet import ssl as tls
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.smtp.turns import Turns
from unitymail.threads import Threads

AUTHORITY = trustme.CA()
IDENTITY = AUTHORITY.issue_cert("127.0.0.1")


def context():
    key = IDENTITY.private_key_pem.bytes()
    chain = b"".join(blob.bytes() for blob in IDENTITY.cert_chain_pems)
    return tls.PrivateCertificate.loadPEM(key + chain).options()


def trusting():
    made = ssl.create_default_context()
    AUTHORITY.configure_trust(made)
    return made


class SqueezedFile:
    """A client's compressed connection (RFC 4978), as imaplib reads and writes one."""

    def __init__(self, file, sock):
        self.file, self.sock = file, sock
        self.out, self.back = zlib.compressobj(6, zlib.DEFLATED, -15), zlib.decompressobj(-15)
        self.held = b""
        self.count = 0

    def write(self, octets):
        self.sock.sendall(self.out.compress(octets) + self.out.flush(zlib.Z_SYNC_FLUSH))

    def _more(self):
        octets = self.file.read1(65_536)
        self.count += len(octets)
        self.held += self.back.decompress(octets)
        return bool(octets)

    def readline(self, limit):
        while b"\n" not in self.held and self._more():
            pass
        return self.read(min(self.held.find(b"\n") + 1, limit))

    def read(self, size):
        while len(self.held) < size and self._more():
            pass
        taken, self.held = self.held[:size], self.held[size:]
        return taken

    def close(self):
        self.file.close()


class LoopbackTests(TestCase):
    timeout = 60

    def open(self, **settings):
        threads = Threads(reactor, "test", 4)
        threads.start()
        self.addCleanup(threads.stop)
        self.house = House(clock=reactor, turns=Turns(reactor), threads=threads, **settings)
        port = reactor.listenTCP(0, self.house.door, interface="127.0.0.1")
        self.addCleanup(self.all_gone)
        self.addCleanup(port.stopListening)
        return port.getHost().port

    async def all_gone(self):
        """Connections end a turn or two after their client's."""
        while self.house.door.sessions:
            await deferLater(reactor, 0.01)

    def test_a_day_of_imaplib(self):
        """Sign in over STARTTLS, make a folder, append a large message, find and fetch it, log out."""
        port = self.open(tls=context())
        octets = MESSAGE + b"0123456789abcdef 0123456789abcdef 0123456789abcdef\r\n" * 100_000

        def day():
            with imaplib.IMAP4("127.0.0.1", port) as client:
                client.starttls(trusting())
                client.login("robin", "secret")
                self.assertEqual(client.create('"My Work"')[0], "OK")
                self.assertEqual(client.append('"My Work"', "(\\Seen)", None, octets)[0], "OK")
                self.assertEqual(client.select('"My Work"'), ("OK", [b"1"]))
                self.assertEqual(client.status('"My Work"', "(MESSAGES)"), ("OK", [b'"My Work" (MESSAGES 1)']))
                _, parts = client.fetch("1", "(BODY.PEEK[])")
                client.close()
                return parts[0][1]

        return deferToThread(day).addCallback(lambda got: self.assertTrue(got == octets))

    def test_implicit_tls(self):
        """The imaps door begins with the handshake."""
        port = self.open(tls=context(), implicit_tls=True)

        def visit():
            with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=trusting()) as client:
                client.login("robin", "secret")
                return client.list()[1]

        return deferToThread(visit).addCallback(lambda names: self.assertEqual(len(names), 6))

    def test_compressed_over_tls(self):
        """Under TLS a large message goes in and out compressed; what crosses the wire is a fraction of it."""
        port = self.open(tls=context(), implicit_tls=True)
        octets = MESSAGE + b"0123456789abcdef 0123456789abcdef 0123456789abcdef\r\n" * 100_000

        def day():
            with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=trusting(), timeout=10) as client:
                client.login("robin", "secret")
                imaplib.Commands["COMPRESS"] = ("AUTH",)
                self.assertEqual(client._simple_command("COMPRESS", "DEFLATE")[0], "OK")
                squeezed = SqueezedFile(client.file, client.sock)
                client._file, client.file, client.send = client.file, squeezed, squeezed.write
                self.assertEqual(client.append("INBOX", None, None, octets)[0], "OK")
                self.assertEqual(client.select(), ("OK", [b"1"]))
                _, parts = client.fetch("1", "(BODY.PEEK[])")
                return parts[0][1], squeezed.count

        def compare(found):
            got, count = found
            self.assertTrue(got == octets)
            self.assertLess(count, len(octets) / 10)

        return deferToThread(day).addCallback(compare)

    def test_injection_over_tls(self):
        """What a man in the middle adds after STARTTLS is gone once TLS is on."""
        port = self.open(tls=context())

        def visit():
            with socket.create_connection(("127.0.0.1", port), 10) as plain:
                plain.recv(4096)
                plain.sendall(b"a STARTTLS\r\nb LOGIN robin secret\r\n")
                heard = plain.recv(4096)
                with trusting().wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                    secure.sendall(b"c NOOP\r\n")
                    return heard, secure.recv(4096)

        def check(heard):
            self.assertEqual(heard, (b"a OK Begin TLS negotiation now\r\n", b"c OK NOOP completed\r\n"))

        return deferToThread(visit).addCallback(check)

    def test_idle(self):
        """A delivery reaches a real idle client."""
        port = self.open()

        def visit():
            with socket.create_connection(("127.0.0.1", port), 10) as line:
                file = line.makefile("rb")
                file.readline()
                line.sendall(b"a LOGIN robin secret\r\nb SELECT INBOX\r\nc IDLE\r\n")
                while not file.readline().startswith(b"+ idling"):
                    pass
                self.house.inbox.arrive(MESSAGE)
                reactor.callFromThread(self.house.doorbell.ring, "u-robin", "INBOX")
                told = file.readline()
                line.sendall(b"DONE\r\nd LOGOUT\r\n")
                return told, file.read()

        def check(result):
            told, rest = result
            self.assertEqual(told, b"* 1 EXISTS\r\n")
            self.assertTrue(rest.endswith(b"* BYE Until next time\r\nd OK LOGOUT completed\r\n"))

        return deferToThread(visit).addCallback(check)

    def test_a_flood_reads_its_answer(self):
        """A client that sends far too much still gets to read why it is thrown out."""
        port = self.open()

        def visit():
            with socket.create_connection(("127.0.0.1", port), 10) as line:
                line.recv(4096)
                heard = b""
                try:
                    for _ in range(40):
                        line.sendall(b"x" * 65_536)
                except OSError:
                    pass
                line.shutdown(socket.SHUT_WR)
                while block := line.recv(4096):
                    heard += block
                return heard

        return deferToThread(visit).addCallback(lambda heard: self.assertIn(b"* BYE [TOOBIG]", heard))
