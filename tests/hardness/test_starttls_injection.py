"""Class: STARTTLS injection. What was said in the clear is never believed under TLS, in either direction.

Known examples: CVE-2011-0411 (Postfix), CVE-2021-33515 (Dovecot), CVE-2021-38542 and CVE-2022-28220 (James),
CVE-2024-34083 (aiosmtpd), and most of what nostarttls.secvuln.info found. A man in the middle puts commands, or
replies, into the segment of STARTTLS; whoever keeps its buffer runs them as the client's own, signed in.
"""

import contextlib
import pathlib
import shutil
import socket
import ssl

import pytest
from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.certificates import certificate, new_key, write_pair
from tests.imap.conversation import House
from tests.relay.play import FULL, HOP, REQUIRED, Play
from tests.relay.test_signing_in import sign_in
from tests.smtp.conversation import Conversation
from tests.smtp.test_connection import reactor_clock
from unitymail.settings.site import SiteSettings
from unitymail.tls import ServerTls

OPEN = SiteSettings(
    smtp_allow_untrusted=True, smtp_auth_without_tls=True, imap_auth_without_tls=True, smtp_untrusted_tls="optional"
)
SMTP_INJECTED = {
    "whole commands": b"EHLO evil.example\r\nMAIL FROM:<evil@example.net>\r\n",
    "half a command": b"MAIL FROM:<evil@exam",
    "a line end to come": b"EHLO evil.example\r",
    "another STARTTLS": b"STARTTLS\r\n",
    "a sign-in": b"AUTH PLAIN AHJvYmluAHNlY3JldA==\r\n",
    "half of one": b"AUTH PLAIN ",
    "a message": b"EHLO e\r\nMAIL FROM:<e@example.net>\r\nRCPT TO:<chris@vm1.example.com>\r\nDATA\r\n",
    "a chunk": b"BDAT 1000 LAST\r\n",
    "an endless line": b"x" * 9_000,
    "nothing": b"",
}
IMAP_INJECTED = {
    "whole commands": b"z CAPABILITY\r\nz LOGIN robin secret\r\n",
    "half a command": b"z LOGIN evil ",
    "a literal": b"z LOGIN {100}\r\n",
    "a literal that is not awaited": b"z LOGIN {100+}\r\n",
    "half of its octets": b"z LOGIN {100+}\r\nabc",
    "a line to be skipped": b"z " + b"x" * 9_000,
    "nothing": b"",
}


class Injected:
    """A client in a thread, whose segment of STARTTLS has more in it. It says the lines of `hello` before that."""

    def __init__(self, port, hello, starttls, injected, *, with_hello=False):
        self.plain = socket.create_connection(("127.0.0.1", port), 20)
        self._line()
        for line in hello:
            self.plain.sendall(line)
            while self._line()[3:4] == b"-":
                pass
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls, self._incoming, self._outgoing = context.wrap_bio(incoming, outgoing), incoming, outgoing
        self.plain.sendall(starttls + injected + (self._hello() if with_hello else b""))
        self.answer = self._line()

    def _line(self):
        """The next line, and not an octet of what follows it."""
        line = b""
        while not line.endswith(b"\r\n"):
            octet = self.plain.recv(1)
            assert octet, line
            line += octet
        return line

    def _hello(self):
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self._outgoing.read()

    def _do(self, act):
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                self._send()
                octets = self.plain.recv(65_536)
                if not octets:
                    raise ConnectionError from None
                self._incoming.write(octets)
            finally:
                self._send()

    def _send(self):
        octets = self._outgoing.read()
        if octets:
            self.plain.sendall(octets)

    def ask(self, octets):
        """What the server says to this under TLS, and to nothing else."""
        self._do(self.tls.do_handshake)
        self._do(lambda: self.tls.write(octets))
        said = self._do(lambda: self.tls.read(65_536))
        self.plain.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            said += self._do(lambda: self.tls.read(65_536))
        self.plain.close()
        return said


class Server(TestCase):
    def setUp(self):
        folder = pathlib.Path(self.mktemp())
        folder.mkdir()
        self.addCleanup(shutil.rmtree, folder)
        key = new_key()
        self.tls = ServerTls(*write_pair(folder, "ours", certificate(key, "localhost"), key))

    def listen(self, door):
        port = reactor.listenTCP(0, door, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.addCleanup(lambda: door.drain(1))
        return port.getHost().port

    async def test_smtp(self):
        """Whatever stands behind STARTTLS in its segment, the first answer under TLS is to the first line there."""
        c = Conversation(connect=False, site=OPEN, tls=self.tls, clock=reactor_clock(), access=(), door="submission")
        port = self.listen(c.door)
        for name, injected in SMTP_INJECTED.items():

            def client(injected=injected):
                met = Injected(port, (b"EHLO a.example\r\n",), b"STARTTLS\r\n", injected)
                return met.answer, met.ask(b"RCPT TO:<chris@vm1.example.com>\r\n")

            answer, said = await deferToThread(client)
            self.assertTrue(answer.startswith(b"220 "), name)
            self.assertTrue(said.startswith(b"503 5.5.1") and said.count(b"\r\n") == 1, (name, said))
        self.assertEqual((c.login.asked, c.spool.committed, c.spool.held), ([], [], set()))

    async def test_smtp_state(self):
        """A sign-in, a greeting and an envelope from before TLS are gone."""
        c = Conversation(connect=False, site=OPEN, tls=self.tls, clock=reactor_clock(), access=(), door="submission")
        port = self.listen(c.door)
        mail = b"MAIL FROM:<robin@vm1.example.com>\r\n"
        before = (b"EHLO a.example\r\n", b"AUTH PLAIN AHJvYmluAHNlY3JldA==\r\n", mail)

        def client():
            return Injected(port, before, b"STARTTLS\r\n", b"").ask(mail + b"EHLO a.example\r\n" + mail)

        said = await deferToThread(client)
        self.assertTrue(said.startswith(b"503 5.5.1 Say EHLO first\r\n250-"), said)
        self.assertIn(b"\r\n530 5.7.0 ", said)
        self.assertIn(b"AUTH PLAIN", said)

    async def test_imap(self):
        """The same for IMAP: no capability, no sign-in and no half of a literal comes through."""
        house = House(site=OPEN, tls=self.tls, clock=reactor_clock())
        port = self.listen(house.door)
        for name, injected in IMAP_INJECTED.items():

            def client(injected=injected):
                met = Injected(port, (), b"a STARTTLS\r\n", injected)
                return met.answer, met.ask(b"b NOOP\r\n")

            answer, said = await deferToThread(client)
            self.assertTrue(answer.startswith(b"a OK"), name)
            self.assertTrue(said.startswith(b"b OK") and said.count(b"\r\n") == 1, (name, said))
        self.assertEqual(house.login.places, [])

    async def test_a_handshake_in_the_same_segment(self):
        """Who does not wait for our answer to STARTTLS has no handshake: its octets are forgotten with the rest."""
        c = Conversation(connect=False, site=OPEN, tls=self.tls, clock=reactor_clock(), access=(), door="submission")
        house = House(site=OPEN, tls=self.tls, clock=reactor_clock())
        for port, hello, starttls in (
            (self.listen(c.door), (b"EHLO a.example\r\n",), b"STARTTLS\r\n"),
            (self.listen(house.door), (), b"a STARTTLS\r\n"),
        ):

            def client(port=port, hello=hello, starttls=starttls):
                met = Injected(port, hello, starttls, b"", with_hello=True)
                met.plain.settimeout(0.5)
                try:
                    return met.plain.recv(100)
                except TimeoutError:
                    return b""
                finally:
                    met.plain.close()

            self.assertEqual(await deferToThread(client), b"")


class FakeHandshake:
    flaw = ""


INTO_REPLIES = [
    b"250 fine\r\n", b"250-mx.example.net\r\n250 AUTH PLAIN\r\n", b"2", b"250-half", b"250-mx\r\n", b"\r\n", b"junk",
    b"235 2.7.0 signed in\r\n", b"354 go on\r\n", b"221 bye\r\n", b"421 later\r\n", b"250 a\r\n250 b\r\n250 c\r\n",
]
STEPS = {
    "the banner": (),
    "EHLO": ("220 mx",),
    "STARTTLS": ("220 mx", "250-mx\r\n250 STARTTLS"),
    "EHLO under TLS": ("220 mx", "250-mx\r\n250 STARTTLS", "220 go on"),
}
ANSWERS = {
    "the banner": b"220 mx\r\n", "EHLO": b"250-mx\r\n250 STARTTLS\r\n", "STARTTLS": b"220 go on\r\n",
    "EHLO under TLS": b"250-mx\r\n250 SIZE 7\r\n",
}


@pytest.mark.parametrize("hop", [HOP, REQUIRED], ids=["welcome", "required"])
@pytest.mark.parametrize("injected", INTO_REPLIES)
@pytest.mark.parametrize("step", STEPS)
def test_replies_that_nobody_asked_for(step, injected, hop):
    """A reply, or a piece of one, in the segment of another: the connection is dropped, and no mail goes over it."""
    play = Play(hop, handshake=FakeHandshake())
    for line in STEPS[step]:
        play.hear(line)
    under_way = len(play.wire.tls)
    play.client.dataReceived(ANSWERS[step] + injected)
    [trouble] = play.trouble
    assert trouble is not None and trouble.status == "4.5.0" and not trouble.in_the_clear
    assert play.wire.aborted and len(play.wire.tls) == under_way
    assert "AUTH" not in play.said() and not play.client.usable


def test_replies_cut_anywhere():
    """What is no surplus is none, however the network cuts it."""
    octets = b"".join(ANSWERS.values())
    for size in (1, 2, 3, 7):
        play = Play(handshake=FakeHandshake())
        for step, answer in ANSWERS.items():
            for at in range(0, len(answer), size):
                play.client.dataReceived(answer[at : at + size])
            assert play.trouble == ([None] if step == "EHLO under TLS" else [])
        assert play.client.encrypted and play.client.offers.size == 7 and len(octets) > 7


def test_a_sign_in_accepted_before_it_was_tried():
    """A challenge with its verdict behind it: the password is not said."""
    play = Play(REQUIRED, handshake=FakeHandshake(), sign_in=sign_in())
    for line in STEPS["EHLO under TLS"]:
        play.hear(line)
    play.hear(*play.ehlo("AUTH PLAIN LOGIN", *FULL))
    play.said()
    play.client.dataReceived(b"334 \r\n235 2.7.0 welcome\r\n")
    [trouble] = play.trouble
    assert trouble.status == "4.5.0" and play.said() == ""
