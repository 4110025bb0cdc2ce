"""`peer status`, one peer at a time: how far the conversation goes, what is wrong, and what to do."""

import pathlib
import shutil
from dataclasses import replace

import pytest
from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.admin.scripted_peer import ScriptedPeer
from tests.certificates import certificate, expired, new_key, write_pair
from tests.fakes import CHRIS, ROBIN
from tests.smtp.conversation import Conversation
from tests.smtp.test_connection import reactor_clock
from unitymail.admin.operations.peer_probe import Prober
from unitymail.admin.operations.peers import Ourselves
from unitymail.interfaces.directory import Refused
from unitymail.people.location import Location, LocationKind
from unitymail.tls import ServerTls, public_key_fingerprint

KEY, OUR_KEY = new_key(), new_key()
FINGERPRINT = public_key_fingerprint(certificate(KEY))
US = "unitymail peer add a --host a.example --port 2525 --domain vm1.example.com --fingerprint "


def ourselves(folder, key=OUR_KEY):
    octets = certificate(key, "a.example")
    files = write_pair(folder, "ours", octets, key)
    return Ourselves("a.example", 2525, 0, "vm1.example.com", public_key_fingerprint(octets), *files)


@pytest.fixture
def ask(tmp_path):
    """Probe a peer that is scripted with this certificate and these answers; the facts, and the script."""
    scripts = []

    def probe(octets=None, answers=(), patience_s=10.0, host="localhost", key=KEY, fingerprint=FINGERPRINT, **script):
        pair = write_pair(tmp_path, "theirs", octets or certificate(key, "localhost"), key)
        scripts.append(ScriptedPeer(pair, answers, **script))
        peer = Location("l-b", LocationKind.PEER, "b", "vm2.example.com", host, scripts[-1].port,
                        fingerprint=fingerprint)
        prober = Prober(ourselves(tmp_path), public_key_fingerprint, patience_s=patience_s)
        return prober.one(peer).facts(), scripts[-1]

    yield probe
    for script in scripts:
        script.close()


def test_all_is_well(ask):
    """The whole way, and a polite end; the facts tell what was seen."""
    facts, script = ask()
    assert facts["ok"] and facts["reached"] and facts["known_there"]
    assert (facts["calls_itself"], facts["tls"], facts["problem"]) == ("b.example", "TLSv1.3", "")
    assert facts["fingerprint"] == facts["fingerprint_shown"] == FINGERPRINT
    assert script.heard == ["EHLO", "STARTTLS", "+EHLO", "+QUIT"]


def test_not_known_there(ask):
    """No XUNITYMAIL under TLS: what to type on the other node, ready to be copied."""
    facts, _ = ask(answers={"+EHLO": b"250-b.example\r\n250 SIZE\r\n"})
    assert (facts["ok"], facts["known_there"], facts["problem"]) == (False, False, "this node is not known there")
    ours = public_key_fingerprint(certificate(OUR_KEY))
    assert facts["remedy"].startswith(f"add it there: {US}{ours} ; or")
    assert facts["remedy"].endswith(f"unitymail peer set a --fingerprint {ours}")


def test_nothing_that_a_terminal_obeys(ask):
    """What another machine says is shown to somebody at a terminal: without its control characters."""
    facts, _ = ask(answers={"": b"554 \x1b]0;evil\x07 \xc2\x9b31m go away\r\n"})
    assert facts["problem"] == "it refuses this machine: 554 ?]0;evil? ?31m go away"
    facts, _ = ask(answers={"+EHLO": b"250-\x1b[2Jb.example\r\n250 XUNITYMAIL\r\n"})
    assert facts["ok"] and facts["calls_itself"] == "?[2Jb.example"


def test_another_key(ask):
    """The key that is shown is shown, with both ways to go on; what comes after is not even asked."""
    other = new_key("rsa")
    facts, script = ask(key=other)
    shown = public_key_fingerprint(certificate(other))
    assert facts["problem"] == f"its certificate has another key: {shown}"
    assert facts["fingerprint_shown"] == shown
    assert f"unitymail peer set b --fingerprint {shown}" in facts["remedy"]
    assert "+EHLO" not in script.heard


def test_another_name(ask):
    """The relaying client checks the name too."""
    facts, _ = ask(certificate(KEY, "b.example"))
    assert facts["problem"] == "its certificate is not for localhost"
    assert "peer set b --host" in facts["remedy"]


def test_an_expired_certificate_is_only_noted(ask):
    """Peers go by the key."""
    facts, _ = ask(expired(KEY, "localhost"))
    assert facts["ok"]
    assert "expired" in facts["notes"][0]


def test_a_refused_connection(ask):
    """554 in place of the banner: our address is not let in there."""
    facts, _ = ask(answers={"": b"554 5.7.1 Connections from your address are not accepted here\r\n"})
    assert facts["reached"]
    assert facts["problem"].startswith("it refuses this machine: 554 5.7.1 Connections from your address")
    assert US in facts["remedy"] and "access add" in facts["remedy"]


def test_no_starttls(ask):
    """Where TLS is disabled for strangers, and we are one."""
    facts, _ = ask(answers={"EHLO": b"250 b.example\r\n"})
    assert facts["problem"] == "it offers no STARTTLS to this machine"
    assert US in facts["remedy"]
    assert ask(answers={"STARTTLS": b"454 4.7.0 not now\r\n"})[0]["problem"] == "it refuses STARTTLS: 454 4.7.0 not now"


def test_an_end_in_the_middle(ask):
    """Whoever hangs up, wherever: a sentence, not a traceback."""
    for answers in ({"EHLO": b""}, {"+EHLO": b""}, {"STARTTLS": b""}, {"": b"nonsense\r\n"}, {"EHLO": b"x" * 10_000}):
        facts, _ = ask(answers=answers, patience_s=0.5)
        assert not facts["ok"] and facts["problem"] and facts["remedy"]


def test_what_was_slipped_in_before_tls_is_not_believed(ask):
    """An answer in the segment of STARTTLS's own is no answer to what is asked under TLS."""
    facts, _ = ask(answers={"STARTTLS": b"220 go\r\n250 XUNITYMAIL\r\n", "+EHLO": b"250 b.example\r\n"})
    assert facts["problem"] == "this node is not known there"


def test_a_host_that_is_nowhere(ask, tmp_path):
    """Not a name, no one there, nothing said, an octet now and then: each in bounded time."""
    assert "cannot be looked up" in ask(host="no-such-host.invalid")[0]["problem"]
    facts, script = ask(answers={"": b""}, patience_s=0.2)
    assert "takes the connection and says nothing" in facts["problem"]
    facts, _ = ask(drip=0.1, patience_s=0.2)
    assert not facts["ok"]
    script.close()
    gone = Location("l", LocationKind.PEER, "b", "d", "127.0.0.1", script.port, fingerprint=FINGERPRINT)
    assert "refused" in Prober(ourselves(tmp_path), public_key_fingerprint).one(gone).problem.lower()


def test_many_at_once(ask, tmp_path):
    """The order is that of the peers."""
    _, script = ask()
    peers = [Location(f"l{n}", LocationKind.PEER, f"b{n}", "d", "localhost", script.port, fingerprint=FINGERPRINT)
             for n in range(12)]
    found = Prober(ourselves(tmp_path), public_key_fingerprint).all(peers)
    assert [(probe.peer.name, probe.problem) for probe in found] == [(f"b{n}", "") for n in range(12)]


def test_our_own_pair_cannot_be_used(tmp_path):
    """A refusal that names the files."""
    ours = ourselves(tmp_path)
    pathlib.Path(ours.key).write_text("junk")
    with pytest.raises(Refused, match="cannot be used"):
        Prober(ours, public_key_fingerprint)


class AtARealDoor(TestCase):
    """The same against our own door, which must see our certificate."""

    def setUp(self):
        self.folder = pathlib.Path(self.mktemp())
        self.folder.mkdir()
        self.addCleanup(shutil.rmtree, self.folder)
        tls = ServerTls(*write_pair(self.folder, "theirs", certificate(KEY, "localhost"), KEY))
        self.us = Location("l-a", LocationKind.PEER, "a", "vm1.example.com", "localhost", 25,
                           fingerprint=public_key_fingerprint(certificate(OUR_KEY)))
        self.c = Conversation(
            connect=False, access=(), clock=reactor_clock(), tls=tls.mutual, people=(ROBIN, CHRIS, self.us),
            peer_addresses=lambda: ("127.0.0.1",),
        )
        port = reactor.listenTCP(0, self.c.door, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.addCleanup(lambda: self.c.door.drain(1))
        self.peer = Location("l-b", LocationKind.PEER, "b", "vm2.example.com", "localhost", port.getHost().port,
                             fingerprint=FINGERPRINT)

    def probe(self):
        return deferToThread(Prober(ourselves(self.folder), public_key_fingerprint).one, self.peer)

    async def test_a_peer(self):
        """Known by its key, though strangers may not even connect."""
        found = await self.probe()
        self.assertEqual((found.problem, found.known_there, found.calls_itself), ("", True, "vm1.example.com"))
        self.assertEqual(self.c.journal.named("refused"), [])

    async def test_a_stranger(self):
        """Entered there with another key."""
        self.c.book.objects = (ROBIN, replace(self.us, fingerprint="ab" * 32))
        found = await self.probe()
        self.assertEqual(found.problem, "this node is not known there")
        self.assertEqual(found.fingerprint, FINGERPRINT)


def test_an_address_as_host(ask):
    """A certificate may be for an address; one for a name is not."""
    facts, _ = ask(certificate(KEY, "localhost"), host="127.0.0.1")
    assert facts["problem"] == "its certificate is not for 127.0.0.1"
