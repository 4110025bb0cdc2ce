"""TLS to real servers on loopback: whom we believe, and what we show."""

import os
import pathlib
from dataclasses import replace

import trustme
from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_PEM, load_certificate
from twisted.internet import reactor
from twisted.internet.defer import succeed
from twisted.names import dns
from twisted.trial.unittest import TestCase

from tests.relay.certificates import Pair
from tests.relay.play import LETTER, TOLD, kinds, letter
from tests.relay.sink import ServerSide, Sink
from unitymail.relay.relay import Relay
from unitymail.relay.tls import Handshake, ascii_name, fingerprint_of
from unitymail.routing.next_hop import NextHop
from unitymail.threads import Threads

PEERS = ("PIPELINING", "CHUNKING", "XUNITYMAIL")


class Here:
    """A resolver that knows one host: this machine."""

    def __getattr__(self, name):
        def look_up(host, timeout):
            found = [dns.RRHeader(host, dns.A, payload=dns.Record_A("127.0.0.1"))] if name == "lookupAddress" else []
            return succeed((found, [], []))

        return look_up


class Stage(TestCase):
    timeout = 20

    def setUp(self):
        self.folder = pathlib.Path(self.mktemp())
        self.folder.mkdir(parents=True)
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        self.own = Pair()
        self.write("own.pem", self.own.certificate("a.example.com"))
        self.write("own.key", self.own.key)
        self.threads = Threads(reactor, "test", 2)
        self.threads.start()
        self.addCleanup(self.threads.stop)
        self.relay = Relay(
            host="a.example.com", reactor=reactor, threads=self.threads, connections=lambda: 2, resolver=Here(),
            certificate=str(self.folder / "own.pem"), key=str(self.folder / "own.key"),
        )
        self.authority = trustme.CA()
        self.write("ca.pem", self.authority.cert_pem.bytes())

    def write(self, name, octets):
        (self.folder / name).write_bytes(octets)

    def sink(self, tls, *extensions, **more):
        made = Sink(*(extensions or ("PIPELINING",)), tls=tls, **more)
        self.addCleanup(made.stop)
        self.addCleanup(self.relay.close)
        return made

    def issued(self, *names, **more):
        made = self.authority.issue_cert(*names)
        return ServerSide(made.cert_chain_pems[0].bytes(), made.private_key_pem.bytes(), **more)

    def hop(self, sink, tls, **more):
        return NextHop("smart-host", "the smart host", "mail.example.com", sink.number, tls=tls, **more)

    def required(self, sink):
        return self.hop(sink, "required", ca_file=str(self.folder / "ca.pem"))

    async def outcome(self, hop, **more):
        attempt = await self.relay.send(hop, letter(self.mail, **more))
        return attempt


class RequiredTest(Stage):
    async def test_the_right_name(self):
        """A certificate for the name, from the authority given: mail goes, under TLS."""
        for highest in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            sink = self.sink(self.issued("mail.example.com", highest=highest))
            attempt = await self.outcome(self.required(sink))
            self.assertEqual(kinds(attempt), [("done", "2.0.0")])
            self.assertEqual(sink.messages, [LETTER])
            self.assertIn("C: STARTTLS", attempt.dialogue)

    async def refused(self, tls, words):
        sink = self.sink(tls)
        attempt = await self.outcome(self.required(sink))
        self.assertEqual(kinds(attempt), [("try-again", "4.7.5")])
        self.assertIn(words, attempt.outcomes[0].why)
        self.assertTrue(attempt.hop_down)
        self.assertEqual(sink.messages, [])

    async def test_another_name(self):
        """Somebody else's certificate, from the right authority."""
        await self.refused(self.issued("evil.example.net"), "is not for mail.example.com")

    async def test_a_stranger(self):
        """A certificate that anybody could have made."""
        pair = Pair()
        await self.refused(ServerSide(pair.certificate("mail.example.com"), pair.key), "is self-signed")

    async def test_another_authority(self):
        """The right name from an authority nobody trusts."""
        self.authority, before = trustme.CA(), self.authority
        self.assertIsNot(before, self.authority)
        await self.refused(self.issued("mail.example.com"), "comes from an unknown authority")

    async def test_expired(self):
        """A certificate that has ended."""
        pair = Pair()
        expired = pair.certificate("mail.example.com", days=-1)
        self.write("ca.pem", expired)
        await self.refused(ServerSide(expired, pair.key), "has expired")

    async def test_the_authorities_change(self):
        """A new ca_file counts for the next connection, without a restart."""
        sink = self.sink(self.issued("mail.example.com"))
        self.write("ca.pem", trustme.CA().cert_pem.bytes())
        self.assertEqual(kinds(await self.outcome(self.required(sink))), [("try-again", "4.7.5")])
        self.write("ca.pem", self.authority.cert_pem.bytes() + b"\n")
        self.assertEqual(kinds(await self.outcome(self.required(sink))), [("done", "2.0.0")])

    async def test_no_authorities(self):
        """A ca_file that is missing is named."""
        sink = self.sink(self.issued("mail.example.com"))
        os.unlink(self.folder / "ca.pem")
        attempt = await self.outcome(self.required(sink))
        self.assertEqual(kinds(attempt), [("try-again", "4.7.5")])
        self.assertIn("ca.pem cannot be read", attempt.outcomes[0].why)

    async def test_the_systems_authorities(self):
        """Without a ca_file those of the system count: they do not know the test's."""
        sink = self.sink(self.issued("mail.example.com"))
        attempt = await self.outcome(self.hop(sink, "required"))
        self.assertEqual(kinds(attempt), [("try-again", "4.7.5")])

    async def test_asked_for_by_the_sender(self):
        """REQUIRETLS makes a hop that is usually not verified be, for this message and no other."""
        sink = self.sink(self.issued("mail.example.com"), "PIPELINING", "REQUIRETLS")
        hop = replace(self.required(sink), tls="opportunistic")
        self.assertEqual(kinds(await self.outcome(hop, require_tls=True)), [("done", "2.0.0")])
        self.assertIn("REQUIRETLS", sink.envelopes[0][0])
        hop = replace(hop, ca_file="", key="other")
        self.assertEqual(kinds(await self.outcome(hop, require_tls=True)), [("try-again", "4.7.5")])
        self.assertEqual(kinds(await self.outcome(hop)), [("done", "2.0.0")])


    async def test_asked_for_by_the_sender_of_a_hop_without(self):
        """A hop without TLS never gets such a message, and its sender need not wait for two days to hear so."""
        for tls, expected in ((None, ("failed", "5.7.30")), (self.issued("mail.example.com"), ("failed", "5.7.30"))):
            sink = self.sink(tls)
            hop = replace(self.required(sink), tls="opportunistic", key=f"port {sink.number}")
            self.assertEqual(kinds(await self.outcome(hop, require_tls=True)), [expected])
            self.assertEqual(sink.envelopes, [])
            self.assertEqual(kinds(await self.outcome(hop)), [("done", "2.0.0")])


class OpportunisticTest(Stage):
    async def test_anybody(self):
        """Any certificate is better than none."""
        pair = Pair()
        sink = self.sink(ServerSide(pair.certificate("whoever.example", days=-1), pair.key))
        attempt = await self.outcome(self.hop(sink, "opportunistic"))
        self.assertEqual(kinds(attempt), [("done", "2.0.0")])
        self.assertIn("C: STARTTLS", attempt.dialogue)

    async def test_without(self):
        """A server without TLS, and one that cannot do it, get the message in the clear."""

        def break_off(session):
            session.dataReceived = lambda octets: session.transport.write(b"this is no handshake\r\n")
            session.transport.write(b"220 go on\r\n")

        for tls, at in ((None, {}), (self.issued("x"), {"STARTTLS": break_off})):
            sink = self.sink(tls, at=at)
            self.assertEqual(kinds(await self.outcome(self.hop(sink, "opportunistic"))), [("done", "2.0.0")])
            self.assertEqual(sink.messages, [LETTER])

    async def test_none(self):
        """A hop without TLS hears no STARTTLS."""
        sink = self.sink(self.issued("mail.example.com"))
        attempt = await self.outcome(self.hop(sink, "none"))
        self.assertNotIn("C: STARTTLS", attempt.dialogue)
        self.assertEqual(kinds(attempt), [("done", "2.0.0")])


class PinnedTest(Stage):
    def setUp(self):
        super().setUp()
        self.theirs = Pair()

    def peer(self, sink, **more):
        more.setdefault("fingerprint", self.theirs.fingerprint)
        return NextHop("peer l-b", "the peer b", "b.example.com", sink.number, tls="pinned", **more)

    def listen(self, certificate, pair=None, **more):
        return self.sink(ServerSide(certificate, (pair or self.theirs).key, asks=True, **more), *PEERS)

    async def test_mutual(self):
        """Both show certificates; a key is enough, the certificate may be self-signed, renewed or expired."""
        for days in (30, -9):
            for highest in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
                sink = self.listen(self.theirs.certificate("b.example.com", days=days), highest=highest)
                attempt = await self.outcome(self.peer(sink), told=TOLD)
                self.assertEqual(kinds(attempt), [("done", "2.0.0")])
                self.assertIn("XID=a.TRACE-1", sink.envelopes[0][0])
                self.assertEqual(sink.tls.seen, [self.own.fingerprint])

    async def test_written_otherwise(self):
        """A fingerprint with colons and capitals is the same one."""
        sink = self.listen(self.theirs.certificate("b.example.com"))
        text = self.theirs.fingerprint.upper()
        colons = ":".join(text[n : n + 2] for n in range(0, 64, 2))
        self.assertEqual(kinds(await self.outcome(self.peer(sink, fingerprint=colons), told=TOLD)), [("done", "2.0.0")])

    async def test_with_its_issuers(self):
        """A peer whose certificate comes from an authority may show that one's, too: only its own key is pinned."""
        made = self.authority.create_child_ca().issue_cert("b.example.com")
        chain = b"".join(each.bytes() for each in made.cert_chain_pems)
        pinned = fingerprint_of(load_certificate(FILETYPE_PEM, chain))
        self.assertEqual(chain.count(b"BEGIN CERTIFICATE"), 2)
        sink = self.sink(ServerSide(chain, made.private_key_pem.bytes(), asks=True), *PEERS)
        attempt = await self.outcome(self.peer(sink, fingerprint=pinned), told=TOLD)
        self.assertEqual(kinds(attempt), [("done", "2.0.0")])
        attempt = await self.outcome(self.peer(sink), told=TOLD)
        self.assertIn("has another key", attempt.outcomes[0].why)

    async def test_another_key(self):
        """The right name with another key is somebody else; nothing is said to them."""
        other = Pair()
        sink = self.listen(other.certificate("b.example.com"), other)
        attempt = await self.outcome(self.peer(sink), told=TOLD)
        self.assertEqual(kinds(attempt), [("try-again", "4.7.5")])
        self.assertIn("has another key", attempt.outcomes[0].why)
        self.assertEqual((sink.messages, attempt.hop_down), ([], True))

    async def test_another_name(self):
        """The right key with another name is not the host we meant."""
        sink = self.listen(self.theirs.certificate("c.example.com"))
        attempt = await self.outcome(self.peer(sink), told=TOLD)
        self.assertIn("is not for b.example.com", attempt.outcomes[0].why)

    async def test_no_fingerprint(self):
        """A peer without a fingerprint is nobody."""
        sink = self.listen(self.theirs.certificate("b.example.com"))
        attempt = await self.outcome(self.peer(sink, fingerprint=""), told=TOLD)
        self.assertEqual(kinds(attempt), [("try-again", "4.7.5")])

    async def test_not_offered(self):
        """A peer that hides STARTTLS gets nothing."""
        sink = self.sink(None, *PEERS)
        self.assertEqual(kinds(await self.outcome(self.peer(sink), told=TOLD)), [("try-again", "4.7.4")])

    async def test_our_certificate_is_renewed(self):
        """After `reload` the next connection shows the new one."""
        sink = self.listen(self.theirs.certificate("b.example.com"))
        await self.outcome(self.peer(sink), told=TOLD)
        renewed = Pair()
        self.write("own.pem", renewed.certificate("a.example.com"))
        self.write("own.key", renewed.key)
        self.relay.reload()
        await self.outcome(replace(self.peer(sink), name="b"), told=TOLD)
        self.assertEqual(sink.tls.seen, [self.own.fingerprint, renewed.fingerprint])

    async def test_no_certificate_of_our_own(self):
        """A key that does not fit, or no files at all: said, and tried again."""
        sink = self.listen(self.theirs.certificate("b.example.com"))
        self.write("own.key", Pair().key)
        attempt = await self.outcome(self.peer(sink), told=TOLD)
        self.assertEqual(kinds(attempt), [("try-again", "4.7.5")])
        self.assertIn("cannot be used", attempt.outcomes[0].why)
        bare = Relay(host="a", reactor=reactor, threads=self.threads, connections=lambda: 1, resolver=Here())
        attempt = await bare.send(self.peer(sink), letter(self.mail, told=TOLD))
        self.assertIn("no certificate to show", attempt.outcomes[0].why)


def test_what_cannot_be_checked_is_not_believed():
    """OpenSSL takes what a callback raises for nothing: anything unforeseen means no."""
    for tls in ("required", "pinned"):
        hop = NextHop("h", "the host", "mail.example.com", tls=tls, fingerprint="ab" * 32)
        handshake = Handshake(None, hop, "mail.example.com")
        assert not handshake._verify(None, object(), 0, 0, 1)
        assert "cannot be checked" in handshake.flaw


def test_names():
    """As they stand in certificates."""
    assert ascii_name("Mail.Example.COM.") == ("mail.example.com", True)
    assert ascii_name("bücher.example") == ("xn--bcher-kva.example", True)
    assert ascii_name("[::1]") == ("::1", False) and ascii_name("192.0.2.1") == ("192.0.2.1", False)
    assert ascii_name("..\u2028é")[1]
