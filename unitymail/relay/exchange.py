"""A transaction carried out on a connection: what is written when, what is awaited, and the octets of the message.

Knows the order of writing; refuses to know what replies mean for recipients (`relay.delivery`) and what goes before and
behind it on the connection (`relay.conversation`).

*Note: the body in the first write.* A peer with PIPELINING and CHUNKING is given a small message in one write: it
consumes the octets of BDAT whatever it thinks of the recipients, and forgets no XID. No other server is trusted so far:
one that refuses BDAT without consuming it would take the message for commands.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.python.failure import Failure

from unitymail.mail.reply import Reply
from unitymail.relay.body import BodySender
from unitymail.relay.cargo import Cargo
from unitymail.relay.client import Client
from unitymail.relay.content import Blocks
from unitymail.relay.dialogue import Dialogue
from unitymail.relay.transaction import Awaited, Transaction
from unitymail.relay.trouble import Trouble, sentence, unusable

BLOCK_S = 180.0
ANSWER_S = {
    Awaited.RSET: 300.0, Awaited.MAIL: 300.0, Awaited.RCPT: 300.0, Awaited.DATA: 120.0, Awaited.CHUNK: 600.0,
    Awaited.END: 600.0,
}  # fmt: skip
"""RFC 5321 4.5.3.2: for a whole reply, however slowly its octets come."""
MOST_CHUNKS = 4
"""BDAT commands that may be unanswered at once: a message of several goes by DATA where none may be."""


class Exchange:
    """`dot_sent`: the server may have the whole message. `at_once` as above, `in_hope` as in `relay.conversation`."""

    __slots__ = (
        "_at_once", "_blocks_sent", "_cargo", "_chunking", "_client", "_dialogue", "_over", "_sender", "dot_sent",
        "in_hope", "transaction",
    )  # fmt: skip

    def __init__(
        self, client: Client, transaction: Transaction, cargo: Cargo, dialogue: Dialogue, *, chunking: bool,
        at_once: bool, in_hope: bool,
    ) -> None:  # fmt: skip
        self.transaction = transaction
        self.in_hope = in_hope
        self.dot_sent = False
        self._client = client
        self._cargo = cargo
        self._dialogue = dialogue
        self._chunking = chunking
        self._at_once = at_once
        self._sender: BodySender | None = None
        self._blocks_sent = 0
        self._over = False

    def opening(self) -> bytes:
        """What goes first: as much of the envelope as may, for a peer the message too if it is at hand."""
        octets = self.lines()
        self._cargo.fetch()
        return octets + (self.body() or b"") if self._at_once else octets

    def lines(self) -> bytes:
        """The lines that may be said now."""
        lines = self.transaction.lines()
        self._dialogue.ours(lines)
        return b"\r\n".join((*lines, b""))

    def lone_dot(self) -> bytes:
        """The end of a message that nobody is to get."""
        self._dialogue.ours((b".",))
        self.transaction.began_data()
        return b".\r\n"

    def body(self) -> bytes | None:
        """A small message to be written now; None where it must be fetched."""
        octets = self._cargo.here
        if octets is None:
            return None
        self.dot_sent = True
        if self._chunking:
            octets = self._chunk(octets, last=True)
        else:
            self.transaction.began_data()
            self._note(len(octets))
        return octets

    def _chunk(self, octets: bytes, *, last: bool) -> bytes:
        command = b"BDAT %d LAST" % len(octets) if last else b"BDAT %d" % len(octets)
        self._dialogue.ours((command,))
        self._note(len(octets))
        self.transaction.sent_chunk(last=last)
        return b"%b\r\n%b" % (command, octets)

    def _note(self, octets: int) -> None:
        self._dialogue.note(f"<{octets:,} octets>")

    # What the server says.

    def waits(self) -> None:
        """A reply came, and others are to come: a body under way may go on."""
        if self._sender is not None:
            self._sender.let_go()

    def why_over(self, reply: Reply) -> Trouble | None:
        """The trouble that the last reply tells of, when it ends more than this."""
        hop = self._client.hop
        if self.transaction.closing is not None:
            self.dot_sent = False
            return unusable(reply, hop, "to take mail on this connection")
        if self._sender is not None and reply.code < 400:
            return Trouble("4.5.0", sentence(hop, "accepted the message before it was sent."))
        return None

    @property
    def patience(self) -> float:
        """Seconds that the next reply, or taking the next block, may take."""
        awaited = self.transaction.awaited
        return BLOCK_S if awaited is None or self._sender is not None else ANSWER_S[awaited]

    def waiting_for(self) -> str:
        awaited = self.transaction.awaited
        if self._sender is not None or awaited is None:
            return "taking the message"
        if awaited is Awaited.END:
            return "its answer to the whole message"
        return f"its answer to {'BDAT' if awaited is Awaited.CHUNK else awaited.name}"

    def end(self) -> bool:
        """Nothing more is done here; whether all is said and answered, so that more can be said on the connection."""
        self._over = True
        if self._sender is None:
            return not self.transaction.unanswered
        self._note_blocks()
        self._sender.stop()
        return False

    # The octets of the message, when they are not at hand.

    def fetch(self, here: Callable[[], None], failed: Callable[[Failure], None]) -> None:
        """A small message is read, and then `here` is called; a large one is sent as it is read.

        `failed` is called with an OSError when it cannot be read.
        """

        def read(_: bytes) -> None:
            if not self._over:
                here()

        def unreadable(failure: Failure) -> None:
            if not self._over:
                failed(failure)

        def opened(blocks: Blocks) -> None:
            self._send_blocks(blocks, unreadable)

        if self._cargo.small:
            self._cargo.whole().addCallback(read).addErrback(unreadable)
        else:
            self._cargo.blocks().addCallback(opened).addErrback(unreadable)

    def _send_blocks(self, blocks: Blocks, unreadable: Callable[[Failure], None]) -> None:
        if self._over:
            return blocks.close()
        if not self._chunking:
            self.transaction.began_data()
        send: Callable[[bytes, bool], None] = self._send_chunk if self._chunking else self._send_block
        self._sender = BodySender(
            blocks, transport=self._client.transport, threads=self._cargo.threads, send=send
        )
        self._sender.done.addCallbacks(self._all_sent, unreadable)
        self._sender.start()

    def _send_block(self, octets: bytes, last: bool) -> None:
        self.dot_sent = last
        self._blocks_sent += len(octets)
        self._client.transport.write(octets)
        self._client.expect(BLOCK_S)

    def _send_chunk(self, octets: bytes, last: bool) -> None:
        self.dot_sent = last
        self._client.write(self._chunk(octets, last=last))
        self._client.expect(BLOCK_S)
        if self._sender is not None and self.transaction.unanswered >= MOST_CHUNKS:
            self._sender.hold()

    def _all_sent(self, _: None) -> None:
        self._sender = None
        self._note_blocks()
        self._client.expect(self.patience)

    def _note_blocks(self) -> None:
        if self._blocks_sent:
            self._note(self._blocks_sent)
            self._blocks_sent = 0
