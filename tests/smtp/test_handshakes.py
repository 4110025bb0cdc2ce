"""Who a client is by its certificate: real handshakes on loopback, with each kind of certificate and TLS version."""

import pathlib
import shutil
import socket
import ssl

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.certificates import certificate, expired, new_key, write_pair
from tests.fakes import CHRIS, ROBIN, TERRY
from tests.smtp.conversation import Conversation
from tests.smtp.test_connection import reactor_clock
from unitymail.people.location import Location, LocationKind
from unitymail.settings.site import SiteSettings
from unitymail.tls import ServerTls, public_key_fingerprint

OPEN = SiteSettings(smtp_allow_untrusted=True, smtp_untrusted_tls="optional", smtp_untrusted_require_auth=False)
CLOSED = SiteSettings()
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
PEER_KEY = new_key()
STRANGERS_KEY = new_key("rsa")


class Session:
    """What one client saw: its EHLO under TLS, the reply to a peer's MAIL, the version, whether it was resumed."""

    def __init__(self, port, context, session=None):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
            self._read(plain)
            self._say(plain, b"EHLO b.example\r\n")
            self.starttls = self._say(plain, b"STARTTLS\r\n")[:3]
            with context.wrap_socket(plain, session=session) as secure:
                self.ehlo = self._say(secure, b"EHLO b.example\r\n").decode().split("\r\n")
                self.mail = self._say(secure, b"MAIL FROM:<x@vm2.example.com> XID=n1.t1 XTRACE=t1 XKIND=outside "
                                              b"XCATEGORY=email XSENSITIVITY=normal XSECURE=no\r\n")[:3]
                self.version, self.reused, self.session = secure.version(), secure.session_reused, secure.session
                self.shown = secure.getpeercert(binary_form=True)
                self._say(secure, b"QUIT\r\n")

    @property
    def is_peer(self):
        assert ("250 XUNITYMAIL" in self.ehlo) == (self.mail == b"250"), (self.ehlo, self.mail)
        return self.mail == b"250"

    @staticmethod
    def _read(connection):
        octets = b""
        while not octets.endswith(b"\r\n") or octets.split(b"\r\n")[-2][3:4] == b"-":
            block = connection.recv(4096)
            assert block, octets
            octets += block
        return octets

    def _say(self, connection, octets):
        connection.sendall(octets)
        return self._read(connection)


class Handshakes(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.mktemp())
        self.folder.mkdir()
        self.addCleanup(shutil.rmtree, self.folder)
        key = new_key()
        self.tls = ServerTls(*write_pair(self.folder, "ours", certificate(key, "localhost"), key))

    def serve(self, site=OPEN, fingerprint=None, addresses=("127.0.0.1",)):
        known = fingerprint or public_key_fingerprint(certificate(PEER_KEY))
        self.peer = Location("l-b", LocationKind.PEER, "b", "vm2.example.com", "localhost", fingerprint=known)
        self.c = Conversation(
            connect=False, access=(), clock=reactor_clock(), tls=self.tls.mutual, site=site,
            people=(ROBIN, CHRIS, TERRY, self.peer), peer_addresses=lambda: addresses,
        )
        port = reactor.listenTCP(0, self.c.door, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.addCleanup(lambda: self.c.door.drain(1))
        self.port = port.getHost().port

    def context(self, version, octets=None, key=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        if octets is not None:
            context.load_cert_chain(*write_pair(self.folder, "client", octets, key))
        return context

    def meet(self, context, session=None):
        return deferToThread(Session, self.port, context, session)

    async def test_each_kind_of_certificate(self):
        """None, a stranger's, an expired one: a stranger, who goes on. The peer's, renewed, expired: the peer."""
        self.serve()
        cases = [
            (None, None, False),
            (certificate(STRANGERS_KEY), STRANGERS_KEY, False),
            (expired(STRANGERS_KEY), STRANGERS_KEY, False),
            (certificate(PEER_KEY), PEER_KEY, True),
            (certificate(PEER_KEY, "another.name.example"), PEER_KEY, True),
            (expired(PEER_KEY), PEER_KEY, True),
        ]
        for version in VERSIONS:
            for number, (octets, key, is_peer) in enumerate(cases):
                met = await self.meet(self.context(version, octets, key))
                self.assertEqual((number, met.is_peer), (number, is_peer))
                self.assertEqual(met.version, {771: "TLSv1.2", 772: "TLSv1.3"}[version])
                self.assertEqual(met.mail, b"250" if is_peer else b"555")

    async def test_where_strangers_may_not_connect(self):
        """The peer comes in by its key; others at its address are let no further than that."""
        self.serve(CLOSED)
        for version in VERSIONS:
            met = await self.meet(self.context(version, certificate(PEER_KEY), PEER_KEY))
            self.assertTrue(met.is_peer)
            met = await self.meet(self.context(version, certificate(STRANGERS_KEY), STRANGERS_KEY))
            self.assertFalse(met.is_peer)
            self.assertEqual(met.mail, b"554")

    async def test_resumption(self):
        """A resumed session is the same client's: the peer stays the peer, a stranger one, a removed peer is none."""
        self.serve()
        for version in VERSIONS:
            peer = self.context(version, certificate(PEER_KEY), PEER_KEY)
            first = await self.meet(peer)
            again = await self.meet(peer, first.session)
            self.assertEqual((first.reused, again.reused), (False, True))
            self.assertTrue(first.is_peer and again.is_peer)
            stranger = self.context(version, certificate(STRANGERS_KEY), STRANGERS_KEY)
            first = await self.meet(stranger)
            again = await self.meet(stranger, first.session)
            self.assertTrue(again.reused)
            self.assertFalse(again.is_peer)
            first = await self.meet(peer)
            known, self.c.book.objects = self.c.book.objects, (ROBIN, CHRIS, TERRY)
            again = await self.meet(peer, first.session)
            self.c.book.objects = known
            self.assertTrue(again.reused)
            self.assertFalse(again.is_peer)

    async def test_a_renewed_certificate_of_ours(self):
        """After `reload` the next connection sees the new certificate, and peers are still known."""
        self.serve()
        context = self.context(VERSIONS[1], certificate(PEER_KEY), PEER_KEY)
        before = await self.meet(context)
        key = new_key()
        write_pair(self.folder, "ours", certificate(key, "localhost"), key)
        self.tls.reload()
        after = await self.meet(context)
        self.assertTrue(before.is_peer and after.is_peer)
        self.assertEqual(public_key_fingerprint(after.shown), public_key_fingerprint(certificate(key)))
        self.assertNotEqual(before.shown, after.shown)

    async def test_keys_of_every_usual_kind(self):
        """RSA peers are known as elliptic ones are."""
        self.serve(fingerprint=public_key_fingerprint(certificate(STRANGERS_KEY)))
        for version in VERSIONS:
            met = await self.meet(self.context(version, certificate(STRANGERS_KEY), STRANGERS_KEY))
            self.assertTrue(met.is_peer)
