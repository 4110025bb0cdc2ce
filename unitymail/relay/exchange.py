"""A transaction carried out on a connection: lines written, replies awaited in time, and the octets of the message.

Knows the order of writing; refuses to know what replies mean for recipients (`relay.delivery`).

*Note: the body in the first write.* A peer with PIPELINING and CHUNKING is given a small message in one write: it
consumes the octets of BDAT whatever it thinks of the recipients, and forgets no XID. No other server is trusted so far:
one that refuses BDAT without consuming it would take the message for commands.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from unitymail.interfaces.threads import IThreads
from unitymail.mail.reply import Reply
from unitymail.relay import prompt
from unitymail.relay.body import BodySender
from unitymail.relay.cargo import Cargo
from unitymail.relay.client import Client
from unitymail.relay.content import Blocks
from unitymail.relay.transaction import Awaited, Move, OutOfStep, Transaction
from unitymail.relay.trouble import Trouble, sentence, unusable

BLOCK_S = 180.0
ANSWER_S = {
    Awaited.RSET: 300.0, Awaited.MAIL: 300.0, Awaited.RCPT: 300.0, Awaited.DATA: 120.0, Awaited.CHUNK: 600.0,
    Awaited.END: 600.0,
}  # fmt: skip
"""RFC 5321 4.5.3.2: for a whole reply, however slowly its octets come."""
MOST_CHUNKS = 4
"""BDAT commands that may be unanswered at once, where the server allows any to be."""


class Exchange:
    """`run` it once. `dot_sent`: the server may have the whole message."""

    def __init__(
        self, client: Client, transaction: Transaction, cargo: Cargo, *, chunking: bool, threads: IThreads
    ) -> None:
        self.dot_sent = False
        self._client = client
        self._transaction = transaction
        self._cargo = cargo
        self._chunking = chunking
        self._threads = threads
        self._most_chunks = MOST_CHUNKS if client.offers.pipelining else 1
        self._sender: BodySender | None = None
        self._running = False
        self._blocks_sent = 0
        self._over: Deferred[Trouble | None] = Deferred()

    def run(self, *, at_once: bool) -> Deferred[Trouble | None]:
        """Fires when the transaction is over: with the Trouble that ended more than it, or None.

        `at_once`: the body goes in the first write. Fails with OSError when the message cannot be read.
        """
        self._running = True
        if not self._client.usable:
            self._end(Trouble("4.4.2", sentence(self._client.hop, "closed the connection before this message.")))
            return self._over
        self._client.talk(self)
        if at_once:
            self._cargo.whole().addCallback(self._say_all).addErrback(self._cannot_read)
        else:
            self._cargo.fetch()
            self._say(self._transaction.lines())
        return self._over

    def _say(self, lines: list[bytes]) -> None:
        self._client.say(lines)
        self._expect()

    def _say_all(self, octets: bytes) -> None:
        if self._running:
            lines = self._transaction.lines()
            self._transaction.sent_chunk(last=True)
            self.dot_sent = True
            self._client.say([*lines, _bdat(len(octets), last=True)], octets)
            self._note(len(octets))
            self._expect()

    def _expect(self) -> None:
        awaited = self._transaction.awaited
        if awaited is not None:
            self._client.expect(BLOCK_S if self._sender is not None else ANSWER_S[awaited])

    # What the server says.

    def replied(self, reply: Reply) -> None:
        try:
            move = self._transaction.take(reply)
        except OutOfStep:
            words = f"answered {reply.code} where no such answer is possible."
            return self._end(Trouble("4.5.0", sentence(self._client.hop, words)))
        if move is Move.WAIT:
            self._expect()
            if self._sender is not None and self._transaction.unanswered < self._most_chunks:
                self._sender.let_go()
        elif move is Move.LINE:
            self._say(self._transaction.lines())
        elif move is Move.BODY:
            self._send_body()
        elif move is Move.DOT:
            self._client.say([b"."])
            self._transaction.began_data()
            self._expect()
        else:
            self._end(self._why_over(reply))

    def _why_over(self, reply: Reply) -> Trouble | None:
        hop = self._client.hop
        if self._transaction.closing is not None:
            self.dot_sent = False
            return unusable(reply, hop, "to take mail on this connection")
        if self._sender is not None and reply.positive:
            return Trouble("4.5.0", sentence(hop, "accepted the message before it was sent."))
        return None

    def broke(self, trouble: Trouble) -> None:
        self._end(trouble)

    def waiting_for(self) -> str:
        awaited = self._transaction.awaited
        if self._sender is not None or awaited is None:
            return "taking the message"
        if awaited is Awaited.END:
            return "its answer to the whole message"
        return f"its answer to {'BDAT' if awaited is Awaited.CHUNK else awaited.name}"

    def _end(self, trouble: Trouble | None) -> None:
        if not self._running:
            return
        self._running = False
        self._client.talk(None)
        self._client.clean = self._transaction.clean
        self._note_blocks()
        if self._sender is not None:
            self._sender.stop()
        # Answers to come, or half a message under way: nothing more can be said here.
        if trouble is not None or self._sender is not None or self._transaction.unanswered:
            self._client.drop()
        self._over.callback(trouble)

    # The octets of the message.

    def _send_body(self) -> None:
        if (octets := self._cargo.here) is not None:
            self._send_whole(octets)
        elif self._cargo.small:
            self._cargo.whole().addCallback(self._send_whole).addErrback(self._cannot_read)
        else:
            self._client.expect(BLOCK_S)
            self._cargo.blocks().addCallback(self._send_blocks).addErrback(self._cannot_read)

    def _send_whole(self, octets: bytes) -> None:
        if not self._running:
            return
        self.dot_sent = True
        if self._chunking:
            self._client.say([_bdat(len(octets), last=True)], octets)
            self._transaction.sent_chunk(last=True)
        else:
            prompt.write(self._client.transport, octets)
            self._transaction.began_data()
        self._note(len(octets))
        self._expect()

    def _send_blocks(self, blocks: Blocks) -> None:
        if not self._running:
            return blocks.close()
        if not self._chunking:
            self._transaction.began_data()
        send: Callable[[bytes, bool], None] = self._send_chunk if self._chunking else self._send_block
        self._sender = BodySender(blocks, transport=self._client.transport, threads=self._threads, send=send)
        self._sender.done.addCallbacks(self._all_sent, self._cannot_read)
        self._sender.start()

    def _send_block(self, octets: bytes, last: bool) -> None:
        self.dot_sent = last
        self._blocks_sent += len(octets)
        self._client.transport.write(octets)
        self._client.expect(BLOCK_S)

    def _send_chunk(self, octets: bytes, last: bool) -> None:
        self.dot_sent = last
        self._client.say([_bdat(len(octets), last=last)], octets)
        self._note(len(octets))
        self._transaction.sent_chunk(last=last)
        self._client.expect(BLOCK_S)
        if self._sender is not None and self._transaction.unanswered >= self._most_chunks:
            self._sender.hold()

    def _all_sent(self, _: None) -> None:
        self._sender = None
        self._note_blocks()
        self._expect()

    def _note_blocks(self) -> None:
        if self._blocks_sent:
            self._note(self._blocks_sent)
            self._blocks_sent = 0

    def _note(self, octets: int) -> None:
        self._client.dialogue.note(f"<{octets:,} octets>")

    def _cannot_read(self, failure: Failure) -> None:
        """Half a message must not look whole: the connection ends without the final dot."""
        if self._running:
            self._running = False
            self._client.talk(None)
            self._client.drop()
            self._over.errback(failure)


def _bdat(octets: int, *, last: bool) -> bytes:
    return b"BDAT %d LAST" % octets if last else b"BDAT %d" % octets


