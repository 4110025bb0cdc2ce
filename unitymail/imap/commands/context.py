"""CONTEXT=SEARCH (RFC 5267): results that are followed until CANCELUPDATE, or until another mailbox is selected.

What CONTEXT hints at costs little to compute again, and PARTIAL is ``partial``; what is left is UPDATE, `search.live`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap.registry import SELECTED, Done, No, command
from unitymail.imap.wire.lexer import BadSyntax, Reader

if TYPE_CHECKING:
    from unitymail.imap.session import Session

CAPABILITIES = ("CONTEXT=SEARCH",)
MOST_TAGS = 100


@command("CANCELUPDATE", states=SELECTED)
async def cancel_update(session: Session, reader: Reader) -> Done:
    tags = [reader.astring()]
    while reader.take(b" ") and not reader.at_end():
        if len(tags) == MOST_TAGS:
            raise BadSyntax(f"CANCELUPDATE takes {MOST_TAGS} tags at most")
        tags.append(reader.astring())
    reader.end()
    followed = {} if session.live is None else session.live.by_tag
    unknown = [tag for tag in tags if followed.pop(tag, None) is None]
    if unknown:
        raise No(f"No search is followed with the tag {unknown[0][:40].decode('ascii', 'replace')}")
    return Done("CANCELUPDATE completed")
