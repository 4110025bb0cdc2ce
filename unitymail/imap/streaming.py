"""Sends a long stretch of a message: some blocks of it are read while the last ones are on their way to the client.

Knows that its length is announced already, and the pace of the client; refuses to know what the octets are. Of a
message of any size so many blocks are in memory, and what the transport holds until the client reads.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from unitymail.imap.registry import Gone
from unitymail.interfaces.store import IContent

if TYPE_CHECKING:
    from unitymail.imap.session import Session

BLOCK = 131_072
AT_ONCE = 2
"""Blocks read in one go."""
Blocks = list[bytes]


async def stream(session: Session, content: IContent, offset: int, length: int) -> None:
    """Send `length` octets of `content` from `offset`, as fast as the client reads.

    When the disk fails, nothing that could be said would be understood. However it ends, nothing is being read then.
    """
    if not length:
        return
    end = offset + length
    ahead = session.begun(_blocks, content, offset, end)
    while offset < end:
        blocks = await _read(session, ahead)
        offset = min(offset + AT_ONCE * BLOCK, end)
        if offset < end:
            ahead = session.begun(_blocks, content, offset, end)
        try:
            for block in blocks:
                session.send(block)
                await session.drained()
        except Gone:
            if offset < end:
                await _over(ahead)
            raise


def _blocks(content: IContent, offset: int, end: int) -> Blocks:
    """The next octets, from the disk: in a thread."""
    stop = min(offset + AT_ONCE * BLOCK, end)
    return [content.read(at, min(BLOCK, stop - at)) for at in range(offset, stop, BLOCK)]


async def _read(session: Session, ahead: Awaitable[Blocks]) -> Blocks:
    try:
        blocks: Blocks = await session.result(ahead)
    except OSError as error:
        session.journal.trouble("reading a message that is being sent", error)
        session.client.cut_off("a message could not be read")
        raise Gone from error
    return blocks


async def _over(ahead: Awaitable[Blocks]) -> None:
    """Nobody wants what is being read any more; whether it could be read does not matter."""
    try:
        await ahead
    except OSError:
        return
