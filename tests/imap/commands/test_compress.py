"""COMPRESS=DEFLATE (RFC 4978): the example, what is refused, and everything behind it as without."""

import zlib

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House


class Squeezed:
    """The client's end: `say` as before, with both ways compressed."""

    def __init__(self, client):
        self.client = client
        self.out = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.back = zlib.decompressobj(-15)

    def squeeze(self, octets):
        return self.out.compress(octets) + self.out.flush(zlib.Z_SYNC_FLUSH)

    def heard(self):
        self.client.house.clock.pump([0] * 6)
        octets = self.client.wire.value()
        self.client.wire.clear()
        return self.back.decompress(octets).decode("latin-1")

    def send(self, octets):
        self.client.send(self.squeeze(octets))

    def say(self, line):
        self.send(line.encode() + b"\r\n")
        return self.heard().split("\r\n")[:-1]


class CompressTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.house.inbox.put(MESSAGE)

    def squeezed(self):
        client = self.house.signed_in()
        self.assertEqual(client.say("c compress deflate"), ["c OK DEFLATE active"])
        return Squeezed(client)

    def test_the_example(self):
        """Signing in, then compressing: from the octet behind the OK on, both ways."""
        client = self.squeezed()
        self.assertEqual(client.say("d NOOP"), ["d OK NOOP completed"])
        self.assertIn("* 1 EXISTS", client.say("e SELECT INBOX"))
        self.assertIn(MESSAGE.decode(), "\r\n".join(client.say("f FETCH 1 BODY[]")))

    def test_twice(self):
        """Never twice, and it is not offered again."""
        client = self.squeezed()
        self.assertEqual(client.say("d COMPRESS DEFLATE"), ["d NO [COMPRESSIONACTIVE] DEFLATE is active already"])
        self.assertNotIn("COMPRESS=DEFLATE", client.say("e CAPABILITY")[0].split())
        self.assertEqual(client.say("f NOOP"), ["f OK NOOP completed"])

    def test_others(self):
        """Another mechanism, none, or two are BAD, and nothing is compressed."""
        client = self.house.signed_in()
        for arguments in ("GZIP", "", "DEFLATE DEFLATE", "(DEFLATE)"):
            self.assertTrue(client.say(f"c COMPRESS {arguments}")[0].startswith("c BAD "), arguments)
        self.assertEqual(client.say("d NOOP"), ["d OK NOOP completed"])

    def test_before_signing_in(self):
        """Strangers get no compressor, and are not told of one."""
        client = self.house.connect()
        self.assertTrue(client.say("c COMPRESS DEFLATE")[0].startswith("c BAD "))
        self.assertNotIn("COMPRESS=DEFLATE", client.say("d CAPABILITY")[0].split())
        client.say("x LOGIN robin secret")
        self.assertIn("COMPRESS=DEFLATE", client.say("e CAPABILITY")[0].split())

    def test_at_once(self):
        """Compressed commands that come in the same packet as the command are read as such."""
        client = self.house.signed_in()
        squeezed = Squeezed(client)
        client.send(b"c COMPRESS DEFLATE\r\n" + squeezed.squeeze(b"d NOOP\r\n"))
        self.house.clock.pump([0] * 4)
        plain, octets = client.wire.value().split(b"\r\n", 1)
        self.assertEqual(plain, b"c OK DEFLATE active")
        self.assertEqual(squeezed.back.decompress(octets), b"d OK NOOP completed\r\n")

    def test_octet_by_octet(self):
        """Where the octets were split on their way makes no difference, literals and APPEND included."""
        client = self.squeezed()
        said = b"d APPEND INBOX {%d+}\r\n%b\r\ne STATUS {5}\r\nINBOX (MESSAGES)\r\n" % (len(MESSAGE), MESSAGE)
        for octet in client.squeeze(said):
            client.client.send(bytes((octet,)))
        heard = client.heard()
        self.assertIn("d OK [APPENDUID ", heard)
        self.assertTrue(heard.endswith("* STATUS INBOX (MESSAGES 2)\r\ne OK STATUS completed\r\n"), heard)

    def test_push(self):
        """IDLE over it is as quick as without."""
        client = self.squeezed()
        client.say("d SELECT INBOX")
        self.assertEqual(client.say("e IDLE"), ["+ idling"])
        self.house.inbox.arrive(MESSAGE)
        self.house.doorbell.ring("u-robin", "INBOX")
        self.assertEqual(client.heard(), "* 2 EXISTS\r\n* 2 RECENT\r\n")
        self.assertEqual(client.say("DONE"), ["e OK IDLE completed"])

    def test_pipelined(self):
        """Many commands in one compressed packet are answered in order."""
        client = self.squeezed()
        client.send(b"".join(b"a%d NOOP\r\n" % n for n in range(3000)))
        heard = ""
        for _ in range(50):
            heard += client.heard()
        self.assertEqual(heard, "".join(f"a{n} OK NOOP completed\r\n" for n in range(3000)))

    def test_a_large_message(self):
        """A message of megabytes comes through whole, also when the client stops reading in between."""
        octets = MESSAGE + b"0123456789abcdef" * 200_000
        uid = self.house.inbox.put(octets)
        client = self.squeezed()
        client.say("d SELECT INBOX")
        client.send(b"e UID FETCH %d BODY.PEEK[]\r\n" % uid)
        client.client.wire.producer.pauseProducing()
        heard = client.heard()
        self.assertLess(len(heard), 1_000_000)
        self.assertEqual(client.heard(), "")
        client.client.wire.producer.resumeProducing()
        for _ in range(200):
            heard += client.heard()
        self.assertIn(octets.decode(), heard)
        self.assertTrue(heard.endswith("e OK FETCH completed\r\n"))

    def test_garbage(self):
        """What cannot be decompressed ends the connection, with a reason."""
        client = self.squeezed()
        client.client.send(b"d NOOP\r\n")
        self.assertEqual(client.heard(), "* BYE What was sent cannot be decompressed\r\n")
        self.assertTrue(client.client.closed)
        self.assertEqual(self.house.journal.named("trouble"), [])

    def test_garbage_while_idle(self):
        """The same during a command that listens."""
        client = self.squeezed()
        client.say("d IDLE")
        client.client.send(b"\xff\xff\xff\xff")
        self.assertEqual(client.heard(), "* BYE What was sent cannot be decompressed\r\n")
        self.assertEqual(self.house.journal.named("trouble"), [])

    def test_garbage_before_idling(self):
        """The same when it comes while IDLE looks at the folder first: BYE at once, and nothing for the log."""
        from tests.fakes import HeldThreads

        self.house = House(threads=(threads := HeldThreads()))
        client = self.house.connect()
        for line in ("x LOGIN robin secret\r\n", "x SELECT INBOX\r\n"):
            client.send(line)
            threads.go()
        client.say("c COMPRESS DEFLATE")
        client = Squeezed(client)
        client.send(b"d IDLE\r\n")
        client.client.send(b"\xff\xff\xff\xff")
        threads.go()
        self.assertTrue(client.heard().endswith("* BYE What was sent cannot be decompressed\r\n"))
        self.assertEqual(self.house.journal.named("trouble"), [])
        client.client.leave()
        self.assertEqual(len(self.house.door.watches), 0)

    def test_a_bomb(self):
        """A line without end is refused as if it had come uncompressed, long before it is opened as a whole."""
        client = self.squeezed()
        client.send(b"d NOOP " + bytes(60_000_000))
        heard = ""
        for _ in range(50):
            heard += client.heard()
        self.assertIn("[TOOBIG]", heard)
        self.assertIn("* BYE ", heard)

    def test_a_bomb_during_a_command(self):
        """Nothing is opened while nobody needs it."""
        from tests.fakes import HeldThreads

        self.house = House(threads=(threads := HeldThreads()))
        client = self.house.connect()
        client.send("x LOGIN robin secret\r\n")
        threads.go()
        client.say("c COMPRESS DEFLATE")
        client = Squeezed(client)
        client.send(b"d STATUS INBOX (MESSAGES)\r\n" + b"e NOOP\r\n" * 300_000)
        inlet = client.client.protocol.inlet
        self.assertLess(inlet.assembler.waiting, 100_000)
        threads.go()
        self.assertIn("d OK STATUS completed", client.heard())
        self.assertLess(inlet.assembler.waiting, 100_000)
        client.client.leave()

    def test_logout(self):
        """The farewell is compressed too, and whole, before the door shuts."""
        client = self.squeezed()
        heard = client.say("d LOGOUT")
        self.assertTrue(heard[0].startswith("* BYE "))
        self.assertEqual(heard[-1], "d OK LOGOUT completed")
        self.assertTrue(client.client.closed)

    def test_leaving_in_the_middle(self):
        """A client that leaves takes compressor and timers with it."""
        client = self.squeezed()
        client.send(b"d CAPABILITY\r\n")
        client.client.leave()
        self.house.clock.advance(0)
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def test_silence(self):
        """A client that says nothing after it is logged out in its time, in compressed words."""
        client = self.squeezed()
        client.heard()
        self.house.clock.advance(31 * 60)
        self.assertEqual(client.heard(), "* BYE Autologout; idle for too long\r\n")
