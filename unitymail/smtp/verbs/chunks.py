"""BDAT: a message in counted chunks (RFC 3030). Knows which chunks are wanted, and what each is answered.

Refuses to count octets (`framing`), and to look into them (`transaction`).

*Note: never commands.* The octets behind a BDAT are passed over when they are not wanted, and answered when they are
over: nothing that a message holds is ever taken for commands. Where nobody can tell how many there are, or nobody
would wait for so many, the connection ends.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unitymail.interfaces.errors import Trouble
from unitymail.mail.reply import Reply
from unitymail.policy.limits import judge_chunk
from unitymail.smtp import commands, replies
from unitymail.smtp.reception import Reception
from unitymail.smtp.refusal import require

if TYPE_CHECKING:
    from unitymail.smtp.dialogue import Dialogue


@dataclass(frozen=True, slots=True)
class Chunk:
    """One BDAT. `refusal`: why its octets are not wanted, whatever they are; None when they are looked at."""

    octets: int
    last: bool
    refusal: Reply | None = None


def bdat(dialogue: Dialogue, argument: str) -> bytes | Coroutine[Any, Any, bytes]:
    """Nothing is said until the octets are here."""
    octets, last = commands.read_bdat(argument)
    require(judge_chunk(octets, dialogue.site))
    found = _reception(dialogue)
    if isinstance(found, Reception):
        found.expect(octets)
        dialogue.expect_chunk(Chunk(octets, last), found)
    else:
        dialogue.expect_chunk(Chunk(octets, last, found), None)
    return b"" if octets else dialogue.end_of_chunk()


def announces_octets(line: bytes) -> bool:
    """Whether octets follow a line, whatever is wrong with it."""
    return line.decode(errors="replace").lstrip()[:4].upper() == "BDAT"


def _reception(dialogue: Dialogue) -> Reception | Reply:
    """Where the octets go, or why they go nowhere."""
    transaction = dialogue.transaction
    if transaction is None:
        return replies.CHUNK_REFUSED if dialogue.chunk_refused else replies.NO_SENDER
    if not transaction.recipients:
        return replies.NO_RECIPIENTS
    if dialogue.reception is not None:
        return dialogue.reception
    try:
        return Reception(dialogue.house, dialogue.site, dialogue.who.client.legacy, binary=transaction.binary)
    except Trouble as trouble:
        return trouble.reply
    except Exception as error:
        dialogue.house.journal.trouble(f"SMTP session {dialogue.session}: BDAT", error)
        return replies.BROKEN


def end_of_chunk(
    dialogue: Dialogue, chunk: Chunk, reception: Reception | None
) -> bytes | Coroutine[Any, Any, bytes]:
    """The octets are here, kept or passed over."""
    if reception is None:
        assert chunk.refusal is not None
        return _unwanted(dialogue, chunk, chunk.refusal)
    if chunk.last:
        reception.end()
        return dialogue.end_of_data("BDAT")
    if reception.refusal is not None:
        return dialogue.chunk_failed(reception.refusal, last=False)
    return b"250 2.0.0 %d octets received\r\n" % chunk.octets


def _unwanted(dialogue: Dialogue, chunk: Chunk, refusal: Reply) -> bytes:
    """Behind a refused MAIL or chunk the rest of a pipelined group is no mistake of the client's (RFC 2920 3.1)."""
    if dialogue.chunk_refused or (refusal is replies.NO_SENDER and dialogue.mail_refused):
        dialogue.chunk_refused = dialogue.chunk_refused and not chunk.last
        return refusal.octets()
    return dialogue.chunk_failed(refusal, last=chunk.last)
