"""Octets made small and large again: in steps, within bounds, whatever comes."""

import tracemalloc
import zlib

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from unitymail.imap.deflate import PIECE, REST_S, STEP, Deflating, Garbled, Inflating
from unitymail.interfaces.turns import ITurns
from unitymail.smtp.turns import Turns


def squeezed(octets, flush=zlib.Z_SYNC_FLUSH):
    made = zlib.compressobj(6, zlib.DEFLATED, -15)
    return made.compress(octets) + made.flush(flush)


@implementer(ITurns)
class ShortTurns:
    """Each has time for one step of work; `next` is the next one."""

    def __init__(self):
        self.waiting = []

    def begin(self):
        pass

    def lasts(self):
        return False

    def end(self):
        pass

    def queue(self, work):
        self.waiting.append(work)

    def next(self):
        self.waiting.pop(0)()


class DeflatingTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.pieces = []
        self.emptied = []
        self.reader = zlib.decompressobj(-15)
        self.deflating = Deflating(
            self.pieces.append, turns=Turns(self.clock), clock=self.clock,
            emptied=lambda: self.emptied.append(self.clock.seconds()),
        )  # fmt: skip

    def heard(self):
        got = self.reader.decompress(b"".join(self.pieces))
        self.pieces.clear()
        return got

    def test_one_turn(self):
        """What is said in one turn leaves together, at the turn's end, so that the client can read all of it."""
        self.deflating.write(b"* 1 EXISTS\r\n")
        self.deflating.write(b"a OK\r\n")
        self.assertEqual(self.pieces, [])
        self.clock.advance(0)
        self.assertEqual(len(self.pieces), 1)
        self.assertEqual(self.heard(), b"* 1 EXISTS\r\na OK\r\n")

    def test_much(self):
        """Megabytes wait for their turn; what is said meanwhile comes behind them, and somebody is told at the end."""
        much = bytes(range(256)) * 20_000
        self.deflating.write(much)
        self.assertEqual((self.deflating.waiting, self.pieces), (len(much), []))
        self.deflating.write(b"the end")
        self.clock.pump([0] * 4)
        self.assertEqual((self.deflating.waiting, len(self.emptied)), (0, 1))
        self.assertEqual(self.heard(), much + b"the end")

    def test_a_turn_is_short(self):
        """However much waits, a turn of the reactor makes only what it has time for."""
        turns = ShortTurns()
        deflating = Deflating(self.pieces.append, turns=turns, clock=self.clock, emptied=lambda: None)
        deflating.write(bytes(10 * STEP))
        for left in range(9, -1, -1):
            turns.next()
            self.assertEqual(deflating.waiting, left * STEP)
        self.assertEqual(turns.waiting, [])

    def test_nobody_reads(self):
        """Nothing is made of what waits while the transport is full."""
        self.deflating.held = True
        self.deflating.write(bytes(3 * STEP))
        self.clock.pump([0] * 4)
        self.assertEqual((self.pieces, self.deflating.waiting), ([], 3 * STEP))
        self.deflating.go_on()
        self.clock.pump([0] * 4)
        self.assertEqual(self.heard(), bytes(3 * STEP))

    def test_rest(self):
        """A compressor with nothing to do is given up; the stream goes on behind it as one."""
        self.deflating.write(b"first")
        self.clock.pump([0, REST_S, REST_S])
        self.assertIsNone(self.deflating._squeeze)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.deflating.write(b" second")
        self.clock.advance(0)
        self.assertIsNotNone(self.deflating._squeeze)
        self.assertEqual(self.heard(), b"first second")

    def test_no_rest_at_work(self):
        """One that has something to do is kept, with all it knows."""
        for _ in range(10):
            self.deflating.write(b"x")
            self.clock.pump([0, REST_S * 0.9])
        self.assertIsNotNone(self.deflating._squeeze)

    def test_leaving(self):
        """Nothing remains of a client that left, no timer either."""
        self.deflating.write(b"x")
        self.clock.advance(0)
        self.deflating.write(bytes(9 * STEP))
        self.deflating.leave()
        self.pieces.clear()
        self.clock.pump([0] * 4)
        self.assertEqual((self.deflating.waiting, self.pieces, self.clock.getDelayedCalls()), (0, [], []))


class InflatingTests(SynchronousTestCase):
    def all_of(self, inflating):
        found = b""
        while octets := inflating.more():
            self.assertLessEqual(len(octets), PIECE)
            found += octets
        return found

    def test_a_bomb(self):
        """A thousand times as much as was sent comes in pieces, and is nowhere held as a whole."""
        bomb = squeezed(bytes(50_000_000))
        inflating = Inflating()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        inflating.feed(bomb)
        count = 0
        while octets := inflating.more():
            count += len(octets)
        self.assertEqual(count, 50_000_000)
        self.assertLess(tracemalloc.get_traced_memory()[1], 1_000_000)

    def test_a_full_piece_with_more_inside(self):
        """What zlib still holds when a piece is full comes without another octet of the client."""
        for size in range(PIECE - 2, PIECE + 300, 7):
            inflating = Inflating()
            inflating.feed(squeezed(bytes(size)))
            self.assertEqual(self.all_of(inflating), bytes(size))

    def test_garbage(self):
        """What is no such stream is said to be none."""
        inflating = Inflating()
        inflating.feed(b"a NOOP\r\n")
        self.assertRaises(Garbled, self.all_of, inflating)

    def test_behind_the_end(self):
        """A stream that the client ended is whole; what comes behind is garbage."""
        inflating = Inflating()
        inflating.feed(squeezed(b"a LOGOUT\r\n", zlib.Z_FINISH))
        self.assertEqual(self.all_of(inflating), b"a LOGOUT\r\n")
        inflating.feed(b"more")
        self.assertRaises(Garbled, self.all_of, inflating)

    @given(st.lists(st.binary(max_size=300), max_size=20), st.lists(st.integers(1, 200), max_size=20))
    def test_any_split(self, said, cuts):
        """However the stream is flushed and cut on its way, the same octets come out."""
        made = zlib.compressobj(6, zlib.DEFLATED, -15)
        flushes = (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH)
        stream = b"".join(made.compress(part) + made.flush(flushes[len(part) % 3]) for part in said)
        inflating, found = Inflating(), b""
        for cut in [*cuts, len(stream)]:
            inflating.feed(stream[:cut])
            stream = stream[cut:]
            found += self.all_of(inflating)
        self.assertEqual(found, b"".join(said))

    @given(st.binary(max_size=500))
    def test_fuzz(self, octets):
        """Any octets are opened, or are garbage."""
        inflating = Inflating()
        inflating.feed(octets)
        try:
            self.all_of(inflating)
        except Garbled:
            pass
