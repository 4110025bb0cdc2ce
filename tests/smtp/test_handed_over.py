"""From node to node over the wire: our relaying client at our door, with certificates on both sides."""

import pathlib
import shutil
from dataclasses import replace

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from tests.certificates import certificate, new_key, write_pair
from tests.fakes import CHRIS, ROBIN, TERRY
from tests.smtp.conversation import Conversation
from tests.smtp.test_connection import reactor_clock
from unitymail.interfaces.relay import Outgoing
from unitymail.mail.envelope import Recipient
from unitymail.mail.message import Category, Sensitivity
from unitymail.people.location import Location, LocationKind
from unitymail.relay.relay import Relay
from unitymail.routing.decision import FromPeer
from unitymail.routing.next_hop import NextHop
from unitymail.threads import Threads
from unitymail.tls import ServerTls, public_key_fingerprint

THEIR_KEY, OUR_KEY = new_key(), new_key()
LETTER = b"From: x@vm1.example.com\r\nSubject: Hello\r\n\r\n.A dot\r\n"
TOLD = FromPeer("node1.0abc", "0abc", "chris@vm1.example.com", "user", Category.VOICE, Sensitivity.PRIVATE, secure=True)


class FromNodeToNode(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.mktemp())
        self.folder.mkdir()
        self.addCleanup(shutil.rmtree, self.folder)
        tls = ServerTls(*write_pair(self.folder, "theirs", certificate(THEIR_KEY, "localhost"), THEIR_KEY))
        us = Location("l-a", LocationKind.PEER, "a", "vm2.example.com", "localhost",
                      fingerprint=public_key_fingerprint(certificate(OUR_KEY)))
        self.c = Conversation(
            connect=False, access=(), clock=reactor_clock(), tls=tls.mutual, people=(ROBIN, CHRIS, TERRY, us),
            peer_addresses=lambda: ("127.0.0.1",),
        )
        port = reactor.listenTCP(0, self.c.door, interface="127.0.0.1")
        self.hop = NextHop("peer l-b", "the peer b", "localhost", port.getHost().port, tls="pinned",
                           fingerprint=public_key_fingerprint(certificate(THEIR_KEY)))
        threads = Threads(reactor, "relay", 1)
        threads.start()
        ours = write_pair(self.folder, "ours", certificate(OUR_KEY, "a.example"), OUR_KEY)
        self.relay = Relay(host="a.example", reactor=reactor, threads=threads, connections=lambda: 2,
                           certificate=ours[0], key=ours[1])
        self.addCleanup(threads.stop)
        self.addCleanup(port.stopListening)
        self.addCleanup(lambda: self.c.door.drain(1))
        self.addCleanup(self.relay.close)

    def letter(self, *recipients, told=TOLD):
        path = self.folder / "letter"
        path.write_bytes(LETTER)
        return Outgoing("0abc", "x@vm1.example.com", tuple(map(Recipient, recipients)), str(path), 0, len(LETTER),
                        told=told)

    async def test_handed_over(self):
        """What one node tells, the other has decided by; the octets are those that were sent."""
        attempt = await self.relay.send(self.hop, self.letter("robin@vm1.example.com"))
        self.assertEqual([outcome.kind for outcome in attempt.outcomes], ["done"], attempt.dialogue)
        [kept] = self.c.spool.committed
        self.assertEqual((kept.octets, kept.xid), (LETTER, "l-a/node1.0abc"))
        self.assertEqual(kept.decision.sender.matched, CHRIS.id)
        self.assertEqual(kept.decision.message.category, Category.VOICE)
        self.assertEqual(self.c.journal.named("received")[0].origin.told, TOLD)
        self.assertIn(b"with ESMTPS id", kept.head)

    async def test_by_chunks(self):
        """A node sends BDAT to a node: a small message with its envelope, a large one in pieces; urgent is urgent."""
        large = LETTER + b"".join(b"%d .\r\n.\r\n" % number for number in range(40_000))
        for number, (octets, several) in enumerate(((LETTER, False), (large, True), (LETTER + b"\xfc\r\n", False))):
            told = replace(TOLD, xid=f"node1.c{number}", trace=f"c{number}")
            outgoing = self.letter("robin@vm1.example.com", told=told)
            pathlib.Path(outgoing.path).write_bytes(octets)
            attempt = await self.relay.send(self.hop, replace(outgoing, size=len(octets), body="8bitmime", priority=7))
            self.assertEqual([outcome.kind for outcome in attempt.outcomes], ["done"], attempt.dialogue)
            chunks = sum(line.startswith("C: BDAT ") for line in attempt.dialogue)
            self.assertTrue(chunks > 2 if several else chunks == 1, attempt.dialogue)
            kept = self.c.spool.committed[-1]
            self.assertEqual((kept.octets, kept.envelope.priority), (octets, 7))

    async def test_all_that_can_be_told(self):
        """Nobody's message, an address beyond ASCII, each kind and word: it arrives as it was said."""
        for number, told in enumerate((
            replace(TOLD, sender="", kind="null", category=Category.RECEIPT),
            replace(TOLD, sender="andré+x=1@vm1.example.com", kind="user", sensitivity=Sensitivity.NORMAL),
            replace(TOLD, sender="", kind="outside", category=Category.FAX, sensitivity=Sensitivity.CONFIDENTIAL),
            replace(TOLD, sender="8882233@london.example.org", kind="vpim", sensitivity=Sensitivity.PERSONAL),
            replace(TOLD, sender="", kind="peer", secure=False),
        )):
            told = replace(told, xid=f"node1.m{number}", trace=f"m{number}")
            attempt = await self.relay.send(self.hop, self.letter("robin@vm1.example.com", told=told))
            self.assertEqual(attempt.outcomes[0].kind, "done", attempt.dialogue)
            self.assertEqual(self.c.journal.named("received")[-1].origin.told, told)

    async def test_sent_again(self):
        """The same transaction once more is done again without a second copy."""
        for recipients in (("robin@vm1.example.com",), ("robin@vm1.example.com", "terry@vm1.example.com")) * 2:
            attempt = await self.relay.send(self.hop, self.letter(*recipients))
            self.assertEqual({outcome.kind for outcome in attempt.outcomes}, {"done"})
        self.assertEqual([[r.address for r in kept.envelope.recipients] for kept in self.c.spool.committed],
                         [["robin@vm1.example.com"], ["terry@vm1.example.com"]])

    async def test_somebody_elses_door(self):
        """Another key answers: the message stays, and nothing of it was said."""
        hop = replace(self.hop, fingerprint="ab" * 32)
        attempt = await self.relay.send(hop, self.letter("robin@vm1.example.com"))
        self.assertTrue(attempt.hop_down)
        self.assertEqual(attempt.outcomes[0].kind, "try-again")
        self.assertIn("another key", attempt.outcomes[0].why)
        said = {line.split()[1] for line in attempt.dialogue if line.startswith("C: ")}
        self.assertEqual(said, {"EHLO", "STARTTLS"})

    async def test_a_node_that_does_not_know_us(self):
        """Removed there: it is no peer to us until it knows us again, and nothing is lost."""
        self.c.book.objects = (ROBIN, CHRIS, TERRY)
        attempt = await self.relay.send(self.hop, self.letter("robin@vm1.example.com"))
        self.assertEqual(attempt.outcomes[0].kind, "try-again", attempt.dialogue)
        self.assertEqual(self.c.spool.committed, [])
